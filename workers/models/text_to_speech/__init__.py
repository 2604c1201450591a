"""Text to speech: what the cascade speaks with."""
