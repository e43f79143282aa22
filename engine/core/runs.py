"""Runs of playbooks as records: what everyone above the store passes around."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from engine.core.values import Json, format_instant

RunStatus = Literal[
    "queued", "running", "waiting", "observed", "succeeded", "failed", "refused", "unknown"
]
ENDED: frozenset[str] = frozenset({"observed", "succeeded", "failed", "refused", "unknown"})
StepStatus = Literal[
    "running", "waiting", "succeeded", "failed", "skipped", "rolled_back", "unknown"
]
Phase = Literal["guard", "steps", "verify", "rollback", "on_failure", "always"]


@dataclass(frozen=True, slots=True)
class Trigger:
    """What started a run: a rule's firing, or a person."""

    rule: str | None = None
    """`ruleset/rule`."""
    firing: str | None = None
    place: int = -1
    key: Mapping[str, Json] = field(default_factory=dict)
    fact: Mapping[str, Any] | None = None
    because: tuple[Mapping[str, Any], ...] = ()
    severity: str = "warning"
    mode: str | None = None
    """The rule's `mode`."""
    resolves: bool = False
    """The firing belongs to a state rule, so that it can resolve."""
    requester: str = ""
    """`rule:SET/RULE` or `user:NAME`."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step's record in a run; times in microseconds UTC."""

    run: str
    path: str
    """Where in the playbook: `steps.0`, `on_failure.1`, `steps.2.rollback`, `verify`, `guard`."""
    name: str
    phase: Phase
    status: StepStatus
    uses: str = ""
    attempt: int = 1
    started: int = 0
    ended: int | None = None
    inputs: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)
    error: str | None = None
    log: str = ""

    def to_json(self) -> dict[str, Json]:
        return {
            "path": self.path,
            "name": self.name,
            "phase": self.phase,
            "status": self.status,
            "uses": self.uses,
            "attempt": self.attempt,
            "started": format_instant(self.started),
            "ended": None if self.ended is None else format_instant(self.ended),
            "inputs": dict(self.inputs),
            "outputs": dict(self.outputs),
            "error": self.error,
            "log": self.log,
        }


@dataclass(frozen=True, slots=True)
class Run:
    """One execution of a playbook."""

    id: str
    playbook: str
    status: RunStatus
    inputs: Mapping[str, Any]
    trigger: Trigger
    commit: str
    host: str | None = None
    created: int = 0
    started: int | None = None
    ended: int | None = None
    error: str | None = None
    reasons: tuple[str, ...] = ()
    """Why it was refused, observed or asked about."""
    dry_run: bool = False

    def to_json(self, steps: tuple[Step, ...] = ()) -> dict[str, Json]:
        return {
            "id": self.id,
            "playbook": self.playbook,
            "status": self.status,
            "rule": self.trigger.rule,
            "firing": self.trigger.firing,
            "inputs": dict(self.inputs),
            "commit": self.commit,
            "host": self.host,
            "created": format_instant(self.created),
            "started": None if self.started is None else format_instant(self.started),
            "ended": None if self.ended is None else format_instant(self.ended),
            "error": self.error,
            "reasons": list(self.reasons),
            "requester": self.trigger.requester,
            "dry_run": self.dry_run,
            "steps": [step.to_json() for step in steps],
        }


ApprovalStatus = Literal["waiting", "approved", "rejected", "expired", "withdrawn"]


@dataclass(frozen=True, slots=True)
class Approval:
    """A question to a person; `digest` binds the answer to exactly what was shown."""

    id: str
    run: str
    step: str
    """The step's path, or `run` where the guard asks before the run begins."""
    message: str
    role: str
    digest: str
    status: ApprovalStatus
    created: int
    expires: int | None
    requester: str = ""
    not_requester: bool = False
    count: int = 1
    on_timeout: Literal["deny", "allow"] = "deny"
    answers: tuple[Mapping[str, Json], ...] = ()
    """Each `{by, at, answer, comment}`."""

    def to_json(self) -> dict[str, Json]:
        return {
            "id": self.id,
            "run": self.run,
            "step": self.step,
            "message": self.message,
            "role": self.role,
            "digest": self.digest,
            "status": self.status,
            "created": format_instant(self.created),
            "expires": None if self.expires is None else format_instant(self.expires),
            "requester": self.requester,
            "not_requester": self.not_requester,
            "count": self.count,
            "on_timeout": self.on_timeout,
            "answers": [dict(answer) for answer in self.answers],
        }
