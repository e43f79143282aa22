"""The hands: the one process that touches the system, and what asks it to."""
