"""How often, and whether at all: the two brakes that hold whatever the server believes."""

from __future__ import annotations

import os
from collections import deque
from fnmatch import fnmatchcase

from engine.act.hand.protocol import Refusal


class Rates:
    """Sliding windows of acts by pattern of verbs, kept by the hands alone."""

    def __init__(self) -> None:
        self._acts: dict[str, deque[float]] = {}

    def take(self, limits: dict[str, tuple[int, int]], verb: str, now: float) -> None:
        """Counts one act at `now` (seconds); raises `Refusal` where a limit is reached."""
        fitting = [pattern for pattern in limits if fnmatchcase(verb, pattern)]
        for pattern in fitting:
            most, seconds = limits[pattern]
            acts = self._acts.setdefault(pattern, deque())
            while acts and acts[0] <= now - seconds:
                acts.popleft()
            if len(acts) >= most:
                raise Refusal(f"{pattern} is limited to {most} acts in {seconds} s")
        for pattern in fitting:
            self._acts[pattern].append(now)


def check_pause(path: str) -> None:
    """Raises `Refusal` while the pause file exists, or where that cannot be told."""
    try:
        os.lstat(path)
    except FileNotFoundError:
        return
    except OSError as error:
        raise Refusal(f"whether automation is paused cannot be told: {error.strerror}") from None
    raise Refusal("automation is paused")
