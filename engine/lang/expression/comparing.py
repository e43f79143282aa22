"""Comparisons as closures; the shapes that conditions are made of have closures of their own."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any, Final

from engine.core.values import MISSING
from engine.lang.expression.nodes import Comparator, Compare, Field, ListOf, Literal_, Name, Node
from engine.lang.expression.values import contained, equal, ordered, read_field

Scope = Mapping[str, Any]
Evaluator = Callable[[Scope], Any]
_Pair = Callable[[Any, Any], bool]

_ORDERS: Final[Mapping[str, _Pair]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def holds(comparator: Comparator, left: Any, right: Any) -> bool:
    """Whether two values compare so; false where one is missing."""
    if left is MISSING or right is MISSING:
        return False
    if comparator in _ORDERS:
        return ordered(left, right) and bool(_ORDERS[comparator](left, right))
    if comparator in ("==", "!="):
        same = equal(left, right)
        return same is (comparator == "==")
    found = contained(left, right)
    return found is (comparator == "in")


def compile_compare(node: Compare, compile_node: Callable[[Node], Evaluator]) -> Evaluator:
    """The closure of a comparison, chained or not."""
    if len(node.rest) > 1:
        return _chain(node, compile_node)
    comparator, right = node.rest[0]
    if isinstance(right, Literal_):
        return _with_constant(node.first, comparator, right.value, compile_node)
    if comparator in ("in", "not in") and isinstance(right, ListOf):
        texts = _texts(right)
        if texts is not None:
            return _among(compile_node(node.first), texts, comparator == "in")
    first, second = compile_node(node.first), compile_node(right)
    return lambda scope: holds(comparator, first(scope), second(scope))


def _chain(node: Compare, compile_node: Callable[[Node], Evaluator]) -> Evaluator:
    first = compile_node(node.first)
    rest = tuple((comparator, compile_node(right)) for comparator, right in node.rest)

    def chained(scope: Scope) -> bool:
        left = first(scope)
        for comparator, right in rest:
            value = right(scope)
            if not holds(comparator, left, value):
                return False
            left = value
        return True

    return chained


def _with_constant(
    first: Node, comparator: Comparator, constant: Any, compile_node: Callable[[Node], Evaluator]
) -> Evaluator:
    read = compile_node(first)
    if comparator in _ORDERS:
        if type(constant) is int or type(constant) is float:
            return _number_order(first, read, _ORDERS[comparator], constant)
        if isinstance(constant, str):
            return _text_order(read, _ORDERS[comparator], constant)
        return lambda scope: False
    if comparator in ("==", "!=") and (constant is None or isinstance(constant, bool | str)):
        return _same(first, read, comparator == "==", constant)
    return lambda scope: holds(comparator, read(scope), constant)


def _number_order(first: Node, read: Evaluator, order: _Pair, constant: float) -> Evaluator:
    """`field > 90`: the commonest of all, so a field of a name is read right here."""
    if isinstance(first, Field) and isinstance(first.base, Name):
        base_name, name = first.base.name, first.name

        def field_order(scope: Scope) -> bool:
            base = scope.get(base_name)
            value = base.get(name) if type(base) is dict else read_field(base, name)
            kind = type(value)
            if kind is float or kind is int:
                return order(value, constant)
            return ordered(value, constant) and bool(order(value, constant))

        return field_order

    def number_order(scope: Scope) -> bool:
        value = read(scope)
        return ordered(value, constant) and bool(order(value, constant))

    return number_order


def _text_order(read: Evaluator, order: _Pair, constant: str) -> Evaluator:
    def text_order(scope: Scope) -> bool:
        value = read(scope)
        return isinstance(value, str) and bool(order(value, constant))

    return text_order


def _same(first: Node, read: Evaluator, wanted: bool, constant: Any) -> Evaluator:
    """`field == "x"`; text, booleans and null are equal to nothing of another type."""
    kind = type(constant)
    if isinstance(first, Field) and isinstance(first.base, Name):
        base_name, name = first.base.name, first.name

        def field_same(scope: Scope) -> bool:
            base = scope.get(base_name)
            value = base.get(name, MISSING) if type(base) is dict else read_field(base, name)
            if value is MISSING:
                return False
            return (type(value) is kind and value == constant) is wanted

        return field_same

    def same(scope: Scope) -> bool:
        value = read(scope)
        if value is MISSING:
            return False
        return (type(value) is kind and value == constant) is wanted

    return same


def _texts(items: ListOf) -> frozenset[str] | None:
    """The strings of a list literal that holds nothing else."""
    texts: set[str] = set()
    for item in items.items:
        if not isinstance(item, Literal_) or not isinstance(item.value, str):
            return None
        texts.add(item.value)
    return frozenset(texts)


def _among(read: Evaluator, texts: frozenset[str], wanted: bool) -> Evaluator:
    def among(scope: Scope) -> bool:
        value = read(scope)
        if value is MISSING:
            return False
        return (isinstance(value, str) and value in texts) is wanted

    return among
