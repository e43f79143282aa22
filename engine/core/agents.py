"""What is known of an agent while it runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["running", "stopped", "failed"]


@dataclass(frozen=True, slots=True)
class AgentStatus:
    """What is known of one agent; instants and `every` in microseconds."""

    id: str
    state: State
    every: int
    facts: tuple[str, ...]
    last_collect: int | None = None
    last_error: str | None = None
    failures: int = 0
    """In a row."""
    next_collect: int | None = None
