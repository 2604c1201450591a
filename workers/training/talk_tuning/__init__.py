"""Tunes a language model of the Llama family on written conversations, for a voice's short words.

`python -m workers.training.talk_tuning tune --corpus talk/*.jsonl --run runs/talk` tunes and
writes the adapter; `... ask --run runs/talk` shows its replies to what was held out.
"""
