"""Distillation: a smaller model that learns a larger one's probabilities beside the answers."""
