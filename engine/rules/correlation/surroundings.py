"""What an expression can read beside facts: labels, variables, the time, calendars."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from engine.core.values import MISSING, Json
from engine.lang.expression import Expression
from engine.lang.expression.calendars import next_edge, time_scope
from engine.lang.expression.nodes import (
    Arithmetic,
    Bool,
    Call,
    Compare,
    Comprehension,
    Field,
    ListOf,
    Literal_,
    Negative,
    Node,
    Not,
    Subscript,
    Template,
)
from engine.lang.model import Bundle

_MOST_HOSTS: Final = 20_000


class Surroundings:
    """One bundle's hosts, clock face and calendars, remembered where asked again and again."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self._labels: dict[str | None, Mapping[str, str]] = {}
        self._vars: dict[str | None, Mapping[str, Json]] = {}
        try:
            self._zone = ZoneInfo(bundle.timezone)
        except (ZoneInfoNotFoundError, ValueError):
            self._zone = ZoneInfo("UTC")

    def labels_of(self, host: str | None) -> Mapping[str, str]:
        """A host's labels from hosts.yaml."""
        known = self._labels.get(host)
        if known is None:
            if len(self._labels) >= _MOST_HOSTS:
                self._labels.clear()
            known = self._labels[host] = dict(self._bundle.labels_of(host))
        return known

    def vars_of(self, host: str | None) -> Mapping[str, Json]:
        """A host's own variables, which win over a rule set's."""
        known = self._vars.get(host)
        if known is None:
            if len(self._vars) >= _MOST_HOSTS:
                self._vars.clear()
            known = self._vars[host] = dict(self._bundle.vars_of(host))
        return known

    def scope(
        self, host: str | None, variables: Mapping[str, Json], at: int, *, timed: bool = True
    ) -> dict[str, Any]:
        """The part of a scope that no fact brings; `timed` adds `time` and calendars."""
        own = self.vars_of(host)
        scope: dict[str, Any] = time_scope(at, self._zone, self._bundle.calendars) if timed else {}
        scope["host"] = MISSING if host is None else host
        scope["labels"] = self.labels_of(host)
        scope["vars"] = {**variables, **own} if own else dict(variables)
        return scope

    def next_edge(self, names: frozenset[str], after: int) -> int | None:
        """The soonest instant after `after` at which one of these calendars opens or closes."""
        edges = [
            edge
            for name in names
            if (calendar := self._bundle.calendars.get(name)) is not None
            and (edge := next_edge(calendar, after, self._zone)) is not None
        ]
        return min(edges, default=None)


def calendars_read(expression: Expression) -> frozenset[str]:
    """The calendars that `during("name")` names anywhere in an expression."""
    return frozenset(
        argument.value
        for node in _walk(expression.root)
        if isinstance(node, Call) and node.function == "during"
        for argument in node.arguments
        if isinstance(argument, Literal_) and isinstance(argument.value, str)
    )


def reads_time(expression: Expression) -> bool:
    """Whether its truth may change while its facts do not."""
    return "time" in expression.names or any(
        isinstance(node, Call) and node.function == "during" for node in _walk(expression.root)
    )


def names_read(written: Any) -> frozenset[str]:
    """The top-level names that expressions anywhere in templates, values or decisions read;
    `time` stands for calendars too."""
    if isinstance(written, Expression):
        return written.names | {"time"} if reads_time(written) else written.names
    if isinstance(written, Template):
        inside: Iterable[Any] = written.parts
    elif isinstance(written, Mapping):
        inside = written.values()
    elif isinstance(written, list | tuple):
        inside = written
    elif is_dataclass(written):
        inside = [getattr(written, each.name) for each in fields(written)]
    else:
        return frozenset()
    return frozenset().union(*map(names_read, inside))


def _walk(root: Node) -> Iterator[Node]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(_children(node))


def _children(node: Node) -> tuple[Node, ...]:
    match node:
        case Field(base=base):
            return (base,)
        case Subscript(base=base, index=index):
            return (base, index)
        case Not(operand=operand) | Negative(operand=operand):
            return (operand,)
        case Arithmetic(left=left, right=right):
            return (left, right)
        case Compare(first=first, rest=rest):
            return (first, *(side for _, side in rest))
        case Bool(operands=operands):
            return operands
        case Call(arguments=arguments, keywords=keywords):
            return (*arguments, *(value for _, value in keywords))
        case ListOf(items=items):
            return items
        case Comprehension(element=element, source=source, condition=condition):
            return (element, source) if condition is None else (element, source, condition)
        case _:
            return ()
