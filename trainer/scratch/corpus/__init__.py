"""From raw text to a clean corpus: text, JSON lines, Parquet or a hub dataset in, lines (or lines
with their translations) out, with a report of what was dropped by which rule and why.

python -m trainer scratch corpus FOLDER SOURCE [SOURCE …] --languages de|de-en
"""
