"""Walking syntax trees: what a node holds, what it reads, and when two are the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from operator import is_

from engine.lang.expression import nodes
from engine.lang.expression.nodes import Node


def reads(node: Node) -> frozenset[str]:
    """The top-level names that `node` reads; a comprehension's variable is none."""
    match node:
        case nodes.Name():
            return frozenset((node.name,))
        case nodes.Comprehension():
            inner = reads(node.element)
            if node.condition is not None:
                inner |= reads(node.condition)
            return (inner - {node.variable}) | reads(node.source)
        case _:
            return frozenset().union(*(reads(part) for part in parts_of(node)))


def parts_of(node: Node) -> tuple[Node, ...]:
    """The nodes directly within `node`."""
    match node:
        case nodes.Literal_() | nodes.Name():
            return ()
        case nodes.Field():
            return (node.base,)
        case nodes.Subscript():
            return (node.base, node.index)
        case nodes.Not() | nodes.Negative():
            return (node.operand,)
        case nodes.Arithmetic():
            return (node.left, node.right)
        case nodes.Compare():
            return (node.first, *(side for _, side in node.rest))
        case nodes.Bool():
            return node.operands
        case nodes.ListOf():
            return node.items
        case nodes.Call():
            return (*node.arguments, *(value for _, value in node.keywords))
        case nodes.Comprehension():
            condition = () if node.condition is None else (node.condition,)
            return (node.element, node.source, *condition)


def rebuilt(node: Node, change: Callable[[Node], Node]) -> Node:
    """`node` with `change` made to each node directly within it (but in a comprehension)."""
    if isinstance(node, nodes.Comprehension):
        return node
    before = parts_of(node)
    parts = tuple(map(change, before))
    if all(map(is_, parts, before)):
        return node
    match node:
        case nodes.Field():
            return replace(node, base=parts[0])
        case nodes.Subscript():
            return replace(node, base=parts[0], index=parts[1])
        case nodes.Not() | nodes.Negative():
            return replace(node, operand=parts[0])
        case nodes.Arithmetic():
            return replace(node, left=parts[0], right=parts[1])
        case nodes.Compare():
            operators = (operator for operator, _ in node.rest)
            rest = tuple(zip(operators, parts[1:], strict=True))
            return replace(node, first=parts[0], rest=rest)
        case nodes.Bool():
            return replace(node, operands=parts)
        case nodes.ListOf():
            return replace(node, items=parts)
        case nodes.Call():
            names = (name for name, _ in node.keywords)
            count = len(node.arguments)
            keywords = tuple(zip(names, parts[count:], strict=True))
            return replace(node, arguments=parts[:count], keywords=keywords)
        case _:
            return node


def shape(node: Node) -> str:
    """A text that two nodes share exactly where they are the same but for their columns."""
    match node:
        case nodes.Literal_():
            own = repr(node.value)
        case nodes.Name():
            own = node.name
        case nodes.Field():
            own = f".{node.name}"
        case nodes.Arithmetic() | nodes.Bool():
            own = node.operator
        case nodes.Compare():
            own = " ".join(operator for operator, _ in node.rest)
        case nodes.Call():
            own = f"{node.function}:{len(node.arguments)}:{[name for name, _ in node.keywords]}"
        case nodes.Comprehension():
            own = f"for {node.variable}"
        case _:
            own = ""
    inner = ",".join(shape(part) for part in parts_of(node))
    return f"{type(node).__name__}[{own!r}]({inner})"
