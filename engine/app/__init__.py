"""The composition root: builds Wakil from its parts, starts it, reloads it, stops it."""
