"""The guard: policy's word on every run and every destructive step, whoever asks for it.

It puts a `run` request to the rules (LANGUAGE: consulting) and adds what rules cannot widen: the
modes, and in shared content the floor that asks before anything destructive.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from engine.core.clock import Clock
from engine.core.decisions import Ask, Verdict
from engine.core.facts import Fact
from engine.core.ports import Ruling
from engine.core.runs import Run
from engine.core.values import DAY, HOUR
from engine.lang.model import Bundle
from engine.policy.modes import strictest

Consult = Callable[[Fact], Verdict]
_ACTED = frozenset({"running", "waiting", "succeeded", "failed", "unknown"})
_FLOOR = Ask(role="operator", reason="shared content: what cannot be undone is asked about")


class History(Protocol):
    """The runs there have been (`engine.core.ports.RunStore`)."""

    def runs_since(self, playbook: str | None, since: int) -> Sequence[Run]: ...


@dataclass(frozen=True, slots=True)
class PolicyGuard:
    """Judges runs by the rules of the bundle in force (`engine.core.ports.Guard`)."""

    bundle: Callable[[], Bundle]
    consult: Consult
    runs: History
    clock: Clock
    mode: Callable[[], str]
    """`automation.mode` as set for all, the machine's ceiling applied."""
    is_paused: Callable[[], bool]

    def paused(self) -> bool:
        """Whether a person has switched automation off."""
        return self.is_paused()

    def judge(self, run: Run, *, destructive: bool, targets: Sequence[str], step: str) -> Ruling:
        """`step` is `run` for the whole run, else the path of a destructive step."""
        verdict = self.consult(self._request(run, destructive, targets))
        if verdict.refused:
            return Ruling("refuse", verdict.reasons or ("policy refuses it",))
        mode = self._mode_for(run)
        if mode == "observe":
            return Ruling("observe", ("automation only observes",))
        asks = list(verdict.asks)
        if destructive and self.bundle().shared and not asks:
            asks.append(_FLOOR)
        if mode == "approve" and step == "run" and not asks:
            asks.append(Ask(role="operator", reason="automation asks each time", timeout=HOUR))
        return _combined(asks) if asks else Ruling("allow")

    def _mode_for(self, run: Run) -> str:
        playbook = self.bundle().playbooks.get(run.playbook)
        return strictest((self.mode(), run.trigger.mode, playbook.mode if playbook else None))

    def _request(self, run: Run, destructive: bool, targets: Sequence[str]) -> Fact:
        now = self.clock.now()
        playbook = self.bundle().playbooks.get(run.playbook)
        return Fact(
            "run",
            now,
            None,
            {
                "playbook": run.playbook,
                "inputs": dict(run.inputs),
                "labels": dict(playbook.labels) if playbook else {},
                "destructive": destructive,
                "targets": list(targets),
                "trigger": "rule" if run.trigger.rule else "person",
                **self._history(run, now),
            },
        )

    def _history(self, run: Run, now: int) -> dict[str, Any]:
        recent = [r for r in self.runs.runs_since(None, now - HOUR) if r.id != run.id]
        acted = [r for r in recent if r.status in _ACTED]
        hosts = {r.host for r in acted if r.host is not None}
        return {
            "hosts_last_hour": len(hosts),
            "runs_last_hour": sum(r.playbook == run.playbook for r in acted),
            "failures_in_row": self._failures_in_row(run, now),
            "running": sum(r.status in ("running", "waiting") for r in acted),
        }

    def _failures_in_row(self, run: Run, now: int) -> int:
        """Failed runs of the same playbook and host within a day, since one that did not fail."""
        count = 0
        for earlier in reversed(self.runs.runs_since(run.playbook, now - DAY)):
            if earlier.id == run.id or earlier.host != run.host or earlier.status not in _ACTED:
                continue
            if earlier.status in ("running", "waiting"):
                continue
            if earlier.status == "succeeded":
                break
            count += 1
        return count


def _combined(asks: Sequence[Ask]) -> Ruling:
    """Every ask must be granted: one question that satisfies them all, with the strictest terms."""
    timeouts = [ask.timeout for ask in asks if ask.timeout is not None]
    ranks = ("viewer", "operator", "admin")
    return Ruling(
        "ask",
        tuple(dict.fromkeys(ask.reason for ask in asks)),
        role=max((ask.role for ask in asks), key=lambda r: ranks.index(r) if r in ranks else 1),
        count=max(ask.count for ask in asks),
        not_requester=any(ask.not_requester for ask in asks),
        timeout=min(timeouts) if timeouts else None,
        on_timeout="deny" if any(ask.on_timeout == "deny" for ask in asks) else "allow",
    )
