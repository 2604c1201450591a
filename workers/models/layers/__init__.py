"""Streaming layers that several models share."""
