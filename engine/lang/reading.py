"""Takes typed values out of a node tree and parses the expressions and templates in it.

The structure has been checked by `engine.lang.schema` before: what does not fit its schema reads
as absent here, since it is reported already, so that one mistake does not hide the others.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from engine.core.errors import LangError, Position, Problem
from engine.core.values import parse_duration
from engine.lang.expression.checking import check
from engine.lang.expression.nodes import Expression, Template
from engine.lang.expression.parsing import parse
from engine.lang.expression.templates import read_template
from engine.lang.expression.types import Names
from engine.lang.model import Value
from engine.lang.yaml import Fields, Items, Node, Scalar
from engine.lang.yaml_hints import quoting_hint


@dataclass(slots=True)
class Report:
    """Gathers problems; files are read in any order and sorted at the end."""

    problems: list[Problem] = field(default_factory=list)
    _places: set[Position] = field(default_factory=set)
    _placed: int = 0
    """How many of the problems `_places` covers."""

    def places_of_errors(self) -> Collection[Position]:
        """Where errors stand so far."""
        fresh = self.problems[self._placed :]
        self._placed = len(self.problems)
        self._places.update(each.position for each in fresh if each.severity == "error")
        return self._places

    def error(self, place: Position, message: str, code: str = "invalid") -> None:
        self.problems.append(Problem(place, message, code))

    def warn(self, place: Position, message: str, code: str = "warning") -> None:
        self.problems.append(Problem(place, message, code, "warning"))

    def extend(self, problems: Iterable[Problem]) -> None:
        self.problems.extend(problems)

    @property
    def errors(self) -> list[Problem]:
        return [problem for problem in self.problems if problem.severity == "error"]

    @property
    def warnings(self) -> list[Problem]:
        return [problem for problem in self.problems if problem.severity == "warning"]


# ── typed values ──────────────────────────────────────────────────────────────────────────────


def text_of(node: Fields, key: str, default: str = "") -> str:
    """The text under `key`."""
    found = node.get(key)
    return found.value if isinstance(found, Scalar) and isinstance(found.value, str) else default


def optional_text(node: Fields, key: str) -> str | None:
    """The text under `key`, or None."""
    return text_of(node, key) or None


def flag_of(node: Fields, key: str, default: bool) -> bool:
    """The boolean under `key`."""
    found = node.get(key)
    return found.value if isinstance(found, Scalar) and isinstance(found.value, bool) else default


def integer_of(node: Fields, key: str) -> int | None:
    """The whole number under `key`."""
    found = node.get(key)
    value = found.value if isinstance(found, Scalar) else None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return int(value) if value == int(value) else None


def duration_of(node: Fields, key: str) -> int | None:
    """The duration under `key`, in microseconds."""
    found = node.get(key)
    return parse_duration(found.value) if isinstance(found, Scalar) else None


def fields_of(node: Fields, key: str) -> Fields | None:
    """The mapping under `key`."""
    found = node.get(key)
    return found if isinstance(found, Fields) else None


def items_of(node: Fields, key: str) -> tuple[Node, ...]:
    """The items of the list under `key`."""
    found = node.get(key)
    return found.items if isinstance(found, Items) else ()


def mappings_of(node: Fields, key: str) -> tuple[Fields, ...]:
    """The items under `key` that are mappings."""
    return tuple(item for item in items_of(node, key) if isinstance(item, Fields))


def texts_of(node: Fields, key: str) -> tuple[str, ...]:
    """The texts of the list under `key`."""
    return tuple(
        item.value
        for item in items_of(node, key)
        if isinstance(item, Scalar) and isinstance(item.value, str)
    )


def labels_of(node: Fields, key: str) -> dict[str, str]:
    """The mapping of texts under `key`."""
    found = fields_of(node, key)
    return {
        name: value.value
        for name, value in found or ()
        if isinstance(value, Scalar) and isinstance(value.value, str)
    }


Choice = TypeVar("Choice", bound=str)


def choice_of(node: Fields, key: str, allowed: Collection[Choice]) -> Choice | None:
    """The text under `key` where it is one of `allowed`."""
    found = text_of(node, key)
    return next((choice for choice in allowed if choice == found), None)


# ── expressions and templates ─────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Language:
    """Parses and checks what stands in nodes; `calendars` are those that `during` may name."""

    report: Report
    calendars: frozenset[str] = frozenset()

    def expression(
        self, node: Node | None, key: str | None, names: Names | None, *, condition: bool = True
    ) -> Expression | None:
        """The expression in a scalar; with `names` its references are checked too."""
        if not isinstance(node, Scalar) or node.value is None:
            return None
        parsed = self._parsed(node, key)
        if parsed is not None and names is not None:
            self.report.extend(check(parsed, names, condition=condition, calendars=self.calendars))
        return parsed

    def template(self, node: Node | None, names: Names | None) -> Template | None:
        """The template in a text scalar; with `names` its expressions are checked too."""
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            return None
        parsed, problems = read_template(node.text, node.locate)
        self.report.extend(problems)
        if names is not None:
            for part in parsed.parts:
                if isinstance(part, Expression):
                    self.report.extend(check(part, names, calendars=self.calendars))
        return None if problems else parsed

    def value(self, node: Node, names: Names | None) -> Value:
        """A value in which every text is a template."""
        if isinstance(node, Items):
            return [self.value(item, names) for item in node.items]
        if isinstance(node, Fields):
            return {name: self.value(item, names) for name, item in node}
        if isinstance(node.value, str):
            return self.template(node, names)
        return node.value

    def values(self, node: Fields | None, names: Names | None) -> dict[str, Value]:
        """A mapping of such values."""
        return {name: self.value(item, names) for name, item in node or ()}

    def _parsed(self, node: Scalar, key: str | None) -> Expression | None:
        try:
            return parse(node.text, node.locate)
        except LangError as error:
            hint = quoting_hint(node, key)
            if hint is None:
                self.report.extend(error.problems)
            else:
                self.report.error(node.position, hint, "yaml")
            return None


Mode = Literal["observe", "approve", "auto"]
MODES: tuple[Mode, ...] = ("observe", "approve", "auto")


def constant(node: Node) -> bool:
    """Whether no template stands in the value."""
    if isinstance(node, Scalar):
        return not (isinstance(node.value, str) and "{{" in node.value)
    if isinstance(node, Items):
        return all(constant(item) for item in node.items)
    return all(constant(item) for _, item in node)


def is_secret(node: Node) -> bool:
    """Whether the value is a literal `{secret: …}`."""
    return isinstance(node, Fields) and "secret" in node
