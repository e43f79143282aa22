"""The syntax tree of an expression: what `parse` gives and everyone else reads.

Every node knows its `column`: 0-based, in characters, within the expression's own text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Comparator = Literal["==", "!=", "<", "<=", ">", ">=", "in", "not in"]
Operator = Literal["+", "-", "*", "/", "%"]


@dataclass(frozen=True, slots=True)
class Literal_:
    """A constant: null, boolean, number, string, or a size already multiplied out."""

    value: None | bool | int | float | str
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
