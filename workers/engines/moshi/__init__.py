"""ENGINE=moshi: public full-duplex models, all callers in one batch."""
