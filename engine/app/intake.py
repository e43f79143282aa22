"""The one thread on which the engine lives: facts in, deadlines, questions, reloads.

Facts are journalled before they are judged, so what was acknowledged is on disk. The engine's
state is saved every few seconds; after a crash the journal's end is judged again, and what was
decided from it before is recognised by its firing.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from engine.core.clock import Clock
from engine.core.decisions import Decision, Verdict
from engine.core.facts import Fact
from engine.core.values import SECOND
from engine.policy.dispatch import Dispatcher
from engine.rules.engine import Engine
from engine.store.snapshots import Snapshot
from engine.store.store import Store

_log = logging.getLogger(__name__)
Answer = TypeVar("Answer")
SNAPSHOT_NAME: Final = "engine"
SNAPSHOT_VERSION: Final = 1
SNAPSHOT_EVERY: Final = 10 * SECOND
_BATCH: Final = 2_000


@dataclass(slots=True)
class _Facts:
    facts: Sequence[Fact]
    done: Future[None]


@dataclass(slots=True)
class _Call:
    function: Callable[[], Any]
    done: Future[Any]


class Intake:
    """Runs the engine on a thread of its own; every method may be called from any thread."""

    def __init__(
        self, engine: Engine, store: Store, dispatcher: Dispatcher, clock: Clock, position: int
    ) -> None:
        self.engine = engine
        self._store = store
        self._dispatcher = dispatcher
        self._clock = clock
        self._position = position
        self._saved_at = clock.now()
        self._dirty = False
        self._last_fact: int | None = None
        self._undelivered: list[Decision] = []
        self.hosts_seen: dict[str, int] = {}
        """Every host that reported, with when its last fact arrived."""
        self.on_new_host: Callable[[str], None] = lambda host: None
        """Called on the engine's thread with each host that reports for the first time."""
        self._queue: queue.SimpleQueue[_Facts | _Call | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Judges what is queued, saves the engine's state, and ends the thread."""
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join(timeout=10)

    def submit(self, facts: Sequence[Fact]) -> Future[None]:
        """Queues facts; the future is done when they are on disk and judged."""
        item = _Facts(facts, Future())
        self._queue.put(item)
        return item.done

    def call(self, function: Callable[[], Answer]) -> Answer:
        """Runs `function` between two facts and returns what it returns, or raises what it does."""
        if threading.current_thread() is self._thread:
            return function()
        item = _Call(function, Future())
        self._queue.put(item)
        answer: Answer = item.done.result(timeout=30)
        return answer

    def handle(self, decisions: Sequence[Decision]) -> None:
        """Dispatches decisions made inside a `call` (a reload's)."""
        self._dispatch(decisions)

    def save(self) -> None:
        """Saves the engine's state; only on the engine's thread. What is undelivered waits: the
        journal's end will be judged again after a crash."""
        if self._undelivered:
            return
        now = self._clock.now()
        state = self.engine.snapshot()
        self._store.snapshots.save(
            SNAPSHOT_NAME, Snapshot(SNAPSHOT_VERSION, self._position, now, state)
        )
        self._saved_at, self._dirty = now, False

    def consult(self, request: Fact) -> Verdict:
        """Puts a request to the rules; the verdict is recorded."""

        def ask() -> Verdict:
            verdict = self.engine.consult(request)
            self._dispatch(verdict.decisions)
            return verdict

        return self.call(ask)

    @property
    def alive(self) -> bool:
        """Whether facts are being judged."""
        return self._thread.is_alive()

    @property
    def last_fact(self) -> int | None:
        """When the last fact arrived, microseconds UTC."""
        return self._last_fact

    # ── on the engine's thread ────────────────────────────────────────────────────────────────

    def _run(self) -> None:
        stopping = False
        while not stopping:
            batch, stopping = self._next_batch()
            facts = [item for item in batch if isinstance(item, _Facts)]
            try:
                self._judge(facts)
            except Exception as error:
                _log.exception("facts could not be judged")
                for item in facts:
                    if not item.done.done():
                        item.done.set_exception(error)
            for call in batch:
                if isinstance(call, _Call):
                    self._answer(call)
            self._guarded(self._tick)
            if self._dirty and self._clock.now() - self._saved_at >= SNAPSHOT_EVERY:
                self._guarded(self.save)
        self._guarded(self.save)

    def _next_batch(self) -> tuple[list[_Facts | _Call], bool]:
        """What has come by now, at most up to the first call; waits until the next deadline."""
        batch: list[_Facts | _Call] = []
        count, patience = 0, self._patience()
        while count < _BATCH:
            try:
                item = self._queue.get(timeout=patience) if not batch else self._queue.get_nowait()
            except queue.Empty:
                break
            if item is None:
                return batch, True
            batch.append(item)
            if isinstance(item, _Call):
                break
            count += len(item.facts)
        return batch, False

    def _patience(self) -> float:
        deadline = self.engine.next_deadline()
        if deadline is None:
            return 1.0
        return min(1.0, max(0.0, (deadline - self._clock.now()) / SECOND))

    def _judge(self, items: Sequence[_Facts]) -> None:
        facts = [fact for item in items for fact in item.facts]
        if not facts:
            return
        now = self._clock.now()
        for fact in facts:
            fact.arrived = now
        position = self._store.journal.append(facts)
        decisions: list[Decision] = []
        for fact in facts:
            decisions.extend(self.engine.feed(fact, now))
            if fact.host is not None and not _says_silent(fact):
                arrived = fact.host not in self.hosts_seen
                self.hosts_seen[fact.host] = now
                if arrived:
                    self.on_new_host(fact.host)
        self._position, self._last_fact, self._dirty = position, now, True
        self._guarded(lambda: self._dispatch(decisions))
        for item in items:
            item.done.set_result(None)

    def _tick(self) -> None:
        now = self._clock.now()
        deadline = self.engine.next_deadline()
        if deadline is not None and deadline <= now:
            self._dirty = True
            self._dispatch(self.engine.tick(now))
        elif self._undelivered:
            self._dispatch(())

    def _dispatch(self, decisions: Sequence[Decision]) -> None:
        """What cannot be recorded now (a locked database) is kept and tried again."""
        self._undelivered.extend(decisions)
        if self._undelivered:
            self._dirty = True
            self._dispatcher.handle(self._undelivered, now=self._clock.now())
            self._undelivered.clear()

    def _answer(self, item: _Call) -> None:
        try:
            item.done.set_result(item.function())
        except BaseException as error:
            item.done.set_exception(error)

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception:
            _log.exception("the engine's thread goes on after an error")


def _says_silent(fact: Fact) -> bool:
    """Whether it says of a host that it does not report: no word of the host itself."""
    return fact.kind == "agent" and fact.data.get("state") == "silent"
