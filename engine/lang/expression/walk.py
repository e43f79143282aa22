"""Walking a tree: what an expression reads, and whether the clock is part of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from engine.lang.expression.nodes import (
    Arithmetic,
    Bool,
    Call,
    Compare,
    Comprehension,
    Expression,
    Field,
    ListOf,
    Literal_,
    Name,
    Negative,
    Node,
    Not,
    Subscript,
)
from engine.lang.expression.types import NameType
from engine.lang.expression.unparse import unparse

_SHOWN: Final = {
    "number": "a number",
    "integer": "a whole number",
    "string": "text",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}


def shown_types(found: NameType) -> str:
    """`a number`, `text or a list`: a type as messages name it."""
    names = [_SHOWN[name] for name in _SHOWN if name in found.types]
    if "number" in found.types and "integer" in found.types:
        names.remove(_SHOWN["integer"])
    return " or ".join(names) or "anything"


def start_column(node: Node) -> int:
    """Where a node's text begins: a field's or subscript's own column is further right."""
    while isinstance(node, Field | Subscript):
        node = node.base
    return node.column


def children(node: Node) -> tuple[Node, ...]:
    """The nodes directly beneath, in the order they are written."""
    match node:
        case Literal_() | Name():
            return ()
        case Field(base):
            return (base,)
        case Subscript(base, index):
            return (base, index)
        case Not(operand) | Negative(operand):
            return (operand,)
        case Arithmetic(_, left, right):
            return (left, right)
        case Compare(first, rest):
            return (first, *(right for _, right in rest))
        case Bool(_, operands):
            return operands
        case Call(_, arguments, keywords):
            return (*arguments, *(value for _, value in keywords))
        case ListOf(items):
            return items
        case Comprehension(element, _, source, condition):
            return (source, element) if condition is None else (source, condition, element)


def walk(node: Node) -> Iterator[Node]:
    """The node and all beneath it."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        yield current
        waiting.extend(reversed(children(current)))


def read_names(node: Node) -> frozenset[str]:
    """Top-level names a node reads; a comprehension's variable is none."""
    if isinstance(node, Name):
        return frozenset({node.name})
    found: frozenset[str] = frozenset()
    if isinstance(node, Comprehension):
        inner = read_names(node.element)
        if node.condition is not None:
            inner |= read_names(node.condition)
        return read_names(node.source) | (inner - {node.variable})
    for child in children(node):
        found |= read_names(child)
    return found


def read_fields(expression: Expression | Node, name: str) -> frozenset[str]:
    """The first-level fields read of a top-level name: `mount` of `disk.mount` and
    `disk["mount"]`. The name read whole, or by a key that is not written out, gives `*`."""
    root = expression.root if isinstance(expression, Expression) else expression
    found: set[str] = set()
    _gather(root, name, found)
    return frozenset(found)


def _gather(node: Node, name: str, found: set[str]) -> None:
    match node:
        case Name(own):
            if own == name:
                found.add("*")
            return
        case Field(Name(own), read) if own == name:
            found.add(read)
            return
        case Subscript(Name(own), Literal_(str() as read)) if own == name:
            found.add(read)
            return
        case Comprehension(_, variable, source, _) if variable == name:
            _gather(source, name, found)
            return
    for child in children(node):
        _gather(child, name, found)


def uses_time(expression: Expression | Node) -> bool:
    """Whether truth depends on the clock: `time` or `during`."""
    root = expression.root if isinstance(expression, Expression) else expression
    return "time" in read_names(root) or bool(calendars_of(root))


def calendars_of(expression: Expression | Node) -> frozenset[str]:
    """The calendars that `during` names; `*` where a name is not written out."""
    root = expression.root if isinstance(expression, Expression) else expression
    found: set[str] = set()
    for node in walk(root):
        if isinstance(node, Call) and node.function == "during":
            argument = node.arguments[0]
            written = isinstance(argument, Literal_) and isinstance(argument.value, str)
            found.add(str(argument.value) if written and isinstance(argument, Literal_) else "*")
    return frozenset(found)


def optional_reads(expression: Expression, names: Mapping[str, NameType]) -> list[Field]:
    """Fields the expression reads that may be absent and that nothing covers: neither
    `default(…)` nor a `defined(…)` of the same field."""
    covered: set[str] = set()
    reads: list[Field] = []
    for node in walk(expression.root):
        if isinstance(node, Call) and node.function in ("defined", "default", "get"):
            covered.update(unparse(inner) for inner in walk(node.arguments[0]))
        elif isinstance(node, Field):
            reads.append(node)
    return [node for node in reads if unparse(node) not in covered and _optional(node, names)]


def _optional(node: Node, names: Mapping[str, NameType]) -> bool:
    found = _declared(node, names)
    return found is not None and found.optional


def _declared(node: Node, names: Mapping[str, NameType]) -> NameType | None:
    if isinstance(node, Name):
        return names.get(node.name)
    if isinstance(node, Field):
        owner = _declared(node.base, names)
        if owner is None or owner.fields is None:
            return None
        return owner.fields.get(node.name)
    return None
