"""Labelling without screens: text comes in, rows go out. Knows no SQL of its own and no model."""
