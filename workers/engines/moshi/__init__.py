"""ENGINE=moshi: runs public full-duplex models, all callers in one batch."""
