"""A bench for the playbook engine: playbooks as plain data, actions that keep a diary."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from engine.core.errors import NotFound, Position, Refused, WakilError
from engine.core.facts import Fact, FactKind
from engine.core.ports import ActionContext, ActionType, Ruling
from engine.core.runs import ENDED, Run, Trigger
from engine.core.values import SECOND, parse_duration
from engine.lang.expression import at, parse
from engine.lang.expression.templates import parse_template
from engine.lang.model import (
    AskSpec,
    Input,
    Limit,
    Playbook,
    Retry,
    StepSpec,
    VerifySpec,
    WaitSpec,
)
from engine.playbook.environment import Environment
from engine.playbook.execution import Execution
from engine.playbook.flow import carry_out
from engine.playbook.inputs import check_inputs
from engine.playbook.scope import first_scope

HERE = at("playbooks/test.yaml")
NOWHERE = Position("playbooks/test.yaml")
ANY = {"type": "object"}


def playbook(name: str = "test", **keys: Any) -> Playbook:
    """A playbook from its YAML's data (durations as text)."""
    verify = keys.get("verify")
    return Playbook(
        name=name,
        file="playbooks/test.yaml",
        steps=_steps("steps", keys.get("steps", [])),
        inputs={n: Input(n, **spec) for n, spec in keys.get("inputs", {}).items()},
        limits=tuple(
            Limit(
                tuple(limit.get("per", ())),
                limit.get("concurrency"),
                limit.get("runs"),
                parse_duration(limit.get("period")),
            )
            for limit in keys.get("limits", [])
        ),
        timeout=parse_duration(keys.get("timeout")),
        verify=None
        if verify is None
        else VerifySpec(
            parse(verify["that"], HERE) if "that" in verify else None,
            verify.get("resolved", False),
            parse_duration(verify.get("within", "5m")),
        ),
        on_failure=_steps("on_failure", keys.get("on_failure", [])),
        always=_steps("always", keys.get("always", [])),
    )


def _steps(phase: str, steps: list[dict[str, Any]]) -> tuple[StepSpec, ...]:
    return tuple(_step(f"{phase}.{index}", step) for index, step in enumerate(steps))


def _step(path: str, step: dict[str, Any]) -> StepSpec:
    retry = step.get("retry", {})
    ask, wait, condition = step.get("ask"), step.get("wait"), step.get("if")
    return StepSpec(
        path=path,
        name=step.get("name", path),
        position=NOWHERE,
        id=step.get("id"),
        uses=step.get("uses"),
        inputs=_templates(step.get("with", {})),
        condition=None if condition is None else parse(condition, HERE),
        retry=Retry(
            retry.get("attempts", 1),
            parse_duration(retry.get("delay", "0s")),
            retry.get("backoff", "fixed"),
        ),
        timeout=parse_duration(step.get("timeout")),
        rollback=_step(f"{path}.rollback", step["rollback"]) if "rollback" in step else None,
        continue_on_error=step.get("continue_on_error", False),
        idempotent=step.get("idempotent"),
        on_interrupt=step.get("on_interrupt", "ask"),
        ask=None
        if ask is None
        else AskSpec(
            ask.get("role", "operator"),
            parse_template(ask.get("message", "Go on?"), HERE),
            parse_duration(ask.get("timeout")),
            ask.get("count", 1),
            ask.get("not_requester", False),
            ask.get("on_timeout", "deny"),
        ),
        wait=None
        if wait is None
        else WaitSpec(
            parse(wait["that"], HERE) if "that" in wait else None,
            parse_duration(wait.get("for", "0s")),
            parse_duration(wait["within"]),
        ),
    )


def _templates(value: Any) -> Any:
    if isinstance(value, str):
        return parse_template(value, HERE)
    if isinstance(value, dict):
        return {key: _templates(item) for key, item in value.items()}
    return [_templates(item) for item in value] if isinstance(value, list) else value


class JsonPlans:
    """Content whose playbooks are JSON text, by commit and name."""

    def __init__(self) -> None:
        self.texts: dict[tuple[str, str], str] = {}

    def add(self, name: str = "test", commit: str = "c1", **keys: Any) -> None:
        self.texts[commit, name] = json.dumps(keys)

    def source(self, commit: str, playbook: str) -> str:
        try:
            return self.texts[commit, playbook]
        except KeyError:
            raise NotFound(f"there is no playbook '{playbook}' in {commit}") from None

    def parse(self, name: str, source: str) -> Playbook:
        return playbook(name, **json.loads(source))

    def labels(self, host: str | None) -> Mapping[str, str]:
        return {"role": "web"}

    def vars(self, host: str | None) -> Mapping[str, Any]:
        return {"full": 95}


