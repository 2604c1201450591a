"""Records calls whose callers agree: a process of its own that reads the log."""
