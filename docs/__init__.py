"""The documentation: pages, and what generates the reference from the code."""
