""" "Did you mean": the nearest of the names there are."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name most like `name`, or None where none is near."""
    names = sorted(set(known))
    lowered = {known_name.lower(): known_name for known_name in reversed(names)}
    if name.lower() in lowered:
        return lowered[name.lower()]
    found = get_close_matches(name.lower(), list(lowered), n=1, cutoff=0.6)
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
