"""The one switch: automation paused or not, kept in the store and before the hands."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from sqlalchemy.exc import SQLAlchemyError

from engine.core.clock import Clock
from engine.core.errors import StoreError
from engine.store.store import Store

_log = logging.getLogger(__name__)
_KEY: Final = "pause"


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
            found = self._store.settings.get(_KEY)
        except (StoreError, SQLAlchemyError) as error:
            _log.error("the pause switch cannot be read, so automation counts as paused: %s", error)
            return {"by": "wakil", "at": self._clock.now(), "reason": "the switch cannot be read"}
        if isinstance(found, dict):
            return found
        if self._flag.exists():
            return {"by": "machine", "at": None, "reason": f"{self._flag} exists"}
        return None

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
