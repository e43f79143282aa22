"""Hosts that hosts.yaml expects: silent until they report for the first time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from engine.app.intake import Intake
from engine.core.clock import Clock
from engine.core.facts import Fact
from engine.lang.model import Bundle

_ID: Final = "host"
"""The agent that stands for a whole host."""


class ExpectedHosts:
    """Keeps the `agent` facts of hosts that should report and have not."""

    def __init__(self, intake: Intake, clock: Clock, host: str) -> None:
        self._intake = intake
        self._clock = clock
        self._host = host
        intake.on_new_host = self._arrived

    def take_up(self, bundle: Bundle) -> None:
        """Says which hosts are silent under this content; takes back what is not expected now."""
        expected = {entry.name for entry in bundle.hosts if entry.expected and entry.name}
        facts = self._intake.call(lambda: list(self._changes(expected - {self._host})))
        if facts:
            self._intake.submit(facts)

    def _changes(self, expected: set[str]) -> Iterator[Fact]:
        """On the engine's thread."""
        engine = self._intake.engine
        for name in sorted(expected):
            if name not in self._intake.hosts_seen and not engine.facts(host=name):
                yield self._fact(name, "silent")
        for fact in engine.facts("agent"):
            if _is_silent(fact) and fact.host not in expected:
                yield Fact("agent", self._clock.now(), fact.host, {"id": _ID}, gone=True)

    def _arrived(self, host: str) -> None:
        """The first fact of a host in this process; on the engine's thread."""
        if any(map(_is_silent, self._intake.engine.facts("agent", host))):
            self._intake.submit([self._fact(host, "running")])

    def _fact(self, host: str, state: str) -> Fact:
        return Fact("agent", self._clock.now(), host, {"id": _ID, "state": state})


def _is_silent(fact: Fact) -> bool:
    return fact.data.get("id") == _ID and fact.data.get("state") == "silent"
