"""From text to syntax tree, by way of Python's `ast` and a white list."""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import lru_cache

from engine.core.errors import LangError, Position, Problem
from engine.lang.expression.convert import Converter
from engine.lang.expression.nodes import Bool, Expression, Node
from engine.lang.expression.order import check_order
from engine.lang.expression.tokens import Wrong, one_line, tokenize

Locate = Callable[[int], Position]


def parse(text: str, locate: Locate) -> Expression:
    """Reads one expression.

    `locate` gives the place in a file of a character offset in `text`. Raises `LangError` with
    one `Problem` at the place of the mistake; whatever the text is, nothing else comes out, and
    the work is bounded by 4,000 characters and 200 nodes.
    """
    try:
        return _parse(text, locate)
    except Wrong as wrong:
        place = locate(min(wrong.column, len(text)))
        raise LangError([Problem(place, wrong.message, "expression")]) from None


def at(file: str, line: int = 1, column: int = 1) -> Locate:
    """A `locate` for text that stands on one line of a file."""
    return lambda offset: Position(file, line, column + offset)


def _parse(text: str, locate: Locate) -> Expression:
    root, names, spans = _read(text)
    start = locate(0)
    return Expression(
        text=text,
        root=root,
        file=start.file,
        line=start.line,
        column=start.column,
        names=names,
        places=_places(text, locate),
        spans=spans,
    )


@lru_cache(maxsize=4096)
def _read(text: str) -> tuple[Node, frozenset[str], tuple[tuple[int, int], ...]]:
    """What a text says wherever it stands: root, names, spans. Remembered, because the same few
    texts stand in many rules, and a reload reads what has not changed again. Raises `Wrong`."""
    tokens = tokenize(text)
    check_order(text, tokens)
    line = one_line(text, tokens)
    body = _tree(line, text)
    converter = Converter(line, tokens)
    root = converter.convert(body)
    spans: tuple[tuple[int, int], ...] = ()
    if isinstance(root, Bool) and isinstance(body, ast.BoolOp):
        spans = tuple(converter.span(value) for value in body.values)
    return root, frozenset(converter.names), spans


def _tree(line: str, text: str) -> ast.expr:
    """The tree of one line; brackets around it let it begin with a space."""
    try:
        return ast.parse(f"({line})", mode="eval").body
    except SyntaxError as error:
        column = min(max((error.offset or 2) - 2, 0), len(text))
        raise Wrong(column, "this is not an expression of the language") from None
    except (MemoryError, RecursionError):
        raise Wrong(0, "this expression nests too deeply") from None
    except (ValueError, UnicodeEncodeError):
        raise Wrong(0, "this expression holds characters that are none") from None


def _places(text: str, locate: Locate) -> tuple[tuple[int, int, int], ...]:
    """Where the text does not run on character by character in its file."""
    last = len(text)
    first, end = locate(0), locate(last)
    if first.line == end.line and end.column - first.column == last:
        return ()
    places: list[tuple[int, int, int]] = []
    expected = (0, 0)
    for offset in range(last + 1):
        place = locate(offset)
        if (place.line, place.column) != expected:
            places.append((offset, place.line, place.column))
        expected = (place.line, place.column + 1)
    return tuple(places)
