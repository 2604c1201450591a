"""Evaluates finished weights by spoken calls, their voices, and the VADs."""
