"""What checked content is, once loaded: rule sets, playbooks, settings, and the bundle of them.

Everything here is immutable. Durations are microseconds. `Value` is a YAML value in which every
string has become a `Template` (lists and mappings nest); positions live in those templates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal

from engine.core.decisions import Severity
from engine.core.errors import Position, Problem
from engine.core.facts import Catalogue
from engine.core.values import Json
from engine.lang.expression.nodes import Expression, Template

Value = None | bool | int | float | Template | list[Any] | dict[str, Any]
Mode = Literal["observe", "approve", "auto"]

# ── rules ─────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Part:
    """One condition over one fact kind; `name` is the kind's unless the composite names it."""

    kind: str
    condition: Expression
    name: str
    listed: tuple[Expression, ...] = ()
    """The items of an `all` that were made one condition, as they were written."""

    @property
    def written(self) -> tuple[Expression, ...]:
        """What must hold of the fact, item by item."""
        return self.listed or (self.condition,)


@dataclass(frozen=True, slots=True)
class Condition:
    """What a rule waits for. A plain expression is an `all` of one part; one that names several
    kinds joined by `and`/`or` at its top has been taken apart into parts already.

    `that` holds over the joined combination. `within` (microseconds) is how long an event part
    stays true. `join` None means the default join, `()` means on nothing.
    """

    operator: Literal["all", "any"]
    parts: tuple[Part, ...]
    join: tuple[str, ...] | None
    that: Expression | None
    within: int | None
    position: Position
    text: str

    @property
    def is_plain(self) -> bool:
        """Written as one expression, not as `{all|any: …}`."""
        return not self.text.startswith("{")


@dataclass(frozen=True, slots=True)
class Selector:
    """Which candidates: all given fields must fit; `candidate` the joined one; `everything`."""

    id: str | None = None
    provider: str | None = None
    tier: str | None = None
    capability: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    candidate: bool = False
    everything: bool = False


