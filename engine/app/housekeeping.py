"""What has to be done now and then: pack the journal, let go what has outlived its time."""

from __future__ import annotations

import logging
import threading
from dataclasses import asdict

from engine.core.clock import Clock
from engine.core.values import HOUR
from engine.lang.settings import Retention
from engine.store.store import Store

_log = logging.getLogger(__name__)
_EACH = 60.0


class Housekeeping:
    """One thread: packs each minute, prunes each hour."""

    def __init__(self, store: Store, retention: Retention, clock: Clock) -> None:
        self._store = store
        self._keep = asdict(retention)
        self._clock = clock
        self._pruned = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="housekeeping", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self._stop.wait(_EACH):
            try:
                self._store.journal.compact()
                now = self._clock.now()
                if now - self._pruned >= HOUR:
                    self._store.retention.prune(self._keep, now, self._stop.is_set)
                    self._pruned = now
            except Exception:
                _log.exception("housekeeping goes on after an error")
