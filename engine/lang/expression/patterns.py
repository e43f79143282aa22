"""RE2 patterns: literals only, linear always, compiled once."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import re2

_MEMORY: Final = 8 << 20
"""Bytes of a pattern's automaton. With less RE2 falls back from states it remembers to states it
simulates: a hundred times slower on 50 kB of text (measured)."""
_INSTRUCTIONS: Final = 2_500
"""What a compiled pattern may have, since the fallback's time is instructions times text."""


@lru_cache(maxsize=4096)
def compile_pattern(pattern: str) -> Any:
    """The compiled pattern (`search` and `fullmatch` of UTF-8 bytes: half the time of text, whose
    positions RE2's wrapper would count); raises `ValueError` with RE2's reason."""
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY
    options.never_capture = True  # groups would cost a second, slower pass, and nobody reads them
    try:
        compiled = re2.compile(pattern.encode("utf-8"), options)
    except re2.error as error:
        reason = error.args[0] if error.args else "not a pattern"
        shown = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise ValueError(shown) from None
    if compiled.programsize > _INSTRUCTIONS:
        raise ValueError("pattern too large; shorten its repetitions")
    return compiled


def utf8(text: str) -> bytes:
    """`text` as RE2 takes it: halves of surrogate pairs become U+FFFD."""
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return whole.encode("utf-8")
