"""The judge of ENGINE=cascade: spoken open questions, memory, sums, families, noise and silence."""
