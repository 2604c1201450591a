"""A tiny Moshi-shaped checkpoint, and what the reference implementation computed with it."""
