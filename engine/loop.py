"""The loop: runs every agent on its own interval, wakes at deadlines, keeps schedules.

The only file that imports APScheduler. An agent that raises, or hangs, is marked failed, backs
off and recovers; it never stops the loop nor another agent.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from apscheduler.executors.pool import BasePoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

from engine.core.agents import AgentStatus
from engine.core.clock import Clock, SystemClock
from engine.core.cron import next_due
from engine.core.errors import NotFound
from engine.core.ports import Agent, Collection
from engine.core.threads import DaemonThreads
from engine.core.values import MINUTE, SECOND

__all__ = ["AgentStatus", "Loop"]
_log = logging.getLogger(__name__)
_JITTER = 0.1
_HANG_FACTOR = 10
_LONGEST_BACKOFF = 5 * MINUTE


class _Threads(BasePoolExecutor):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__(DaemonThreads())


class _Slot:
    """One agent's place in the loop."""

    def __init__(self, status: AgentStatus, build: Callable[[], Agent]) -> None:
        self.status = status
        self.build = build
        self.agent: Agent | None = None
        self.collecting = threading.Lock()
        """Held while it collects: never twice at once."""
        self.begun: float | None = None
        """When the collection under way began (monotonic seconds)."""
        self.hung = False
        self.life = 0
        """Goes up with each start and stop: what an earlier life brings in late is dropped."""

    @property
    def job(self) -> str:
        """Its timer's id: another in each life, so that one which hangs blocks no later one."""
        return f"agent/{self.status.id}/{self.life}"


