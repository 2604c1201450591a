"""Speech to text for the cascade: a Whisper on the CPU."""
