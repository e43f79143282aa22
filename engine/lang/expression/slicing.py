"""Parts of an expression as expressions of their own, each with its true place in the file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from engine.core.errors import Position
from engine.lang.expression.nodes import Bool, Expression
from engine.lang.expression.parsing import parse


def operands(expression: Expression, operator: Literal["and", "or"]) -> list[Expression]:
    """What the operator joins at the top, nested brackets of the same operator opened; the
    expression itself where something else stands at its top."""
    root = expression.root
    if not isinstance(root, Bool) or root.operator != operator:
        return [expression]
    found: list[Expression] = []
    for start, end in expression.spans:
        found.extend(operands(_slice(expression, start, end), operator))
    return found


def joined(pieces: Sequence[Expression], operator: Literal["and", "or"]) -> Expression:
    """Several expressions as one; each piece keeps its places."""
    if len(pieces) == 1:
        return pieces[0]
    text = ""
    origins: list[tuple[int, Expression]] = []
    for piece in pieces:
        if text:
            text += f" {operator} "
        bracketed = isinstance(piece.root, Bool) and piece.root.operator != operator
        text += "(" if bracketed else ""
        origins.append((len(text), piece))
        text += piece.text + (")" if bracketed else "")

    def locate(offset: int) -> Position:
        start, piece = origins[0]
        for origin in origins:
            if origin[0] <= offset:
                start, piece = origin
        return piece.position(min(max(offset - start, 0), len(piece.text)))

    return parse(text, locate)


def _slice(expression: Expression, start: int, end: int) -> Expression:
    return parse(
        expression.text[start:end],
        lambda offset: expression.position(start + offset),
    )