class Loop:
    """Runs agents and timers on threads of its own; safe to call from any thread.

    `post(agent, collection)` is called on the agent's thread for each collection; `on_state`
    with an agent's status whenever its state changes.
    """

    def __init__(
        self,
        post: Callable[[str, Collection], None],
        on_state: Callable[[AgentStatus], None] = lambda status: None,
        clock: Clock | None = None,
        hang_after: int = MINUTE,
    ) -> None:
        self._post = post
        self._on_state = on_state
        self._clock = clock or SystemClock()
        self._hang_after = hang_after
        self._lock = threading.RLock()
        self._slots: dict[str, _Slot] = {}
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": _Threads(), "timers": _Threads()},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    # ── life ──────────────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        """Begins to run what was added, and what will be."""
        self._scheduler.start()
        self._scheduler.add_job(
            self._watch, IntervalTrigger(seconds=1), id="watchdog", executor="timers"
        )

    def stop(self) -> None:
        """Ends all timers; a collection under way is not waited for, and what it brings dropped."""
        with self._lock:
            for slot in self._slots.values():
                self._halt(slot)
        if self._scheduler.running:
            self._scheduler.pause()
            self._scheduler.get_jobs()  # waits for a round under way, which a stop would break
            self._scheduler.shutdown(wait=False)

    def add(
        self,
        agent: str,
        build: Callable[[], Agent],
        facts: Iterable[str],
        every: int,
        *,
        enabled: bool = True,
    ) -> None:
        """Adds an agent, or replaces the one of that id; started at once where `enabled`.

        `build` makes it; what that raises counts as a failed collection.
        """
        with self._lock:
            if agent in self._slots:
                self.remove(agent)
            status = AgentStatus(agent, "stopped", every, tuple(facts))
            self._slots[agent] = _Slot(status, build)
            if enabled:
                self.start_agent(agent)
            else:
                self._on_state(status)

    def remove(self, agent: str) -> None:
        """Takes an agent out of the loop."""
        with self._lock:
            slot = self._slot(agent)
            self._halt(slot)
            del self._slots[agent]

    # ── agents ────────────────────────────────────────────────────────────────────────────────

    def start_agent(self, agent: str) -> None:
        """Starts it anew, failures forgotten; raises `NotFound`."""
        with self._lock:
            slot = self._slot(agent)
            self._halt(slot)
            self._report(slot, replace(slot.status, state="running", failures=0, last_error=None))
            self._schedule(slot, self._clock.now())

    def stop_agent(self, agent: str) -> None:
        """Lets it rest until it is started; raises `NotFound`."""
        with self._lock:
            slot = self._slot(agent)
            self._halt(slot)
            self._report(slot, replace(slot.status, state="stopped", next_collect=None))

    def restart_agent(self, agent: str) -> None:
        """Builds it again, so that new settings hold; raises `NotFound`."""
        self.start_agent(agent)

    def status(self) -> tuple[AgentStatus, ...]:
        """Every agent's, in the order of adding."""
        with self._lock:
            return tuple(slot.status for slot in self._slots.values())

    def status_of(self, agent: str) -> AgentStatus:
        """One agent's; raises `NotFound`."""
        with self._lock:
            return self._slot(agent).status

    def collect_now(self, kinds: Sequence[str], timeout: int = 30 * SECOND) -> None:
        """Has the running agents that post these kinds collect, all at once; returns when they
        have, or have failed, or after `timeout` (microseconds)."""
        with self._lock:
            wanted = set(kinds)
            awake = [slot for slot in self._slots.values() if slot.status.state != "stopped"]
            slots = [slot for slot in awake if wanted & set(slot.status.facts)]
        threads = [
            threading.Thread(target=self._collect, args=(slot, True), daemon=True) for slot in slots
        ]
        for thread in threads:
            thread.start()
        until = time.monotonic() + timeout / SECOND
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))

    # ── timers ────────────────────────────────────────────────────────────────────────────────

    def wake_at(self, instant: int | None, callback: Callable[[], None], key: str) -> None:
        """Calls back at an instant (microseconds UTC), at once where it has passed. A `key` has
        one timer: a later call replaces it, None takes it away."""
        if instant is None:
            self._unschedule(f"wake/{key}")
            return
        self._scheduler.add_job(
            callback,
            DateTrigger(_moment(instant)),
            id=f"wake/{key}",
            replace_existing=True,
            max_instances=64,
            executor="timers",
        )

    def set_schedules(
        self,
        schedules: Iterable[tuple[str, str]],
        timezone: str,
        callback: Callable[[str, int], None],
    ) -> None:
        """Keeps these (name, cron line) and no others: `callback(name, due)` at each due time.

        Raises ValueError where a line is not one of crontab(5).
        """
        lines = dict(schedules)
        now = self._clock.now()
        due = {name: next_due(line, now, timezone) for name, line in lines.items()}
        for job in self._scheduler.get_jobs():
            if job.id.startswith("wake/schedule/"):
                self._unschedule(job.id)
        for name, line in lines.items():
            self._await_schedule(name, line, due[name], timezone, callback)

    def _await_schedule(
        self, name: str, line: str, due: int, zone: str, callback: Callable[[str, int], None]
    ) -> None:
        def ring() -> None:
            self._await_schedule(name, line, next_due(line, due, zone), zone, callback)
            callback(name, due)

        self.wake_at(due, ring, f"schedule/{name}")

    # ── within ────────────────────────────────────────────────────────────────────────────────

    def _slot(self, agent: str) -> _Slot:
        if agent not in self._slots:
            raise NotFound(f"there is no agent {agent!r}")
        return self._slots[agent]

    def _halt(self, slot: _Slot) -> None:
        self._unschedule(slot.job)
        slot.life += 1
        if slot.begun is None:  # else its own thread lets it go
            _let_go(slot.agent)
        slot.agent, slot.hung, slot.begun = None, False, None
        slot.collecting = threading.Lock()

    def _schedule(self, slot: _Slot, first: int) -> None:
        """On its interval from `first`, a little early or late, so that not all wake at once."""
        seconds = slot.status.every / SECOND
        self._scheduler.add_job(
            self._collect,
            IntervalTrigger(seconds=seconds, jitter=seconds * _JITTER),
            args=[slot],
            id=slot.job,
            next_run_time=_moment(first),
            replace_existing=True,
        )
        slot.status = replace(slot.status, next_collect=first)

    def _unschedule(self, job: str) -> None:
        try:
            self._scheduler.remove_job(job)
        except JobLookupError:
            return

    def _collect(self, slot: _Slot, at_once: bool = False) -> None:
        """One collection; one under way is waited for only where it is asked for at once."""
        life, collecting = slot.life, slot.collecting
        if not collecting.acquire(blocking=at_once):
            return
        agent = slot.agent
        try:
            if life != slot.life:
                return
            slot.begun = time.monotonic()
            try:
                if agent is None:
                    agent = slot.agent = slot.build()
                found = agent.collect()
                if life == slot.life:
                    self._post(slot.status.id, found)
            except Exception as error:  # whatever an agent raises is its failure
                self._failed(slot, life, error)
            else:
                self._succeeded(slot, life)
        finally:
            if life == slot.life:
                slot.begun = None
            if slot.agent is not agent:
                _let_go(agent)
            collecting.release()

    def _succeeded(self, slot: _Slot, life: int) -> None:
        with self._lock:
            if life != slot.life:
                return
            slot.hung = False
            now = self._clock.now()
            failed = slot.status.failures
            slot.status = replace(
                slot.status, last_collect=now, next_collect=now + slot.status.every
            )
            if failed:
                self._schedule(slot, now + slot.status.every)
            self._report(slot, replace(slot.status, state="running", failures=0, last_error=None))

    def _failed(self, slot: _Slot, life: int, error: Exception) -> None:
        """Marks it failed and lets it rest: its interval, doubled with each failure."""
        with self._lock:
            if life != slot.life:
                return
            text = f"{type(error).__name__}: {error}"[:500]
            _log.warning("agent %s failed: %s", slot.status.id, text)
            slot.agent = None  # built anew from what it remembers, whatever state it was left in
            failures = slot.status.failures + 1
            pause = min(slot.status.every * 2 ** min(failures, 20), _LONGEST_BACKOFF)
            self._schedule(slot, self._clock.now() + max(pause, slot.status.every))
            self._report(
                slot, replace(slot.status, state="failed", failures=failures, last_error=text)
            )

    def _watch(self) -> None:
        """Marks as failed whoever has been at one collection for too long."""
        with self._lock:
            for slot in self._slots.values():
                allowed = max(_HANG_FACTOR * slot.status.every, self._hang_after) / SECOND
                if slot.begun is None or slot.hung or time.monotonic() - slot.begun < allowed:
                    continue
                slot.hung = True
                text = f"a collection has been hanging for more than {allowed:g} s"
                _log.warning("agent %s failed: %s", slot.status.id, text)
                failures = slot.status.failures + 1
                self._report(
                    slot, replace(slot.status, state="failed", failures=failures, last_error=text)
                )

    def _report(self, slot: _Slot, status: AgentStatus) -> None:
        before, slot.status = slot.status.state, status
        if before != status.state:
            self._on_state(status)


def _let_go(agent: Agent | None) -> None:
    """Has an agent that holds files close them."""
    if (close := getattr(agent, "close", None)) is not None:
        close()


def _moment(instant: int) -> datetime:
    seconds, microseconds = divmod(instant, SECOND)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=microseconds)
