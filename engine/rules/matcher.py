"""The port between correlation and whatever judges conditions on single facts.

Two implementations stand behind it: durable-rules over value classes, and the reference
evaluator, which defines truth. Conditions that read `time` or a calendar never come here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from engine.core.values import Json
from engine.lang.expression.nodes import Expression


@dataclass(frozen=True, slots=True)
class Judged:
    """A condition to be judged on single facts of one kind.

    Its expression may read the fact under the kind's name, `host`, `labels` and `vars`.
    """

    kind: str
    expression: Expression
    vars: Mapping[str, Json]


class Hosts(Protocol):
    """What the server knows of hosts: labels and variables from hosts.yaml."""

    def labels_of(self, host: str | None) -> Mapping[str, str]: ...
    def vars_of(self, host: str | None) -> Mapping[str, Json]: ...


Judge = Callable[[str | None, Mapping[str, Any]], int]
"""(host, data) to a bit mask: bit i is set where the kind's i-th condition holds."""


class Matcher(Protocol):
    """Judges all conditions of one bundle. Never raises on any data."""

    def judge(self, kind: str) -> Judge:
        """The judge of a kind; for one without conditions a judge that gives 0."""
        ...

    def counters(self) -> Mapping[str, int]:
        """What happened so far: `asked`, `remembered`, `fallen_back` …"""
        ...

    def close(self) -> None:
        """Frees what the matcher holds outside Python."""
        ...


Build = Callable[[Mapping[str, Sequence[Judged]], Hosts], Matcher]
