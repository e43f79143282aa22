"""The one switch: automation paused or not, kept in the store and before the hands."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeGuard

from sqlalchemy.exc import SQLAlchemyError

from engine.core.clock import Clock
from engine.core.errors import StoreError
from engine.core.values import Json
from engine.store.store import Store

_log = logging.getLogger(__name__)
_KEY: Final = "pause"
_ABSENT: Final[list[Json]] = []


def _is_state(found: object) -> TypeGuard[dict[str, Any]]:
    if not isinstance(found, dict) or found.keys() != {"by", "at", "reason"}:
        return False
    return type(found["at"]) is int and all(isinstance(found[k], str) for k in ("by", "reason"))


class Switch:
    """Paused means that nothing new begins. Whoever cannot tell takes it as paused."""

    def __init__(self, store: Store, data: Path, clock: Clock) -> None:
        self._store = store
        self._flag = data / "paused"
        self._clock = clock
        self.on_resume: Callable[[], None] = lambda: None

    def state(self) -> dict[str, Any] | None:
        """`{by, at, reason}` where paused, None where not."""
        try:
            found = self._store.settings.get(_KEY, _ABSENT)
            stands = self._flag_stands()
        except (StoreError, SQLAlchemyError, OSError) as error:
            _log.error("the pause switch cannot be read, so automation counts as paused: %s", error)
            return {"by": "wakil", "at": self._clock.now(), "reason": "the switch cannot be read"}
        if _is_state(found):
            return found
        if found is not _ABSENT:  # a damaged row is no leave to act
            return {"by": "wakil", "at": self._clock.now(), "reason": "the switch is damaged"}
        if stands:
            return {"by": "machine", "at": None, "reason": f"{self._flag} exists"}
        return None

    def _flag_stands(self) -> bool:
        """Whether the file is there, a link to nowhere too. Raises OSError where that cannot be
        told: without its folder as well."""
        try:
            self._flag.lstat()
        except FileNotFoundError:
            self._flag.parent.lstat()
            return False
        return True

    def paused(self) -> bool:
        return self.state() is not None

    def pause(self, by: str, reason: str) -> None:
        """The hands first: they refuse from the next order on."""
        self._flag.touch(mode=0o600)
        self._store.settings.set(_KEY, {"by": by, "at": self._clock.now(), "reason": reason})

    def resume(self) -> None:
        self._store.settings.remove(_KEY)
        self._flag.unlink(missing_ok=True)
        self.on_resume()
