"""Constants of a condition: variables put in their places, constant sub-expressions worked out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any, Final, TypeGuard

from engine.core.values import MISSING
from engine.lang.expression import nodes
from engine.lang.expression.nodes import Node
from engine.rules.durable.trees import parts_of, rebuilt

ITEMS: Final = 500
"""Longer lists stay as they are, and what is looked up in them is judged as a whole."""

Plain = None | bool | int | float | str

Evaluate = Callable[[Node], object]
"""The value of an expression that reads nothing, by the reference evaluator."""


def fold(node: Node, variables: Mapping[str, Any], evaluate: Evaluate) -> Node:
    """`node` with every variable and constant sub-expression of a plain value as a literal.

    What has no plain value (a missing variable, an object) stays as it is written.
    """

    def visit(node: Node) -> Node:
        match node:
            case nodes.Comprehension():
                return node
            case nodes.Field(nodes.Name("vars"), name):
                return _literal(variables.get(name, MISSING), node)
            case nodes.Subscript(nodes.Name("vars"), nodes.Literal_(str() as name)):
                return _literal(variables.get(name, MISSING), node)
        made = rebuilt(node, visit)
        constant = all(isinstance(part, nodes.Literal_) for part in parts_of(made))
        if constant and isinstance(made, nodes.Arithmetic | nodes.Negative):
            return _literal(evaluate(made), made)
        return made

    return visit(node)


def _literal(value: object, node: Node) -> Node:
    """`value` as a literal (a list of plain values as a list), else `node` as it was."""
    if _is_plain(value):
        return nodes.Literal_(value, node.column)
    if isinstance(value, list | tuple) and len(value) <= ITEMS and all(map(_is_plain, value)):
        return nodes.ListOf(tuple(nodes.Literal_(item, node.column) for item in value), node.column)
    return node


def _is_plain(value: object) -> TypeGuard[Plain]:
    if isinstance(value, float):
        return isfinite(value)
    return value is None or isinstance(value, bool | int | str)
