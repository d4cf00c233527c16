"""Measurements of the engine: how fast, against what, and how it grows. Wants an idle machine.

python -m engine bench RESULT.json [--rounds 5] [--sentences 50]
"""
