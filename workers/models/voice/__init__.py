"""The hybrid engine's voice: from codec codes to sound."""
