"""Rules: the matcher port and its two implementations, correlation, the pure engine."""
