"""Text from strangers, made safe to show on one line."""

from __future__ import annotations

import re

_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # control characters
    "\u2028\u2029"  # line and paragraph separators
    "\u202a-\u202e\u2066-\u2069"  # what turns the direction of the text around it
    "\ud800-\udfff]"  # halves of characters
)


def escape_controls(text: str) -> str:
    """The text with whatever could forge a line, or move a terminal's cursor, as an escape
    (`\\n`, `\\x1b`, `\\u202e`)."""
    return _UNSAFE.sub(lambda found: ascii(found[0])[1:-1], text)
