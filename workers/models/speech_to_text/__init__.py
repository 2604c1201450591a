"""Speech to text: what the cascade hears with."""
