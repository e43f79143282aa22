"""The deputy itself: see docs/architecture.md for the map of these folders."""
