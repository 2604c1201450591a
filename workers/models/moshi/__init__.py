"""Moshi and PersonaPlex from their published weights, and the codec Mimi."""
