"""Shows a worker's state to its operators: probes and metrics over HTTP."""