@dataclass(frozen=True, slots=True)
class DecisionSpec:
    """One item of a rule's `then`."""

    type: Literal["alert", "run", "notify", "fact", "require", "prefer", "deny", "ask"]
    position: Position
    condition: Expression | None = None
    """Its own `if:`."""
    text: Template | None = None
    """alert, notify."""
    severity: Severity | None = None
    tell: Literal["always", "on_failure", "never"] = "always"
    playbook: str | None = None
    inputs: Mapping[str, Value] = field(default_factory=dict)
    """`with` of a run."""
    to: Template | None = None
    kind: str | None = None
    host: Template | None = None
    data: Mapping[str, Value] = field(default_factory=dict)
    """kind, host, data of a `fact` decision."""
    selector: Selector | None = None
    role: str = "operator"
    count: int = 1
    not_requester: bool = False
    timeout: int | None = None
    on_timeout: Literal["deny", "allow"] = "deny"
    reason: Template | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `mode_of_facts` is what its own kind(s) make it: see LANGUAGE, meaning."""

    name: str
    ruleset: str
    position: Position
    when: Condition
    then: tuple[DecisionSpec, ...]
    kind_mode: Literal["state", "event", "request"]
    """`event` as soon as one part is an event; `request` where a part is a request."""
    description: str = ""
    runbook: str = ""
    enabled: bool = True
    by: tuple[Expression, ...] | None = None
    for_: int | None = None
    until: Condition | None = None
    unless: Condition | None = None
    count: int | None = None
    within: int | None = None
    absent: int | None = None
    throttle: int | None = None
    severity: Severity = "warning"
    labels: Mapping[str, str] = field(default_factory=dict)
    mode: Mode | None = None
    vars: Mapping[str, Json] = field(default_factory=dict)
    """The rule set's variables, overrides applied (a host's own win over them)."""
    fingerprint: str = ""
    """Hash of condition and timing: unchanged means that its state goes on after a reload."""

    @property
    def id(self) -> str:
        return f"{self.ruleset}/{self.name}"


@dataclass(frozen=True, slots=True)
class RuleSet:
    name: str
    file: str
    rules: tuple[Rule, ...]
    description: str = ""
    vars: Mapping[str, Json] = field(default_factory=dict)
    first_match: bool = False
    enabled: bool = True


# ── playbooks ─────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Input:
    name: str
    type: Literal["string", "integer", "number", "boolean", "duration", "list", "object"]
    required: bool = False
    default: Json = None
    enum: tuple[Json, ...] | None = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class Retry:
    attempts: int = 1
    delay: int = 0
    backoff: Literal["fixed", "exponential"] = "fixed"


@dataclass(frozen=True, slots=True)
class AskSpec:
    role: str
    message: Template
    timeout: int | None
    count: int = 1
    not_requester: bool = False
    on_timeout: Literal["deny", "allow"] = "deny"


@dataclass(frozen=True, slots=True)
class WaitSpec:
    """`that` None: wait `within`. Else: until `that` has held for `for_`, at most `within`."""

    that: Expression | None
    for_: int
    within: int


@dataclass(frozen=True, slots=True)
class VerifySpec:
    """`that`, or `resolved`: the firing that started the run has resolved."""

    that: Expression | None
    resolved: bool
    within: int


@dataclass(frozen=True, slots=True)
class StepSpec:
    """One step: exactly one of `uses`, `ask`, `wait`."""

    path: str
    name: str
    position: Position
    id: str | None = None
    uses: str | None = None
    inputs: Mapping[str, Value] = field(default_factory=dict)
    """`with`."""
    condition: Expression | None = None
    retry: Retry = field(default_factory=Retry)
    timeout: int | None = None
    rollback: StepSpec | None = None
    continue_on_error: bool = False
    idempotent: bool | None = None
    """None: as its action declares."""
    on_interrupt: Literal["ask", "fail", "retry"] = "ask"
    ask: AskSpec | None = None
    wait: WaitSpec | None = None


@dataclass(frozen=True, slots=True)
class Limit:
    """`runs` in `period` refuses, `concurrency` queues; per `per` (`host`, `inputs.NAME`)."""

    per: tuple[str, ...] = ()
    concurrency: int | None = None
    runs: int | None = None
    period: int | None = None


@dataclass(frozen=True, slots=True)
class Playbook:
    name: str
    file: str
    steps: tuple[StepSpec, ...]
    description: str = ""
    inputs: Mapping[str, Input] = field(default_factory=dict)
    limits: tuple[Limit, ...] = ()
    timeout: int | None = None
    verify: VerifySpec | None = None
    """None: where a state rule's firing started it, that the firing resolved within 5m."""
    on_failure: tuple[StepSpec, ...] = ()
    always: tuple[StepSpec, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    mode: Mode | None = None


# ── settings and the bundle ───────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class HostEntry:
    """An item of hosts.yaml; `match` is a shell pattern, `name` an exact name."""

    name: str | None
    match: str | None
    labels: Mapping[str, str] = field(default_factory=dict)
    vars: Mapping[str, Json] = field(default_factory=dict)
    expected: bool = False


@dataclass(frozen=True, slots=True)
class Schedule:
    name: str
    cron: str
    position: Position


@dataclass(frozen=True, slots=True)
class Calendar:
    """Open on `days` between `start` and `end` (minutes of the day; end < start passes midnight),
    except on dates `YYYY-MM-DD`."""

    name: str
    days: tuple[str, ...]
    start: int
    end: int
    except_: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Bundle:
    """One commit of content, loaded and checked: all that rules and playbooks are."""

    root: str
    commit: str
    kinds: Catalogue
    rulesets: tuple[RuleSet, ...]
    playbooks: Mapping[str, Playbook]
    settings: Mapping[str, Any]
    """configs/wakil.yaml as checked, defaults not filled in."""
    agents: Mapping[str, Mapping[str, Any]]
    """configs/agents.yaml: settings by agent id."""
    hosts: tuple[HostEntry, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    calendars: Mapping[str, Calendar] = field(default_factory=dict)
    timezone: str = "UTC"
    shared: bool = False
    warnings: tuple[Problem, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)
    """The text of every rule set's and playbook's file, by its name as positions give it."""

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Every rule, in the order of files by name and rules as written."""
        return tuple(rule for ruleset in self.rulesets for rule in ruleset.rules)

    def labels_of(self, host: str | None) -> Mapping[str, str]:
        """All matching entries of hosts.yaml merged, later ones win."""
        merged: dict[str, str] = {}
        for entry in self._entries_for(host):
            merged.update(entry.labels)
        return merged

    def vars_of(self, host: str | None) -> Mapping[str, Json]:
        """A host's own variables, which win over a rule set's."""
        merged: dict[str, Json] = {}
        for entry in self._entries_for(host):
            merged.update(entry.vars)
        return merged

    def _entries_for(self, host: str | None) -> list[HostEntry]:
        if host is None:
            return []
        return [
            entry
            for entry in self.hosts
            if entry.name == host or (entry.match is not None and fnmatchcase(host, entry.match))
        ]
