"""A run under way: what its parts share while they carry it out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from engine.core.runs import Phase, Run, Step, StepStatus
from engine.core.values import Json, format_duration
from engine.lang.model import Playbook, StepSpec
from engine.playbook.environment import Environment, StepMemory
from engine.playbook.scope import Scope, first_scope

Ending = Literal["succeeded", "failed", "refused", "unknown"]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a run does not succeed."""

    status: Literal["failed", "refused", "unknown"]
    error: str
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StepResult:
    """How a step ended, and when."""

    status: Literal["succeeded", "skipped", "failed", "refused", "unknown"]
    outputs: Mapping[str, Json] = field(default_factory=dict)
    error: str | None = None
    ended: int = 0

    @property
    def good(self) -> bool:
        return self.status in ("succeeded", "skipped")


@dataclass(frozen=True, slots=True)
class Done:
    """A step that succeeded: what its rollback, and marking it rolled back, need."""

    spec: StepSpec
    attempt: int
    inputs: Mapping[str, Any]
    started: int
    result: StepResult


@dataclass
class Execution:
    """One run in this process. Everything that decides what comes next is recorded in `memory`,
    so that the same run begun again after a crash takes the same way."""

    env: Environment
    memory: StepMemory
    run: Run
    playbook: Playbook
    source: str
    scope: Scope
    deadline: int | None = None
    """Of the playbook's own timeout; moved on by what is spent on people and the pause."""
    last_end: int = 0
    """When the last step ended: only later facts count in `wait` and `verify`."""
    done: list[Done] = field(default_factory=list)
    """Steps that succeeded, for rollback."""
    approved: dict[str, str] = field(default_factory=dict)
    """Path to digest of what a person approved together with the whole run."""
    approval: str | None = None

    @property
    def host(self) -> str:
        return self.run.host or self.env.host

    def now(self) -> int:
        return self.env.clock.now()

    def names(self) -> Scope:
        """What templates and conditions see at this instant."""
        return {**self.scope, **self.env.moment(self.now())}

    def change(self, **changes: Any) -> None:
        """Records a change of the run and tells it."""
        self.run = self.env.store.update_run(self.run.id, **changes)
        self.env.publish("run", self.run)

    def save(self, step: Step) -> Step:
        """Records a step and tells it."""
        self.env.store.save_step(step)
        self.env.publish("step", step)
        return step

    def record(
        self,
        spec: StepSpec,
        phase: Phase,
        status: StepStatus,
        *,
        attempt: int = 1,
        started: int | None = None,
        ended: int | None = None,
        inputs: Mapping[str, Any] | None = None,
        outputs: Mapping[str, Any] | None = None,
        error: str | None = None,
        log: str = "",
    ) -> Step:
        """Records where a step stands."""
        return self.save(
            Step(
                run=self.run.id,
                path=spec.path,
                name=spec.name,
                phase=phase,
                status=status,
                uses=spec.uses or "",
                attempt=attempt,
                started=self.now() if started is None else started,
                ended=ended,
                inputs=inputs or {},
                outputs=outputs or {},
                error=error,
                log=log,
            )
        )

    def overdue(self) -> str | None:
        """The sentence for a playbook that has outlived its timeout."""
        if self.deadline is None or self.now() < self.deadline or self.playbook.timeout is None:
            return None
        span = format_duration(self.playbook.timeout)
        return f"the playbook did not end within its timeout of {span}"

    def put_off(self, microseconds: int) -> None:
        """Does not count a wait for people against the playbook's timeout."""
        if self.deadline is not None:
            self.deadline += microseconds

    def once(self, name: str, act: Any) -> dict[str, Any]:
        """`memory` for acts that give a mapping; raises `Interrupted` once Wakil stops."""
        self.env.signals.check()
        return cast(dict[str, Any], self.memory(name, act))

    def digest(self, steps: Sequence[Mapping[str, Any]]) -> str:
        """What an approval is bound to: commit, playbook, resolved steps, targets, requester."""
        return digest_of(
            self.run.commit, self.source, steps, [self.host], self.run.trigger.requester
        )


def freeze(env: Environment, run: Run, source: str) -> dict[str, Any]:
    """What a run keeps of content, whatever becomes of the content; JSON."""
    plans = env.plans
    labels, variables = plans.labels(run.host), plans.vars(run.host)
    return {"source": source, "labels": dict(labels), "vars": dict(variables)}


def execution(
    env: Environment, memory: StepMemory, run: Run, playbook: Playbook, frozen: Mapping[str, Any]
) -> Execution:
    """A run at its beginning, with what was frozen for it."""
    scope = first_scope(run, run.inputs, frozen["labels"], frozen["vars"])
    return Execution(env, memory, run, playbook, str(frozen["source"]), scope)


def digest_of(
    commit: str,
    source: str,
    steps: Sequence[Mapping[str, Any]],
    targets: Sequence[str],
    requester: str,
) -> str:
    """SHA-256 over canonical JSON, in hexadecimal."""
    shown = json.dumps(
        [commit, source, list(steps), list(targets), requester],
        sort_keys=True,
        separators=(",", ":"),
        default=dict,
    )
    return hashlib.sha256(shown.encode()).hexdigest()
