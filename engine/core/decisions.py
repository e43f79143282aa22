"""What fired rules say, and what it is said for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from engine.core.facts import Fact
from engine.core.values import Json, format_instant

DecisionType = Literal[
    "alert", "resolve", "run", "notify", "fact", "require", "prefer", "deny", "ask", "record"
]
Severity = Literal["info", "warning", "critical"]


@dataclass(slots=True)
class Because:
    """One condition that held, the line it stands on, and the fact it held for. Treated as
    immutable, as facts and decisions are."""

    condition: str
    file: str
    line: int
    fact: Fact | None

    def to_json(self) -> dict[str, Json]:
        shown = self.fact.to_json() if self.fact is not None else None
        return {"condition": self.condition, "file": self.file, "line": self.line, "fact": shown}


@dataclass(slots=True)
class Decision:
    """One decision of one firing. Treated as immutable; not frozen, because that costs eight times
    as much to make and a storm makes them by the hundred thousand.

    `firing` is a hash of rule set, rule, key, time and ordinal: the same in every replay.
    `place` is the decision's index in the rule's `then` (-1 for `resolve` and `record`, which no
    line of `then` wrote), so that (firing, place) names it for ever.
    """

    at: int
    ruleset: str
    rule: str
    decision: DecisionType
    key: Mapping[str, Json]
    data: Mapping[str, Any]
    firing: str
    because: tuple[Because, ...] = ()
    place: int = -1
    labels: Mapping[str, str] = field(default_factory=dict)
    """The rule's labels: for routing and panels; not part of the documented output."""
    mode: str | None = None
    """The rule's `mode`, for the guard of a `run` decision."""

    def to_json(self) -> dict[str, Json]:
        """The documented form (DESIGN: command line), to be dumped with sorted keys."""
        return {
            "at": format_instant(self.at),
            "rule": self.rule,
            "ruleset": self.ruleset,
            "decision": self.decision,
            "key": dict(self.key),
            "data": dict(self.data),
            "firing": self.firing,
            "because": [reason.to_json() for reason in self.because],
        }


@dataclass(frozen=True, slots=True)
class Candidate:
    """One thing a request could be given (a model, or the request itself)."""

    id: str
    fact: Fact | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """A person's yes that a verdict waits for; `timeout` in microseconds."""

    role: str
    reason: str
    count: int = 1
    not_requester: bool = False
    timeout: int | None = None
    on_timeout: Literal["deny", "allow"] = "deny"


@dataclass(frozen=True, slots=True)
class Verdict:
    """All decisions on one request, combined: deny beats require beats prefer."""

    request: Fact
    decisions: tuple[Decision, ...]
    candidates: tuple[str, ...]
    """Those left, best first; for a request without candidates `("request",)` or `()`."""
    denied: Mapping[str, str]
    asks: tuple[Ask, ...]

    @property
    def refused(self) -> bool:
        return not self.candidates

    @property
    def reasons(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.denied.values()))
