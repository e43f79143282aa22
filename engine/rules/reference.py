"""The reference matcher: every condition judged by its own closure. It defines what is true."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engine.core.values import MISSING
from engine.lang.expression import compile_expression
from engine.lang.expression.nodes import Node
from engine.rules.durable.trees import reads
from engine.rules.matcher import Hosts, Judge, Judged

Closure = Callable[[str | None, Mapping[str, Any]], object]
"""(host, data) to the value of an expression."""


def compile_term(node: Node, kind: str, variables: Mapping[str, Any], hosts: Hosts) -> Closure:
    """An expression over a fact of `kind` as a closure. A host's own variables win.

    `host` is missing where a fact has none.
    """
    evaluate = compile_expression(node)
    names = reads(node)
    if names <= {kind}:
        return lambda host, data: evaluate({kind: data})

    def closure(host: str | None, data: Mapping[str, Any]) -> object:
        scope: dict[str, Any] = {kind: data, "host": MISSING if host is None else host}
        if "labels" in names:
            scope["labels"] = hosts.labels_of(host)
        if "vars" in names:
            own = hosts.vars_of(host)
            scope["vars"] = {**variables, **own} if own else variables
        return evaluate(scope)

    return closure


def evaluate_constant(node: Node) -> object:
    """The value of an expression that reads nothing."""
    return compile_expression(node)({})


class ReferenceMatcher:
    """The `Matcher` port by the reference evaluator alone."""

    def __init__(self, conditions: Mapping[str, Sequence[Judged]], hosts: Hosts) -> None:
        self._judged = 0
        self._closures = {
            kind: [
                compile_term(condition.expression.root, kind, condition.vars, hosts)
                for condition in judged
            ]
            for kind, judged in conditions.items()
        }

    def judge(self, kind: str) -> Judge:
        """The judge of a kind; for one without conditions a judge that gives 0."""
        closures = self._closures.get(kind, ())

        def judge(host: str | None, data: Mapping[str, Any]) -> int:
            self._judged += len(closures)
            held = 0
            for place, closure in enumerate(closures):
                if closure(host, data) is True:
                    held |= 1 << place
            return held

        return judge

    def counters(self) -> Mapping[str, int]:
        """`judged`: conditions judged so far."""
        return {"judged": self._judged}

    def close(self) -> None:
        """Holds nothing outside Python."""


def build_reference(conditions: Mapping[str, Sequence[Judged]], hosts: Hosts) -> ReferenceMatcher:
    """Builds the reference matcher (a `Build` of the port)."""
    return ReferenceMatcher(conditions, hosts)
