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
    """Raises `Refusal` while the pause file exists, or where that cannot be told: without the
    folder that would hold it, too."""
    try:
        folder = os.open(os.path.dirname(path), os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise Refusal(f"whether automation is paused cannot be told: {error.strerror}") from None
    try:
        os.stat(os.path.basename(path), dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return
    except OSError as error:
        raise Refusal(f"whether automation is paused cannot be told: {error.strerror}") from None
    finally:
        os.close(folder)
    raise Refusal("automation is paused")
