"""Builds the node tree from parser events with an explicit stack, and counts as it goes."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from engine.core.errors import Problem
from engine.lang.yaml_hints import explain_syntax, quote
from engine.lang.yaml_nodes import Fields, Items, Node, Scalar, Source, Style, shorten
from engine.lang.yaml_scalars import content_start

MAX_DEPTH: Final = 64
MAX_ALIASED: Final = 10_000
MAX_NODES: Final = 100_000
MAX_PROBLEMS: Final = 100
_NUMBER: Final = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_INTEGER: Final = re.compile(r"[-+]?[0-9]+")
_STYLES: Final[dict[str | None, Style]] = {
    None: "plain", "": "plain", "'": "single", '"': "double", "|": "literal", ">": "folded",
}  # fmt: skip
_WORDS: Final = {"true": True, "false": False, "null": None, "": None}


@dataclass(slots=True)
class _Open:
    """A collection whose end has not come yet."""

    start: int
    flow: bool
    mapping: bool
    anchor: str | None
    items: list[Node] = field(default_factory=list)
    entries: list[tuple[Scalar, Node]] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    key: Scalar | None = None
    waits_for_value: bool = False
    size: int = 1
    height: int = 1


@dataclass(frozen=True, slots=True)
class _Anchored:
    node: Node
    size: int
    height: int


class TreeBuilder:
    """Takes events one by one; `root` is the tree once all came, `problems` what was wrong."""

    def __init__(self, source: Source) -> None:
        self.root: Node | None = None
        self.problems: list[Problem] = []
        self._source = source
        self._stack: list[_Open] = []
        self._anchors: dict[str, _Anchored] = {}
        self._aliased = 0
        self._documents = 0
        self._nodes = 0

    def take(self, event: Any) -> bool:
        """Handles one event; False where reading must stop (a limit was passed)."""
        if len(self.problems) >= MAX_PROBLEMS:
            return False
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        if isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            return self._open(event)
        if isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            return self._close()
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        if isinstance(event, yaml.DocumentStartEvent):
            return self._document(event)
        if isinstance(event, yaml.StreamEndEvent) and self._documents == 0:
            end = len(self._source.text)
            self.root = Scalar(None, "", "plain", self._source, end, end)
        return True

    def _problem(self, index: int, message: str, code: str = "yaml") -> None:
        self.problems.append(Problem(self._source.position(index), message, code))

    def _document(self, event: Any) -> bool:
        self._documents += 1
        if self._documents > 1:
            self._problem(
                event.start_mark.index, "a second document ('---'): one file, one document"
            )
            return False
        return True

    def _refuse_tag(self, event: Any) -> None:
        if event.tag is not None:
            shown = shorten(event.tag.replace("tag:yaml.org,2002:", "!!"))
            self._problem(event.start_mark.index, f"tags are not read: remove '{shown}'", "tag")

    def _scalar(self, event: Any) -> bool:
        self._refuse_tag(event)
        style = _STYLES[event.style]
        start, end = event.start_mark.index, event.end_mark.index
        if event.anchor or event.tag:
            start = min(content_start(self._source.text, start), end)
        value = event.value if style != "plain" else self._resolve(event.value, start)
        node = Scalar(value, event.value, style, self._source, start, end)
        return self._add(node, 1, 0, event.anchor)

    def _resolve(self, text: str, start: int) -> bool | int | float | str | None:
        """The value of a plain scalar (see `engine.lang.yaml`)."""
        if text in _WORDS:
            return _WORDS[text]
        if not _NUMBER.fullmatch(text):
            return text
        if _INTEGER.fullmatch(text) and len(text) <= 20:
            number = int(text)
            if -(2**63) <= number < 2**63:
                return number
        elif not _INTEGER.fullmatch(text) and math.isfinite(value := float(text)):
            return value
        self._problem(start, f"the number {shorten(text, 30)} is too large", "number")
        return 0

    def _open(self, event: Any) -> bool:
        self._refuse_tag(event)
        if len(self._stack) >= MAX_DEPTH:
            message = f"nested deeper than {MAX_DEPTH} levels"
            self._problem(event.start_mark.index, message, "too-deep")
            return False
        start = event.start_mark.index
        if event.anchor or event.tag:
            start = content_start(self._source.text, start)
        mapping = isinstance(event, yaml.MappingStartEvent)
        parent = self._stack[-1] if self._stack else None
        if parent is not None and parent.mapping and not parent.waits_for_value:
            self._complex_key(start)
            return False
        self._stack.append(_Open(start, bool(event.flow_style), mapping, event.anchor))
        return True

    def _complex_key(self, start: int) -> None:
        text = self._source.text
        if text[start - 1 : start + 1] == "{{":
            line = self._source.position(start).line
            rest = text[start - 1 :].split("\n", 1)[0]
            at, message = explain_syntax(self._source, start - 1, None, "did not find expected")
            if self._source.position(at).line == line and "quote" in message:
                self._problem(at, message, "key")
                return
            message = f"YAML reads '{{{{' as a mapping; quote the whole value: {quote(rest)}"
            self._problem(start - 1, shorten(message, 200), "key")
            return
        self._problem(start, "a key must be text, not a list or a mapping", "key")

    def _close(self) -> bool:
        done = self._stack.pop()
        node: Node
        if done.mapping:
            node = Fields(tuple(done.entries), self._source, done.start, done.flow)
        else:
            node = Items(tuple(done.items), self._source, done.start, done.flow)
        return self._add(node, done.size, done.height, done.anchor)

    def _alias(self, event: Any) -> bool:
        start = event.start_mark.index
        if any(level.anchor == event.anchor for level in self._stack):
            self._problem(start, f"the alias *{event.anchor} stands inside itself", "alias")
            return False
        target = self._anchors.get(event.anchor)
        if target is None:
            self._problem(start, f"no anchor &{event.anchor} stands before this alias", "alias")
            return False
        self._aliased += target.size
        if self._aliased > MAX_ALIASED:
            self._problem(start, f"aliases stand for more than {MAX_ALIASED:,} nodes", "alias")
            return False
        if len(self._stack) + target.height > MAX_DEPTH:
            self._problem(start, f"nested deeper than {MAX_DEPTH} levels", "too-deep")
            return False
        return self._add(target.node, target.size, target.height, None)

    def _add(self, node: Node, size: int, height: int, anchor: str | None) -> bool:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            self._problem(node.start, f"more than {MAX_NODES:,} values in one file", "too-large")
            return False
        if anchor is not None:
            self._anchors[anchor] = _Anchored(node, size, height)
        if not self._stack:
            self.root = node
            return True
        parent = self._stack[-1]
        parent.size += size
        parent.height = max(parent.height, height + 1)
        if not parent.mapping:
            parent.items.append(node)
        elif not parent.waits_for_value:
            if not isinstance(node, Scalar):
                self._problem(node.start, "a key must be text, not a list or a mapping", "key")
                return False
            parent.key, parent.waits_for_value = node, True
        elif parent.key is not None:
            self._add_entry(parent, parent.key, node)
            parent.waits_for_value = False
        return True

    def _add_entry(self, parent: _Open, key: Scalar, value: Node) -> None:
        if key.text in parent.names:
            first = next(k for k, _ in parent.entries if k.text == key.text).position
            shown = shorten(key.text)
            self._problem(key.start, f"the key '{shown}' stands twice; first in line {first.line}",
                          "duplicate-key")  # fmt: skip
            return
        parent.names.add(key.text)
        parent.entries.append((key, value))
