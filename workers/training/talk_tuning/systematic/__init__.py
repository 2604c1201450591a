"""Generates the systematic part of the tuning corpus: sums, spelling, dates, units, word tables.

`python -m workers.training.talk_tuning.systematic OUT.jsonl` writes one conversation per line.
"""
