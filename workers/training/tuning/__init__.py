"""Tunes finished weights: to recorded conversations, or to one speaker."""
