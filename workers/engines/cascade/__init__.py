"""Hear, think, speak: an engine of three parts, each of which can be exchanged by a setting."""
