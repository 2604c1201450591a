"""The language model of speech that ENGINE=hybrid runs."""
