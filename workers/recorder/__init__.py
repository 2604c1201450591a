"""Records calls whose callers agree, in a process of its own that reads the log."""
