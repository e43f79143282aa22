"""Facts from JSON lines, as `wakil simulate` takes them: whatever the lines hold."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from engine.cli.output import show
from engine.core.errors import FactRefused, WakilError
from engine.core.facts import Catalogue, Fact
from engine.lang.bounds import MAX_INTEGER
from engine.lang.door import Door

LOCAL_HOST: Final = "localhost"
"""Whose the facts without a host are, where the settings name nobody: the same on every machine."""
_DIGITS: Final = len(str(-MAX_INTEGER))
"""Characters of a whole number that is read exactly; one beyond 64 bits is read as most do it."""


class NotJson(WakilError):
    """A line that is not JSON."""

    code = "not-json"


def read_facts(lines: Iterable[bytes], name: str, kinds: Catalogue, host: str) -> Iterator[Fact]:
    """The facts of a file called `name`, in its order.

    What the door would refuse is a warning on standard error that names the line: a wrong type
    is let in as it is, what is no fact at all is left out. Raises NotJson.
    """
    door = Door(kinds)
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        place = f"{name}:{number}"
        try:
            raw = _parsed(line, place)
            admitted = door.admit_with_warnings(raw, host_default=host, strict=False)
        except FactRefused as refused:
            _warn(place, f"left out: {refused.message}")
            continue
        for warning in admitted.warnings:
            _warn(place, warning)
        yield admitted.fact


def _parsed(line: bytes, place: str) -> Any:
    try:
        return json.loads(line.rstrip().decode("utf-8-sig"), parse_int=_whole)
    except RecursionError:
        raise FactRefused("nested too deep") from None
    except UnicodeDecodeError as error:
        raise NotJson(f"{place}: not JSON: not UTF-8 at byte {error.start + 1}") from None
    except json.JSONDecodeError as error:
        raise NotJson(f"{place}: not JSON: {error.msg} at column {error.colno}") from None


def _whole(digits: str) -> int | float:
    if len(digits) <= _DIGITS and -MAX_INTEGER <= (value := int(digits)) <= MAX_INTEGER:
        return value
    return float(digits)


def _warn(place: str, what: str) -> None:
    show(f"{place}: warning: {what}", err=True)
