"""Measures that training reports about its own networks."""
