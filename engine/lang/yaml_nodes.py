"""The tree that YAML text becomes: every value knows its file, line and column."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, TypeAlias

from engine.core.errors import Position
from engine.lang.yaml_scalars import source_offsets

Style = Literal["plain", "single", "double", "literal", "folded"]
_BREAK = re.compile(r"\r\n|\r|\n")


class Source:
    """A file's text, by which an index becomes line and column (in characters, from 1)."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(found.end() for found in _BREAK.finditer(self.text))]

    def position(self, index: int) -> Position:
        """The place of the character at `index`."""
        index = max(0, min(index, len(self.text)))
        line = bisect_right(self._line_starts, index)
        return Position(self.file, line, index - self._line_starts[line - 1] + 1)

    def index(self, line: int, column: int) -> int:
        """The index of the character at `line` and `column` (from 1); the end where there is
        none."""
        starts = self._line_starts
        if line > len(starts):
            return len(self.text)
        return min(starts[line - 1] + column - 1, len(self.text))

    def line(self, number: int) -> str:
        """The text of a line (from 1), without its break; empty beyond the end."""
        starts = self._line_starts
        if not 0 < number <= len(starts):
            return ""
        end = starts[number] if number < len(starts) else len(self.text)
        return self.text[starts[number - 1] : end].rstrip("\r\n")


@dataclass(frozen=True, slots=True, eq=False)
class Scalar:
    """A single value. `value` is what it means, `text` its characters after YAML's quoting.

    `start` and `end` are indices into the source, quotes included.
    """

    value: bool | int | float | str | None
    text: str
    style: Style
    source: Source = field(repr=False)
    start: int
    end: int

    @property
    def position(self) -> Position:
        """Where the value's first character stands: inside the quotes, if any."""
        return self.locate(0)

    @property
    def outset(self) -> Position:
        """Where the scalar begins, quote or block indicator included."""
        return self.source.position(self.start)

    def locate(self, offset: int) -> Position:
        """The place of the character at `offset` of `text`, whatever quoting or folding did."""
        offset = max(0, offset)
        quotes = {"plain": 0, "single": 2, "double": 2}.get(self.style, -1)
        if self.end - self.start - quotes == len(self.text):  # nothing was escaped or folded
            return self.source.position(self.start + quotes // 2 + min(offset, len(self.text)))
        places = source_offsets(self.source.text, self.start, self.end, self.style, self.text)
        if not places:
            return self.source.position(self.start)
        if offset < len(places):
            return self.source.position(places[offset])
        return self.source.position(places[-1] + 1)


@dataclass(frozen=True, slots=True, eq=False)
class Items:
    """A list of nodes."""

    items: tuple[Node, ...]
    source: Source = field(repr=False)
    start: int
    flow: bool = False

    @property
    def position(self) -> Position:
        return self.source.position(self.start)

    @property
    def outset(self) -> Position:
        return self.position


@dataclass(frozen=True, slots=True, eq=False)
class Fields:
    """Keys and values in the order written; keys are text, each once."""

    entries: tuple[tuple[Scalar, Node], ...]
    source: Source = field(repr=False)
    start: int
    flow: bool = False

    @property
    def position(self) -> Position:
        return self.source.position(self.start)

    @property
    def outset(self) -> Position:
        return self.position

    def __iter__(self) -> Iterator[tuple[str, Node]]:
        for key, value in self.entries:
            yield key.text, value

    def __contains__(self, name: str) -> bool:
        return self.key(name) is not None

    def get(self, name: str) -> Node | None:
        """The value under `name`; None where the key is absent."""
        for key, value in self.entries:
            if key.text == name:
                return value
        return None

    def key(self, name: str) -> Scalar | None:
        """The key `name` itself, for its place."""
        for key, _ in self.entries:
            if key.text == name:
                return key
        return None


Node: TypeAlias = Scalar | Items | Fields


def to_json(node: Node) -> Any:
    """The plain value of a node: dict, list, or scalar. Depth is bounded by the reader."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Items):
        return [to_json(item) for item in node.items]
    return {key: to_json(value) for key, value in node}


def kind_of(node: Node) -> str:
    """What a person would call the value: `a list`, `the number 5`, `text` …"""
    if isinstance(node, Items):
        return "a list"
    if isinstance(node, Fields):
        return "a mapping"
    value = node.value
    if value is None:
        return "null" if node.text == "null" else "nothing"
    if isinstance(value, bool):
        return node.text
    if isinstance(value, (int, float)):
        return f"the number {node.text}"
    return f"'{shorten(value)}'"


def shorten(text: str, limit: int = 60) -> str:
    """Text fit for one line of a message: control characters escaped, the middle cut out."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return shown if len(shown) <= limit else f"{shown[: limit - 1]}…"
