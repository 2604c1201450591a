"""Text to speech for the cascade: hibari or Kokoro on the CPU."""
