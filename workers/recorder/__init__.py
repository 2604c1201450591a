"""Records calls if their callers agree, in a process of its own that reads the log."""
