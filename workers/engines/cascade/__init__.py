"""Runs an engine of three parts: hear, think and speak. A setting replaces each part."""
