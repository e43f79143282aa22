"""Values as people read them: no quotes, no `repr`, nothing that moves a terminal's cursor."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from engine.core.values import MISSING
from engine.lang.expression.values import MAX_MADE, is_list

NOTHING: Final = "—"
"""What a missing value looks like in text for people."""
_MAX_ITEMS: Final = 1000
_MAX_DEPTH: Final = 8
_UNSAFE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_NAMED: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def worded(value: Any, nothing: str = "null") -> str:
    """`value` as text: `true`, `95`, `0.25`, `a, b`, `name: x, id: 3`; `nothing` for null."""
    return _worded(value, nothing, _MAX_DEPTH)[:MAX_MADE]


def number_text(number: float) -> str:
    """A number at 12 significant digits at most, whole ones without a point."""
    if isinstance(number, int):
        return str(number) if number.bit_length() <= 1024 else f"about 2^{number.bit_length()}"
    if number != number or number in (float("inf"), float("-inf")):
        return "not a number" if number != number else ("infinity" if number > 0 else "-infinity")
    if number.is_integer() and abs(number) < 1e15:
        return str(int(number))
    return f"{number:.12g}"


def escaped(text: str) -> str:
    """`text` with control characters, and those that turn the direction of writing, spelled out
    (`\\n`, `\\x1b`, `\\u202e`), so that no terminal or log line is fooled by what a fact says."""
    return _UNSAFE.sub(_spell, text)


def _spell(found: re.Match[str]) -> str:
    character = found.group()
    code = ord(character)
    return _NAMED.get(character) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")


def _worded(value: Any, nothing: str, depth: int) -> str:
    if isinstance(value, str):
        return value
    if value is None or value is MISSING:
        return nothing
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number_text(value)
    if depth == 0:
        return "…"
    if isinstance(value, Mapping):
        shown = [
            f"{_worded(key, nothing, 0)}: {_worded(item, nothing, depth - 1)}"
            for key, item in list(value.items())[:_MAX_ITEMS]
        ]
    elif is_list(value):
        shown = [_worded(item, nothing, depth - 1) for item in value[:_MAX_ITEMS]]
    else:
        return type(value).__name__
    return ", ".join(shown) + (" …" if len(value) > _MAX_ITEMS else "")
