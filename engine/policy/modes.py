"""How far automation may go by itself: observe, approve, auto. The strictest word holds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from engine.lang.model import Mode

_STRICTEST_FIRST: Final[tuple[Mode, ...]] = ("observe", "approve", "auto")


def strictest(modes: Iterable[str | None]) -> Mode:
    """The strictest of the modes given (rule, playbook, all, ceiling); auto where none is."""
    said = {mode for mode in modes if mode is not None}
    return next((mode for mode in _STRICTEST_FIRST if mode in said), "auto")
