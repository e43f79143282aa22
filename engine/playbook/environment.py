"""All that a run touches, handed in by the composition root."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any, Protocol

from engine.core.clock import Clock, SystemClock
from engine.core.decisions import Decision
from engine.core.facts import Catalogue
from engine.core.ports import ActionType, Guard, Hands, Observer, Publish, RunStore
from engine.core.values import MINUTE, SECOND, Json
from engine.lang.expression.calendars import time_scope
from engine.lang.model import Playbook


class Plans(Protocol):
    """Content as runs need it. A run keeps what these said when it was accepted."""

    def source(self, commit: str, playbook: str) -> str:
        """A playbook's text as it stands in a commit. Error: `NotFound`."""
        ...

    def parse(self, playbook: str, source: str) -> Playbook:
        """That text as a playbook. Error: `LangError`."""
        ...

    def labels(self, host: str | None) -> Mapping[str, str]: ...
    def vars(self, host: str | None) -> Mapping[str, Json]: ...


class StepMemory(Protocol):
    """Remembers what a run has done: `act` is done once, later calls give what it gave."""

    def __call__(self, name: str, act: Callable[[], Json]) -> Json: ...


class Interrupted(BaseException):
    """Wakil stops: the run is left as it stands, to go on at the next start.

    Not an `Exception`, so that nothing on its way out takes it for a failure and records it.
    """


class Signals:
    """Wakes what waits: an approval was answered, a run ended, the pause ended, Wakil stops."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._stopping = False
        self._abandoning = False
        self._wakes = 0

    @property
    def wakes(self) -> int:
        """How often something woke; read it before looking, so that nothing is missed after."""
        return self._wakes

    def wake(self) -> None:
        with self._condition:
            self._wakes += 1
            self._condition.notify_all()

    def stop(self) -> None:
        """Nothing new begins; waiting ends."""
        with self._condition:
            self._stopping = True
            self._condition.notify_all()

    def abandon(self) -> None:
        """Even what acts is left alone now."""
        with self._condition:
            self._stopping = self._abandoning = True
            self._condition.notify_all()

    @property
    def abandoning(self) -> bool:
        return self._abandoning

    def check(self) -> None:
        """Raises `Interrupted` once Wakil stops."""
        if self._stopping:
            raise Interrupted

    def sleep(self, microseconds: int, seen: int | None = None) -> None:
        """Waits so long, or until something wakes it (or has since `wakes` was `seen`). Raises
        `Interrupted` once Wakil stops."""
        self.check()
        with self._condition:
            if not self._stopping and seen in (None, self._wakes):
                self._condition.wait(max(microseconds, 0) / SECOND)
        self.check()


@dataclass(frozen=True)
class Environment:
    """What runs are given. `host` is the local host's name: where a run without one acts."""

    plans: Plans
    store: RunStore
    guard: Guard
    observer: Observer
    actions: Mapping[str, ActionType]
    hands: Hands
    host: str
    clock: Clock = field(default_factory=SystemClock)
    publish: Publish = lambda topic, payload: None
    notify: Callable[[str, str], None] = lambda to, text: None
    alert: Callable[[Decision], None] = lambda decision: None
    kinds: Callable[[], Catalogue] = dict
    moment: Callable[[int], Mapping[str, Any]] = lambda at: time_scope(at, UTC, {})
    """What `time` and `during` read at an instant: the content's timezone and calendars."""
    services: Callable[[], Mapping[str, Mapping[str, Any]]] = dict
    step_timeout: int = 60 * MINUTE
    """Of an attempt whose step names none."""
    verify_within: int = 5 * MINUTE
    """How long a state rule's firing may take to resolve where the playbook verifies nothing."""
    poll: int = SECOND
    """First interval at which waiting looks again; it grows to ten times as much."""
    keep: int = 5 * SECOND
    """How often what is held, and what DBOS gave up, is looked at."""
    grace: int = 2 * SECOND
    """What an action is given beyond its deadline to come back by itself."""
    signals: Signals = field(default_factory=Signals)

    def out_of_reach(self, host: str | None, playbook: Playbook) -> str | None:
        """Why a run for this host cannot act: its hands are elsewhere. None where it can.

        Acting here instead would change the wrong machine.
        """
        if host is None or host == self.host:
            return None
        steps = (*playbook.steps, *playbook.on_failure, *playbook.always)
        for step in steps:
            action = self.actions.get(step.uses or "")
            if action is not None and not action.anywhere:
                return (
                    f"{playbook.name} is for {host}, which has no hands here: "
                    f"this Wakil acts on {self.host} only"
                )
        return None
