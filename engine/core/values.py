"""Values that every layer shares: JSON, the missing value, durations, sizes and instants.

Instants and durations are integers of microseconds everywhere inside Wakil; text forms exist
only at the edges (YAML, JSON, people).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

Json: TypeAlias = bool | int | float | str | list[Any] | dict[str, Any] | None

SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
WEEK: Final = 7 * DAY

_UNITS: Final = {"s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY, "w": WEEK}
_DURATION: Final = re.compile(r"(0|[1-9][0-9]{0,8})([smhdw])")
_SIZES: Final = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
_SIZE: Final = re.compile(r"(0|[1-9][0-9]{0,11}) ?(KiB|MiB|GiB|TiB)")
_is_instant: Final = re.compile(
    r"(?:1[1-9]|[2-8]\d)\d\d-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,18})?([Zz]|[+-]\d\d:\d\d)"
).fullmatch
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS: Final = (-62_135_596_800, 253_402_300_799)
"""Since the epoch: the first of the year 1, the last of the year 9999."""


class Missing:
    """The type of `MISSING`: what an expression gives where there is no value."""

    _only: Missing | None = None

    def __new__(cls) -> Missing:
        if cls._only is None:
            cls._only = super().__new__(cls)
        return cls._only

    def __repr__(self) -> str:
        return "MISSING"

    def __bool__(self) -> bool:
        return False


MISSING: Final = Missing()


def parse_duration(text: object) -> int | None:
    """`5m` in microseconds; None where `text` is not a duration (a bare number is not one)."""
    if not isinstance(text, str) or not (found := _DURATION.fullmatch(text)):
        return None
    return int(found[1]) * _UNITS[found[2]]


def format_duration(microseconds: int) -> str:
    """The largest whole unit that says it exactly: 300_000_000 is `5m`; below a second `0.25s`."""
    for unit in ("w", "d", "h", "m", "s"):
        if microseconds and microseconds % _UNITS[unit] == 0:
            return f"{microseconds // _UNITS[unit]}{unit}"
    return "0s" if microseconds == 0 else f"{microseconds / SECOND:g}s"


def parse_size(text: object) -> int | None:
    """`500 MiB` in bytes; None where `text` is not a size."""
    if not isinstance(text, str) or not (found := _SIZE.fullmatch(text)):
        return None
    return int(found[1]) * _SIZES[found[2]]


def parse_instant(text: object) -> int | None:
    """RFC 3339 text with a zone in microseconds UTC; None where `text` is not one.

    Years are 1100 to 8999, so that calendars and zones stay within what a date can say; digits
    beyond microseconds are cut off.
    """
    if not isinstance(text, str) or not _is_instant(text):
        return None
    try:
        since = datetime.fromisoformat(text if text[-1] != "z" else text.upper()) - _EPOCH
    except ValueError:
        return None
    return (since.days * 86400 + since.seconds) * SECOND + since.microseconds


def format_instant(microseconds: int) -> str:
    """RFC 3339 in UTC, with a fraction only where there is one: `2026-01-01T00:00:00Z`.

    A deadline beyond the year 9999 is said as its end.
    """
    seconds, fraction = divmod(microseconds, SECOND)
    if not _SECONDS[0] <= seconds <= _SECONDS[1]:
        seconds, fraction = min(max(seconds, _SECONDS[0]), _SECONDS[1]), 0
    text = datetime.fromtimestamp(seconds, UTC).isoformat()[:19]
    return f"{text}.{fraction:06d}".rstrip("0") + "Z" if fraction else f"{text}Z"
