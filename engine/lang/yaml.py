"""YAML text to a tree of nodes with positions: the 1.2 core schema, and of it only JSON's values.

What a plain scalar means: `true`, `false`, `null` and an empty value (null) are themselves; a
decimal number as the core schema writes it (`5`, `-1.5`, `1e3`, `007` is 7) is a number; all else
is text: `no`, `on`, `True`, `~`, `0x1F`, `12:30`, `2026-01-01`, `.inf`. Keys are text as written.

Size, depth and aliases are measured on the parser's event stream, which comes piece by piece and
does not recurse; the tree is built without recursion too. PyYAML's composers are never used.
"""

from __future__ import annotations

import re
from typing import Any, Final

import yaml

from engine.core.errors import LangError, Position, Problem
from engine.lang.yaml_hints import explain_syntax
from engine.lang.yaml_nodes import (
    Fields,
    Items,
    Node,
    Scalar,
    Source,
    Style,
    kind_of,
    shorten,
    to_json,
)
from engine.lang.yaml_tree import TreeBuilder

__all__ = [
    "MAX_BYTES",
    "Fields",
    "Items",
    "Node",
    "Scalar",
    "Source",
    "Style",
    "kind_of",
    "parse",
    "parse_partly",
    "shorten",
    "to_json",
]

MAX_BYTES: Final = 1_000_000
_LOADER: Final[Any] = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
_UNPRINTABLE: Final = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)


def parse(data: bytes | str, file: str) -> Node:
    """The tree of the one document in `data`; an empty one is a null scalar.

    Raises LangError with every problem found.
    """
    node, problems = parse_partly(data, file)
    if problems or node is None:
        raise LangError(problems)
    return node


def parse_partly(data: bytes | str, file: str) -> tuple[Node | None, list[Problem]]:
    """As `parse`, but gives the tree beside its problems where it could be built all the same."""
    text, problem = _decode(data, file)
    if text is None:
        return None, [problem] if problem else []
    source = Source(file, text)
    builder = TreeBuilder(source)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            if not builder.take(event):
                break
    except yaml.MarkedYAMLError as error:
        builder.problems.append(_syntax(error, source))
        return None, builder.problems
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = shorten(str(error).splitlines()[0], 200)
        builder.problems.append(Problem(Position(file), f"not YAML: {reason}", "yaml"))
        return None, builder.problems
    return builder.root, builder.problems


def _decode(data: bytes | str, file: str) -> tuple[str | None, Problem | None]:
    size = len(data)
    if size > MAX_BYTES:
        message = f"the file has {size:,} bytes; at most 1 MB is read"
        return None, Problem(Position(file), message, "too-large")
    if isinstance(data, bytes):
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            place = Source(file, data[: error.start].decode("utf-8", "replace"))
            message = f"not UTF-8 text (byte 0x{data[error.start]:02x})"
            if b"\0" in data:
                message = "a binary file, not UTF-8 text"
            return None, Problem(place.position(len(place.text)), message, "encoding")
    else:
        text = data
    if text.startswith("\ufeff"):
        message = "begins with a byte order mark; save the file as UTF-8 without one"
        return None, Problem(Position(file), message, "encoding")
    if found := _UNPRINTABLE.search(text):
        code = 0 if "\0" in text else ord(found[0])
        message = f"the control character U+{code:04X} cannot stand in YAML"
        if code == 0:
            message = "a binary file (it holds a NUL byte), not UTF-8 text"
        return None, Problem(Source(file, text).position(found.start()), message, "encoding")
    return text, None


def _syntax(error: yaml.MarkedYAMLError, source: Source) -> Problem:
    mark = error.problem_mark or error.context_mark
    index = source.index(mark.line + 1, mark.column + 1) if mark else 0
    context = error.context_mark
    began = source.index(context.line + 1, context.column + 1) if context else None
    place, message = explain_syntax(source, index, began, error.problem or "not YAML")
    return Problem(source.position(place), message, "yaml")
