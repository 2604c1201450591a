"""Streaming layers that several models share, and their layout in memory."""
