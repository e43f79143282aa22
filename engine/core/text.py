"""Text from strangers, made safe to show on one line."""

from __future__ import annotations

import re

_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # control characters
    "\u2028\u2029"  # line and paragraph separators
    "\u202a-\u202e\u2066-\u2069"  # what turns the direction of the text around it
    "\ud800-\udfff]"  # halves of characters
)

_UNSAFE_IN_JSON = re.compile("[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""What a writer of JSON may leave as it is."""


def escape_controls(text: str) -> str:
    """The text with whatever could forge a line, or move a terminal's cursor, as an escape
    (`\\n`, `\\x1b`, `\\u202e`)."""
    return _UNSAFE.sub(lambda found: ascii(found[0])[1:-1], text)


def escape_lines(text: str) -> str:
    """The same for text of several lines, which stay lines."""
    return "\n".join(escape_controls(line) for line in text.split("\n"))


def escape_json(text: str) -> str:
    """JSON text that says the same with those characters as JSON's own escapes; what JSON has
    between its values stays."""
    return _UNSAFE_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
