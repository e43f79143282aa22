""" "Did you mean": the nearest of the names there are."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from functools import lru_cache
from typing import Final

_CUTOFF: Final = 0.6


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name most like `name`, or None where none is near."""
    return _nearest(name, frozenset(known))


@lru_cache(maxsize=256)
def _nearest(name: str, known: frozenset[str]) -> str | None:
    lowered = {known_name.lower(): known_name for known_name in sorted(known, reverse=True)}
    wanted = name.lower()
    if wanted in lowered:
        return lowered[wanted]
    # What is much longer or shorter cannot be alike; a file of strange names stays cheap so.
    alike = [
        each for each in lowered if 2 * min(len(each), len(wanted)) >= _CUTOFF * len(each + wanted)
    ]
    found = get_close_matches(wanted, alike, n=1, cutoff=_CUTOFF) if alike else []
    return lowered[found[0]] if found else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?`, or nothing where no name is near."""
    found = nearest(name, known)
    return f"; did you mean '{found}'?" if found is not None else ""


def one_of(known: Iterable[str], most: int = 8) -> str:
    """`a, b and c`, cut off after `most`."""
    names = list(known)
    if len(names) > most:
        return ", ".join(names[:most]) + " …"
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)
