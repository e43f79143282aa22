"""The last hour of each host's load, a point a minute, for the panel's small charts."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Literal

from engine.core.clock import Clock
from engine.core.facts import Fact
from engine.core.values import HOUR, MINUTE, Json
from engine.store.journal import Journal

Series = Literal["cpu", "memory"]
KINDS: Final[tuple[Series, ...]] = ("cpu", "memory")
POINTS: Final = 60


@dataclass(slots=True)
class _Minutes:
    """Sum and count of samples by minute."""

    samples: dict[int, tuple[float, int]] = field(default_factory=dict)

    def add(self, minute: int, value: float) -> None:
        total, count = self.samples.get(minute, (0.0, 0))
        self.samples[minute] = (total + value, count + 1)

    def points(self, now: int) -> list[Json]:
        """`[epoch seconds, mean or null]`, from the first minute known of the last hour on."""
        oldest = now // MINUTE - POINTS + 1
        self.samples = {minute: kept for minute, kept in self.samples.items() if minute >= oldest}
        if not self.samples:
            return []
        return [
            [minute * 60, self._mean(minute)]
            for minute in range(min(self.samples), now // MINUTE + 1)
        ]

    def _mean(self, minute: int) -> float | None:
        total, count = self.samples.get(minute, (0.0, 0))
        return round(total / count, 1) if count else None


class History:
    """Means by minute of `cpu.percent` and `memory.percent`. Begins with what the journal holds."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock
        self._lock = threading.Lock()
        self._series: dict[tuple[Series, str], _Minutes] = defaultdict(_Minutes)
        self._begun = False

    def add(self, facts: Iterable[Fact]) -> None:
        """Adds samples; facts of other kinds, without host or number, are passed over."""
        with self._lock:
            self._begin()
            for fact in facts:
                self._add(fact)

    def points(self, series: Series, host: str) -> list[Json]:
        """The last hour, at most 60 points."""
        with self._lock:
            self._begin()
            found = self._series.get((series, host))
            return [] if found is None else found.points(self._clock.now())

    def _begin(self) -> None:
        if self._begun:
            return
        self._begun = True
        since = self._clock.now() - HOUR
        for _, entry in self._journal.replay(since=since, kinds=KINDS):
            if isinstance(entry, Fact):
                self._add(entry)

    def _add(self, fact: Fact) -> None:
        value = fact.data.get("percent")
        for series in KINDS:
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if fact.kind == series and fact.host is not None and number:
                self._series[series, fact.host].add(fact.at // MINUTE, value or 0)
