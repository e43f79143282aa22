"""The Protocols through which layers meet that must not import each other.

Agents and providers see `engine.core` only: what they need reaches them as one of these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from engine.core.clock import Clock
from engine.core.facts import Fact
from engine.core.runs import Approval, ApprovalStatus, Run, Step
from engine.core.values import Json

# ── hands: the process through which everything that touches the system goes ──────────────────


@dataclass(frozen=True, slots=True)
class Order:
    """One request to the hands; (run, step, attempt) makes it answered once, whatever happens.

    `step` is the step's path (a block's item included), `deadline` an instant in microseconds.
    """

    verb: str
    args: Mapping[str, Json]
    run: str
    step: str
    attempt: int
    deadline: int
    approval: str | None = None


class Hands(Protocol):
    """The client side of the hands. Errors: `Refused`, `ActionError`, `UnknownEffect`."""

    def act(self, order: Order) -> Mapping[str, Any]:
        """Carries the order out; returns the reply's fields (`changed`, `undo`, `stdout` …)."""
        ...

    def open_log(self, root: str, path: str) -> int:
        """A read-only file descriptor of a regular file beneath `root`, links never followed."""
        ...


# ── agents: a domain's eyes and hands ─────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Observation:
    """One thing an agent saw; host and arrival are the server's to add.

    `at` None means the instant of the collection.
    """

    kind: str
    data: Mapping[str, Any]
    at: int | None = None


@dataclass(frozen=True, slots=True)
class Collection:
    """What one `collect()` saw. `complete` names the kinds of which every subject is listed, so
    that what is missing is gone (only for kinds declared `x-complete: true`)."""

    observations: Sequence[Observation]
    complete: frozenset[str] = frozenset()


class Memory(Protocol):
    """An agent's own small durable state (a log's position), JSON, by key."""

    def get(self, key: str) -> Json: ...
    def set(self, key: str, value: Json) -> None: ...


@dataclass(frozen=True, slots=True)
class AgentContext:
    """All an agent is given: settings already checked against its schema, defaults filled in."""

    settings: Mapping[str, Any]
    hands: Hands
    clock: Clock
    memory: Memory


class Agent(Protocol):
    """Observes one domain. `collect` runs on its own interval, never twice at once; whatever it
    raises marks the agent failed and backs it off, and never stops the loop."""

    def collect(self) -> Collection: ...


@dataclass(frozen=True, slots=True)
class AgentType:
    """How an agent is declared: one per file, listed in `agents/__init__.py`."""

    id: str
    description: str
    facts: tuple[str, ...]
    """Fact kinds it posts."""
    every: int
    """Default interval, microseconds."""
    settings: Mapping[str, Any]
    """JSON Schema of its settings in agents.yaml, without `every` and `enabled`."""
    build: Callable[[AgentContext], Agent]
    actions: tuple[ActionType, ...] = ()


# ── actions: what a playbook's step calls ─────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class ActionContext:
    """What an action is given beside its inputs."""

    run: str
    step: str
    attempt: int
    deadline: int
    host: str
    hands: Hands
    clock: Clock
    approval: str | None = None
    services: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Services that content declares (agents.yaml, apps.services), by name: the only ones that
    may be started, stopped or restarted."""
    say: Callable[[str], None] = lambda line: None
    """Adds a line to the step's output as people follow it."""
    notify: Callable[[str, str], None] = lambda to, text: None
    """Sends a message to a receiver."""

    def order(self, verb: str, args: Mapping[str, Json]) -> Mapping[str, Any]:
        """Has the hands do `verb` in this step's name."""
        return self.hands.act(
            Order(verb, args, self.run, self.step, self.attempt, self.deadline, self.approval)
        )


Effect = Literal["done", "not_done", "unknown"]


@dataclass(frozen=True, slots=True)
class ActionType:
    """An action: its schema, an example and `check` stand beside its code."""

    name: str
    description: str
    inputs: Mapping[str, Any]
    """JSON Schema of an object."""
    outputs: Mapping[str, Any]
    """JSON Schema of an object."""
    example: Mapping[str, Any]
    perform: Callable[[ActionContext, Mapping[str, Any]], Mapping[str, Any]]
    check: Callable[[ActionContext, Mapping[str, Any]], Effect]
    """Whether the effect is there already; asked after an interruption and in a dry run."""
    idempotent: bool = False
    destructive: Callable[[ActionContext, Mapping[str, Any]], bool] | None = None
    """Whether these inputs would destroy what cannot be brought back; None: they never do."""
    by_hands: bool = False
    """It acts through the hands alone, one act an attempt: after an interruption the same attempt
    is put to them again, and their ledger answers what came of it."""

    secrets: frozenset[str] = frozenset()
    """Inputs that may be a literal `{secret: …}`, which it resolves itself."""
    anywhere: bool = False
    """It acts on no host's system (a message), so a run for any host may do it."""

    def destroys(self, context: ActionContext, inputs: Mapping[str, Any]) -> bool:
        """Whether doing this now would destroy what cannot be brought back."""
        return self.destructive is not None and self.destructive(context, inputs)


# ── runs: what the playbook engine keeps, and whom it asks ────────────────────────────────────


class RunStore(Protocol):
    """Durable records of runs; every call is one transaction."""

    def add_run(self, run: Run) -> bool:
        """False where a run of that id exists: a run starts once."""
        ...

    def get_run(self, run: str) -> Run | None: ...
    def update_run(self, run: str, **changes: Any) -> Run: ...
    def save_step(self, step: Step) -> None:
        """Adds or replaces the record of (run, path, attempt)."""
        ...

    def steps_of(self, run: str) -> tuple[Step, ...]: ...
    def add_approval(self, approval: Approval) -> bool: ...
    def get_approval(self, approval: str) -> Approval | None: ...
    def answer_approval(
        self, approval: str, status: ApprovalStatus, answer: Mapping[str, Json] | None
    ) -> Approval: ...

    def runs_since(self, playbook: str | None, since: int) -> Sequence[Run]: ...
    def unfinished_runs(self) -> Sequence[Run]: ...


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the guard says of a run, or of a destructive step when it is about to begin."""

    answer: Literal["allow", "ask", "observe", "refuse"]
    reasons: tuple[str, ...] = ()
    role: str = "operator"
    count: int = 1
    not_requester: bool = False
    timeout: int | None = None
    on_timeout: Literal["deny", "allow"] = "deny"


class Guard(Protocol):
    """Policy's word on an act: consults the `run` request, the modes, the floor, the pause."""

    def judge(self, run: Run, *, destructive: bool, targets: Sequence[str], step: str) -> Ruling:
        """`step` is `run` for the whole run, else the path of a destructive step."""
        ...

    def paused(self) -> bool: ...


class Observer(Protocol):
    """How a run looks at the world to verify what it did."""

    def collect_now(self, kinds: Sequence[str]) -> None:
        """Has the agents that post these kinds collect at once; returns when they have."""
        ...

    def latest(self, kind: str, host: str | None, key: Mapping[str, Json]) -> Sequence[Fact]:
        """The last state facts of a kind on a host whose key fields fit `key` (all if empty)."""
        ...

    def firing_open(self, firing: str) -> bool: ...


Publish = Callable[[str, Any], None]