class Diary:
    """Actions that note each call, and do what a test tells them by name."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.acts: dict[str, Callable[[ActionContext, Mapping[str, Any]], Any]] = {}
        self.checks: dict[str, str] = {}

    def action(self, name: str, **more: Any) -> ActionType:
        def perform(context: ActionContext, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
            self.calls.append((name, dict(inputs)))
            act = self.acts.get(name)
            return (act(context, inputs) if act else None) or {}

        def check(context: ActionContext, inputs: Mapping[str, Any]) -> Any:
            return self.checks.get(name, "unknown")

        schema = more.pop("schema", ANY)
        return ActionType(name, "", schema, ANY, {}, perform, check, **more)

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.calls]


class MemoryRuns:
    """`RunStore` in a dictionary."""

    def __init__(self) -> None:
        self.runs: dict[str, Run] = {}
        self.steps: dict[tuple[str, str, int], Any] = {}
        self.approvals: dict[str, Any] = {}

    def add_run(self, run):
        return self.runs.setdefault(run.id, run) is run

    def get_run(self, run):
        return self.runs.get(run)

    def update_run(self, run, **changes):
        self.runs[run] = replace(self.runs[run], **changes)
        return self.runs[run]

    def save_step(self, step):
        self.steps[step.run, step.path, step.attempt] = step

    def steps_of(self, run):
        return tuple(step for key, step in self.steps.items() if key[0] == run)

    def add_approval(self, approval):
        return self.approvals.setdefault(approval.id, approval) is approval

    def get_approval(self, approval):
        return self.approvals.get(approval)

    def answer_approval(self, approval, status, answer):
        found = self.approvals[approval]
        if found.status != "waiting":
            raise Refused(f"approval {approval} is {found.status} already")
        answers = found.answers if answer is None else (*found.answers, dict(answer))
        self.approvals[approval] = replace(found, status=status, answers=answers)
        return self.approvals[approval]

    def runs_since(self, playbook, since):
        return [
            r for r in self.runs.values() if r.created >= since and playbook in (None, r.playbook)
        ]

    def unfinished_runs(self):
        return [r for r in self.runs.values() if r.status not in ENDED]


class Policy:
    """A guard that says what a test puts into it."""

    def __init__(self) -> None:
        self.run = Ruling("allow")
        self.step = Ruling("allow")
        self.is_paused = False
        self.asked: list[tuple[str, bool]] = []

    def judge(self, run, *, destructive, targets, step):
        self.asked.append((step, destructive))
        return self.run if step == "run" else self.step

    def paused(self):
        return self.is_paused


class World:
    """An observer whose facts a test sets; `on_collect` is what a collection brings."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.open: set[str] = set()
        self.collected: list[list[str]] = []
        self.on_collect: Callable[[], None] = lambda: None

    def collect_now(self, kinds):
        self.collected.append(list(kinds))
        self.on_collect()

    def latest(self, kind, host, key):
        return [
            fact
            for fact in self.facts
            if fact.kind == kind
            and fact.host == host
            and all(fact.data.get(name) == value for name, value in key.items())
        ]

    def firing_open(self, firing):
        return firing in self.open


class StepClock:
    """Moves on by a microsecond at each look, and by whatever a test says."""

    def __init__(self, at: int = 1_000 * SECOND) -> None:
        self.at = at

    def now(self) -> int:
        self.at += 1
        return self.at


class NoHands:
    def act(self, order):
        raise WakilError("no hands here")

    def open_log(self, root, path):
        raise WakilError("no hands here")


class Bench:
    """An environment with all of the above; `do` carries a run out in this thread."""

    def __init__(self, store: Any = None, **more: Any) -> None:
        self.diary, self.plans, self.policy = Diary(), JsonPlans(), Policy()
        self.world, self.store = World(), store or MemoryRuns()
        self.alerts: list[Any] = []
        self.told: list[tuple[str, Any]] = []
        self.remembered: dict[str, Any] = {}
        actions = [self.diary.action(name) for name in ("a", "b", "c", "undo")]
        actions.append(self.diary.action("again", idempotent=True))
        actions.append(self.diary.action("wreck", destructive=lambda context, inputs: True))
        disk = FactKind("disk", "state", key=("mount",))
        self.env = Environment(
            plans=self.plans,
            store=self.store,
            guard=self.policy,
            observer=self.world,
            actions={action.name: action for action in actions},
            hands=NoHands(),
            host="web-1",
            kinds=lambda: {"disk": disk},
            publish=lambda topic, payload: self.told.append((topic, payload)),
            alert=self.alerts.append,
            poll=2_000,
            keep=100_000,
            grace=20_000,
            **more,
        )

    def once(self, name: str, act: Callable[[], Any]) -> Any:
        """Step memory that survives a `do` cut short, as JSON, like the real one."""
        if name not in self.remembered:
            self.remembered[name] = json.dumps(act())
        return json.loads(self.remembered[name])

    def do(self, book: Playbook, trigger: Trigger | None = None, **inputs: Any) -> Run:
        run = Run(
            id="r1",
            playbook=book.name,
            status="queued",
            inputs=check_inputs(book, inputs),
            trigger=trigger or Trigger(requester="user:amal"),
            commit="c1",
            host="web-1",
            created=1,
        )
        self.store.add_run(run)
        carry_out(self.execution(book))
        return self.store.get_run("r1")

    def execution(self, book: Playbook) -> Execution:
        run = self.store.get_run("r1")
        scope = first_scope(run, run.inputs, {"role": "web"}, {"full": 95})
        return Execution(self.env, self.once, run, book, "source", scope)

    def steps(self) -> list[tuple[str, str]]:
        return [(step.path, step.status) for step in self.store.steps_of("r1")]
