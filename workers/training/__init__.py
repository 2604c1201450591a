"""Trains the hybrid engine's networks from synthetic speech, and tunes them on recordings."""
