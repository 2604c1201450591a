"""Turns questions, speech and recordings into training sequences."""
