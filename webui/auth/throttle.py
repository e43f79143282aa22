"""Slows guessing down: after a few failures each further one doubles the wait."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from engine.core.clock import Clock
from engine.core.values import HOUR, SECOND

FREE: Final = 5
LONGEST: Final = 15 * 60 * SECOND
MOST_KEYS: Final = 10_000


@dataclass(slots=True)
class _Failures:
    count: int
    last: int


class Throttle:
    """Counts failures by key (a user's name, an address); forgets them after an hour of quiet."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures: OrderedDict[str, _Failures] = OrderedDict()

    def wait(self, *keys: str) -> int:
        """Microseconds until the next try is let through; 0 for now."""
        now = self._clock.now()
        with self._lock:
            return max((self._wait(key, now) for key in keys), default=0)

    def failed(self, *keys: str) -> None:
        """Notes a failure."""
        now = self._clock.now()
        with self._lock:
            for key in keys:
                known = self._failures.get(key)
                count = known.count + 1 if known and now - known.last < HOUR else 1
                self._failures[key] = _Failures(count, now)
                self._failures.move_to_end(key)
            while len(self._failures) > MOST_KEYS:
                self._failures.popitem(last=False)

    def succeeded(self, *keys: str) -> None:
        """Forgets the failures of these keys."""
        with self._lock:
            for key in keys:
                self._failures.pop(key, None)

    def _wait(self, key: str, now: int) -> int:
        known = self._failures.get(key)
        if known is None or known.count < FREE or now - known.last >= HOUR:
            return 0
        # The exponent is bounded before it is used: a patient attacker must not make it huge.
        pause = min(SECOND << min(known.count - FREE, 20), LONGEST)
        return max(0, known.last + pause - now)
