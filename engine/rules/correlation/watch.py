"""What a state rule remembers of one key."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from engine.rules.correlation.joins import Combination
from engine.rules.correlation.keys import Key

IDLE: Final = "idle"
WAITING: Final = "waiting"
"""True, and `for` is not over."""
HELD: Final = "held"
"""Would have fired, but `unless` holds it back."""
THROTTLED: Final = "throttled"
OPEN: Final = "open"


class Watch:
    """One key of a state rule.

    `members` are the combinations that count as true, each with whether its condition holds still
    (False: it counts on until its `until`). `spent` are those that `until` ended while their
    condition went on: armed again once it has been false.
    """

    __slots__ = (
        "alerted", "due", "example", "fired", "firing", "host", "key", "last", "members", "phase",
        "seen", "severity", "since", "spent", "times",
    )  # fmt: skip

    def __init__(self, key: Key, host: str | None, at: int, example: Combination) -> None:
        self.key = key
        self.host = host
        self.seen = at
        self.example = example
        """The combination that was true last."""
        self.members: dict[Combination, bool] = {}
        self.spent: dict[Combination, None] = {}
        self.phase = IDLE
        self.since: int | None = None
        self.due = 0
        self.firing = ""
        self.fired = 0
        self.last: int | None = None
        self.severity = ""
        self.alerted = False
        self.times: list[int] = []
        """When the condition became true, for `count`."""

    @property
    def kept(self) -> bool:
        return self.phase == OPEN

    @property
    def idle(self) -> bool:
        """Nothing would be lost with it."""
        return not (self.members or self.spent or self.times or self.phase == OPEN)


def lapse(combination: Combination) -> int:
    """The last instant at which none of a combination's facts is stale."""
    if len(combination) == 1 and combination[0] is not None:
        return combination[0].lapses
    return min(record.lapses for record in combination if record is not None)


def host_of(combination: Combination) -> str | None:
    """The host of the first fact that has one."""
    return next((r.host for r in combination if r is not None and r.host is not None), None)


def in_order(watches: Iterable[Watch]) -> list[Watch]:
    """Several keys touched at one instant, in an order that no history changes."""
    found = list(watches)
    if len(found) > 1:
        found.sort(key=lambda watch: repr(watch.key))
    return found
