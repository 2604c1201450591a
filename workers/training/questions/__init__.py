"""What callers ask and the assistant answers, split into trained and held-out questions."""
