"""All that the web needs of the rest of Wakil: the composition root hands in one `System`.

Payloads on the bus: `decision` a `StoredDecision`, `alert` an `Alert`, `run` a `Run`, `approval`
an `Approval`, `agent` an `AgentStatus`, `content` a `ContentStatus`, `automation` an `Automation`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from engine.bus import Bus
from engine.core.clock import Clock
from engine.core.decisions import Verdict
from engine.core.errors import Problem
from engine.core.facts import Fact
from engine.core.runs import Approval, Run
from engine.core.values import SECOND, Json, format_instant
from engine.lang.model import Bundle
from engine.store.alerts import Alert
from engine.store.people import Role
from engine.store.store import Store


@dataclass(frozen=True, slots=True)
class Identity:
    """Who acts: `user:NAME` or `token:NAME`, and with which role."""

    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class Automation:
    """The switch: `mode` is the mode in force, `by`, `at` and `reason` belong to the pause."""

    mode: Literal["observe", "approve", "auto"]
    paused: bool
    by: str | None = None
    at: int | None = None
    reason: str | None = None

    def to_json(self) -> dict[str, Json]:
        return {
            "mode": self.mode,
            "paused": self.paused,
            "by": self.by,
            "at": instant(self.at),
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class AgentStatus:
    """One agent as it is now; `every` in microseconds, times in microseconds UTC."""

    id: str
    description: str
    state: Literal["running", "stopped", "failed", "silent"]
    every: int
    facts: Sequence[str]
    """Fact kinds it posts."""
    last_collect: int | None = None
    next_collect: int | None = None
    last_error: str | None = None
    failures: int = 0
    """In a row."""

    def to_json(self) -> dict[str, Json]:
        return {
            "id": self.id,
            "description": self.description,
            "state": self.state,
            "every_seconds": self.every / SECOND,
            "facts": list(self.facts),
            "last_collect": instant(self.last_collect),
            "next_collect": instant(self.next_collect),
            "last_error": self.last_error,
            "failures": self.failures,
        }


UpcomingType = Literal["fires", "after", "lapses", "schedule", "absent", "throttled"]


@dataclass(frozen=True, slots=True)
class Upcoming:
    """Something that will happen at `at` if nothing changes; `more` holds what its type adds:
    `playbook`, `approval`, `run`, `name`, `since` (an instant as text)."""

    at: int
    type: UpcomingType
    rule: str | None = None
    ruleset: str | None = None
    key: Mapping[str, Json] = field(default_factory=dict)
    more: Mapping[str, Json] = field(default_factory=dict)

    def to_json(self) -> dict[str, Json]:
        return {
            "at": format_instant(self.at),
            "type": self.type,
            "rule": self.rule,
            "ruleset": self.ruleset,
            "key": dict(self.key),
            **self.more,
        }


@dataclass(frozen=True, slots=True)
class ContentStatus:
    """The content in force, and what refuses newer content that is not."""

    root: str
    commit: str
    loaded_at: int
    problems: Sequence[Problem] = ()
    warnings: Sequence[Problem] = ()
    """What the content in force had better not do; it refuses nothing."""

    def to_json(self) -> dict[str, Json]:
        return {
            "root": self.root,
            "commit": self.commit,
            "loaded_at": format_instant(self.loaded_at),
            "problems": [problem_to_json(problem) for problem in self.problems],
            "warnings": [problem_to_json(problem) for problem in self.warnings],
        }


class System(Protocol):
    """Every method may be called from any thread. Errors are `WakilError`s, which the API turns
    into problem documents: `NotFound` 404, `FactRefused` and `LangError` 422, `Refused` 409,
    `StoreError` 503, else 400."""

    version: str
    started: int
    """Microseconds UTC."""
    clock: Clock
    bus: Bus
    store: Store

    @property
    def host(self) -> str:
        """The local host's name."""
        ...

    def health(self) -> tuple[Literal["ok", "starting", "failing"], Sequence[str]]:
        """With the reasons, as codes (`engine-stopped`, `database`, `hands` …)."""
        ...

    def bundle(self) -> Bundle: ...
    def content(self) -> ContentStatus: ...

    # ── facts ─────────────────────────────────────────────────────────────────────────────────

    def accept(self, facts: Sequence[Fact]) -> None:
        """The door: types, bounds, hosts; returns when they are on disk. Raises `FactRefused`.

        A fact's `at` 0 means now. All or none are taken.
        """
        ...

    def latest(self, kind: str) -> Sequence[Fact]:
        """The last state facts of a kind, of every host and subject, neither gone nor stale."""
        ...

    def last_fact(self) -> int | None:
        """When the last fact arrived."""
        ...

    def last_seen(self) -> Mapping[str, int]:
        """Every host that ever reported, with when its last fact arrived."""
        ...

    def consult(self, request: Fact) -> Verdict:
        """Puts a request to the rules and records the verdict. Raises `FactRefused`."""
        ...

    def upcoming(self, limit: int) -> Sequence[Upcoming]:
        """The engine's deadlines, schedules and approvals, soonest first."""
        ...

    def destructive_actions(self) -> frozenset[str]:
        """Names of actions that may destroy what cannot be brought back."""
        ...

    # ── acts ──────────────────────────────────────────────────────────────────────────────────

    def start_run(
        self,
        playbook: str,
        inputs: Mapping[str, Any],
        *,
        by: Identity,
        host: str | None = None,
    ) -> Run:
        """Raises `NotFound` for no such playbook, `InvalidInputs` for wrong inputs."""
        ...

    def plan_run(
        self, playbook: str, inputs: Mapping[str, Any], *, host: str | None = None
    ) -> dict[str, Any]:
        """What the run would do now; nothing is done or recorded. Errors as `start_run`."""
        ...

    def answer_approval(
        self,
        approval: str,
        answer: Literal["approve", "reject"],
        *,
        by: Identity,
        digest: str,
        comment: str = "",
    ) -> Approval: ...

    def acknowledge_alert(self, firing: str, *, by: Identity) -> Alert: ...
    def automation(self) -> Automation: ...
    def pause(self, *, by: Identity, reason: str = "") -> Automation: ...
    def resume(self, *, by: Identity) -> Automation: ...

    # ── agents ────────────────────────────────────────────────────────────────────────────────

    def agents(self) -> Sequence[AgentStatus]: ...
    def start_agent(self, agent: str, *, by: Identity) -> AgentStatus: ...
    def stop_agent(self, agent: str, *, by: Identity) -> AgentStatus: ...
    def restart_agent(self, agent: str, *, by: Identity) -> AgentStatus: ...


def instant(value: int | None) -> str | None:
    """An instant as text; None stays None."""
    return None if value is None else format_instant(value)


def problem_to_json(problem: Problem) -> dict[str, Json]:
    """A problem of content, as the API shows it."""
    return {
        "file": problem.position.file,
        "line": problem.position.line,
        "column": problem.position.column,
        "message": problem.message,
        "code": problem.code,
        "severity": problem.severity,
    }
