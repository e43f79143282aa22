"""RE2 patterns: literals only, linear always, compiled once."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import re2

_MEMORY = 1 << 20  # bytes a compiled pattern may take: bounds `(a{1000}){1000}` and the like


@lru_cache(maxsize=4096)
def compile_pattern(pattern: str) -> Any:
    """The compiled pattern (`search`, `fullmatch`); raises `ValueError` with RE2's reason."""
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0] if error.args else "not a pattern"
        shown = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise ValueError(shown) from None


def without_surrogates(text: str) -> str:
    """`text` as RE2 can take it: halves of surrogate pairs become U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
