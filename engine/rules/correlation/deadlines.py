"""When something must be looked at again: a heap of instants, stale entries left in it.

An entry is valid while its owner still names it; owners never search the heap. Two phases share
an instant: what is due at it comes before its facts, what lapses after it (a window that includes
both its ends, staleness) comes after them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import Any, Final, Protocol

BEFORE: Final = 0
AFTER: Final = 1
_SMALL: Final = 4096


class Owner(Protocol):
    """Whatever waits for a deadline: `due` names the valid entry's number, 0 for none."""

    due: int


@dataclass(frozen=True, slots=True)
class Deadline:
    """One entry: `order` is the rule's place among all rules."""

    at: int
    phase: int
    order: int
    number: int
    runtime: Any
    owner: Any


class Deadlines:
    """All deadlines of one engine, soonest first; of one instant in the order of the rules."""

    def __init__(self) -> None:
        self.heap: list[tuple[int, int, int, int, Any, Any]] = []
        self._number = 0
        self._sweep_at = _SMALL

    def set(self, at: int, phase: int, order: int, runtime: Any, owner: Owner) -> None:
        """Makes `at` the only deadline of `owner`."""
        self._number += 1
        owner.due = self._number
        heappush(self.heap, (at, phase, order, self._number, runtime, owner))
        if len(self.heap) > self._sweep_at:
            self._sweep()

    def clear(self, owner: Owner) -> None:
        """Whatever `owner` waited for is over."""
        owner.due = 0

    def next(self) -> int | None:
        """The instant of the soonest valid entry."""
        heap = self.heap
        while heap and heap[0][5].due != heap[0][3]:
            heappop(heap)
        return heap[0][0] if heap else None

    def pop(self, at: int, phase: int) -> tuple[int, int, Any, Any] | None:
        """Takes the next valid entry not later than (at, phase): at, phase, runtime, owner."""
        heap = self.heap
        while heap:
            first = heap[0]
            if first[5].due != first[3]:
                heappop(heap)
                continue
            if (first[0], first[1]) > (at, phase):
                return None
            heappop(heap)
            first[5].due = 0
            return first[0], first[1], first[4], first[5]
        return None

    def alive(self) -> Iterator[Deadline]:
        """Valid entries, soonest first."""
        for entry in sorted(self.heap, key=lambda e: e[:4]):
            if entry[5].due == entry[3]:
                yield Deadline(*entry)

    def _sweep(self) -> None:
        """Drops what nobody names any more, when it has come to outweigh the rest."""
        self.heap = [entry for entry in self.heap if entry[5].due == entry[3]]
        heapify(self.heap)
        self._sweep_at = max(_SMALL, 4 * len(self.heap))
