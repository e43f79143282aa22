"""What is done with decisions: recorded with what they start, told, and handed on.

Everything a batch decides is written in one transaction, runs into an outbox with it; only then
is anything started or told. So a crash loses nothing, and what is dispatched again is known.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Protocol

from engine.core.decisions import Decision
from engine.core.ports import Publish
from engine.core.runs import Run, Trigger
from engine.lang.model import Bundle, Rule
from engine.store.decisions import Decisions, StoredDecision

_log = logging.getLogger(__name__)
_NOT_DONE = frozenset({"failed", "refused", "unknown"})
Tell = Callable[[str, str], None]


class Starter(Protocol):
    """Whoever runs playbooks: takes a run durably, once; the same id again does nothing."""

    def start(self, run: Run) -> Run: ...


def run_id(firing: str, place: int) -> str:
    """A run started by a decision is named by its firing and the decision's place."""
    return "r_" + blake2b(f"{firing}/{place}".encode(), digest_size=6).hexdigest()


@dataclass(slots=True)
class Dispatcher:
    """Takes the engine's decisions, on the engine's thread."""

    decisions: Decisions
    bundle: Callable[[], Bundle]
    publish: Publish
    tell: Tell
    starter: Starter | None = None
    """None until runs can be started (at start-up, decisions of a replay wait in the outbox)."""

    def handle(self, decisions: Sequence[Decision], *, now: int) -> None:
        """Records and carries out what was decided at one instant (microseconds)."""
        if not decisions:
            return
        bundle = self.bundle()
        rules = {rule.id: rule for rule in bundle.rules}
        runs = [
            _run_of(decision, rules.get(f"{decision.ruleset}/{decision.rule}"), bundle.commit, now)
            for decision in decisions
            if decision.decision == "run"
        ]
        recorded = self.decisions.record(decisions, commit=bundle.commit, arrived=now, runs=runs)
        self.send_runs()
        for stored in recorded.decisions:
            self.publish("decision", stored)
            self._tell_of(stored)
        for alert in recorded.alerts:
            self.publish("alert", alert)

    def send_runs(self) -> None:
        """Hands what waits in the outbox to the playbook engine."""
        if self.starter is None:
            return
        for run in self.decisions.unsent():
            self.starter.start(run)
            self.decisions.sent(run.id)

    def tell_of_failure(self, run: Run) -> None:
        """Tells the alerts of a run's firing that were to be told only if the run does not
        succeed (`tell: on_failure`), once it has not."""
        if run.trigger.firing is None or run.status not in _NOT_DONE:
            return
        latest = {
            stored.decision.place: stored.decision
            for stored in self.decisions.of_firing(run.trigger.firing)
            if stored.decision.decision == "alert"
        }
        for decision in latest.values():
            if decision.data.get("tell") == "on_failure":
                self._tell_alert(decision.data)

    def _tell_alert(self, data: Mapping[str, Any]) -> None:
        self.tell("alerts", f"{data['severity']}: {data['text']}")

    def _tell_of(self, stored: StoredDecision) -> None:
        decision, data = stored.decision, stored.decision.data
        if decision.decision == "notify":
            self.tell(str(data["to"]), str(data["text"]))
        elif decision.decision == "alert" and data.get("tell") == "always":
            self._tell_alert(data)


def _run_of(decision: Decision, rule: Rule | None, commit: str, now: int) -> Run:
    """The run that a `run` decision asks for."""
    host = decision.key.get("host")
    return Run(
        id=run_id(decision.firing, decision.place),
        playbook=str(decision.data["playbook"]),
        status="queued",
        inputs=_inputs(decision.data),
        trigger=_trigger(decision, rule),
        commit=commit,
        host=host if isinstance(host, str) else _host_of_facts(decision),
        created=now,
    )


def _inputs(data: Mapping[str, Any]) -> Mapping[str, Any]:
    given = data.get("with")
    return dict(given) if isinstance(given, Mapping) else {}


def _trigger(decision: Decision, rule: Rule | None) -> Trigger:
    because = tuple(reason.to_json() for reason in decision.because)
    fact = next((reason.fact for reason in decision.because if reason.fact is not None), None)
    name = f"{decision.ruleset}/{decision.rule}"
    return Trigger(
        rule=name,
        firing=decision.firing,
        place=decision.place,
        key=dict(decision.key),
        fact=None if fact is None else fact.to_json(),
        because=because,
        severity=rule.severity if rule else "warning",
        mode=decision.mode,
        resolves=rule is not None and rule.kind_mode == "state",
        requester=f"rule:{name}",
    )


def _host_of_facts(decision: Decision) -> str | None:
    """A key without a host (through `by`) still acts where its first fact was seen."""
    hosts = [reason.fact.host for reason in decision.because if reason.fact is not None]
    return next((host for host in hosts if host is not None), None)
