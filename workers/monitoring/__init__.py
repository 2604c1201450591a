"""What a worker shows to its operators: probes and metrics over HTTP."""
