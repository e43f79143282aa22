"""The syntax tree of an expression: what `parse` gives and everyone else reads.

Every node knows its `column`: 0-based, in characters, within the expression's own text.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Literal

from engine.core.errors import Position

Comparator = Literal["==", "!=", "<", "<=", ">", ">=", "in", "not in"]
Operator = Literal["+", "-", "*", "/", "%"]


@dataclass(frozen=True, slots=True)
class Literal_:  # noqa: N801 - `Literal` is typing's
    """A constant: null, boolean, number, string, or a size already multiplied out."""

    value: bool | int | float | str | None
    column: int


@dataclass(frozen=True, slots=True)
class Name:
    """A name on its own: a fact kind, a part, `host`, `labels`, `vars`, `time`, `inputs` …"""

    name: str
    column: int


@dataclass(frozen=True, slots=True)
class Field:
    """`base.name`; `column` is where `name` begins."""

    base: Node
    name: str
    column: int


@dataclass(frozen=True, slots=True)
class Subscript:
    """`base[index]`."""

    base: Node
    index: Node
    column: int


@dataclass(frozen=True, slots=True)
class Not:
    operand: Node
    column: int


@dataclass(frozen=True, slots=True)
class Negative:
    """Arithmetic `-operand`."""

    operand: Node
    column: int


@dataclass(frozen=True, slots=True)
class Arithmetic:
    operator: Operator
    left: Node
    right: Node
    column: int


@dataclass(frozen=True, slots=True)
class Compare:
    """`first op second op third …`: each neighbouring pair must hold."""

    first: Node
    rest: tuple[tuple[Comparator, Node], ...]
    column: int


@dataclass(frozen=True, slots=True)
class Bool:
    """`and` / `or` over two or more operands."""

    operator: Literal["and", "or"]
    operands: tuple[Node, ...]
    column: int


@dataclass(frozen=True, slots=True)
class Call:
    """A function of the language; `a | f(x)` is already `f(a, x)`."""

    function: str
    arguments: tuple[Node, ...]
    keywords: tuple[tuple[str, Node], ...]
    column: int


@dataclass(frozen=True, slots=True)
class ListOf:
    items: tuple[Node, ...]
    column: int


@dataclass(frozen=True, slots=True)
class Comprehension:
    """`[element for variable in source if condition]`."""

    element: Node
    variable: str
    source: Node
    condition: Node | None
    column: int


Node = (
    Literal_
    | Name
    | Field
    | Subscript
    | Not
    | Negative
    | Arithmetic
    | Compare
    | Bool
    | Call
    | ListOf
    | Comprehension
)


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression and where its text begins (see `engine.lang.yaml.Scalar`)."""

    text: str
    root: Node
    file: str
    line: int
    column: int
    names: frozenset[str]
    """Top-level names it reads (`disk`, `host`, `vars` …), comprehension variables excluded."""
    places: tuple[tuple[int, int, int], ...] = field(default=(), compare=False, repr=False)
    """`(offset, line, column)` wherever the text does not simply run on in its file (folded and
    block scalars, escapes); empty where it does."""
    spans: tuple[tuple[int, int], ...] = field(default=(), compare=False, repr=False)
    """Where the root's operands stand in `text` (start, end), if the root is `and` or `or`."""

    def position(self, column: int = 0) -> Position:
        """The place in its file of a node's `column`."""
        if not self.places:
            return Position(self.file, self.line, self.column + column)
        index = max(bisect_right(self.places, (column, 1 << 62, 0)) - 1, 0)
        offset, line, first = self.places[index]
        return Position(self.file, line, first + column - offset)


@dataclass(frozen=True, slots=True)
class Template:
    """Text with `{{ expression }}`; `parts` alternate as written. `whole` is the expression where
    the value is one `{{ … }}` and nothing else: its type is kept."""

    text: str
    parts: tuple[str | Expression, ...]
    file: str
    line: int
    column: int

    @property
    def whole(self) -> Expression | None:
        only = self.parts[0] if len(self.parts) == 1 else None
        return only if isinstance(only, Expression) else None

    @property
    def constant(self) -> bool:
        return not any(isinstance(part, Expression) for part in self.parts)
