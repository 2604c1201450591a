"""The stages of `make train`, and what they share."""
