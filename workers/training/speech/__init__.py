"""Synthesises and distorts speech: voices, acoustic scenes, streams and shards."""
