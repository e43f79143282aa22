"""Nets of durable-rules over one integer: which ranges does a code lie in?

The C module is driven directly: `durable.lang.host` would start threads and round-trip its state
as JSON. What it demands is kept here: few comparisons a net, every drain finished, a net never
used again after an error, its state deleted before its rules (else it leaks) and only after a
first drain (else it crashes), and one caller at a time (the caller holds a lock).
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import durable_rules_engine as durable

Range = tuple[int, int]
"""Codes from the first to the second, both included; the second None-free and not below."""

COMPARISONS: Final = 60
"""At most so many comparisons in a net: creation hangs from 512, and an answer of more than 64
satisfied rules is refused."""

_SID: Final = "0"
_ALIVE: Final = "a"
_numbers = itertools.count(1)


class NetRefused(Exception):
    """durable-rules would not take a net or a question; the net is gone."""


def _rule(low: int, high: int) -> dict[str, Any]:
    if low == high:
        return {"$eq": {"c": low}}
    return {"$and": [{"$gte": {"c": low}}, {"$lte": {"c": high}}]}


def _cost(span: Range) -> int:
    return 1 if span[0] == span[1] else 2


def share_out(ranges: Iterable[Range]) -> Iterator[list[Range]]:
    """Distinct ranges in portions that each fit one net."""
    portion: list[Range] = []
    used = 1  # the rule that shows the net alive
    for span in sorted(set(ranges)):
        if used + _cost(span) > COMPARISONS:
            yield portion
            portion, used = [], 1
        portion.append(span)
        used += _cost(span)
    if portion:
        yield portion


class Net:
    """One rule set of durable-rules: a rule for each range, and one that always fires.

    The rule that always fires is drained at creation, and missing from an answer shows that
    matches were lost.
    """

    def __init__(self, ranges: Sequence[Range]) -> None:
        self._ranges = tuple(ranges)
        self._handle: int | None = None
        self._drained = False
        rules = {_ALIVE: {"all": [{"m": {"$gte": {"c": 0}}}]}}
        for place, (low, high) in enumerate(self._ranges):
            rules[f"r{place}"] = {"all": [{"m": _rule(low, high)}]}
        try:
            self._handle = durable.create_ruleset(f"n{next(_numbers)}", json.dumps(rules))
        except Exception as error:
            raise NetRefused(str(error)) from error
        self.ask(0)

    def ask(self, code: int) -> frozenset[Range]:
        """The ranges that hold `code`. Raises NetRefused, and the net is closed then."""
        if self._handle is None:
            raise NetRefused("the net is closed")
        try:
            fired = self._fired(self._handle, f'{{"id":"q","sid":"{_SID}","c":{code:d}}}')
        except Exception as error:
            self.close()
            raise NetRefused(str(error)) from error
        if _ALIVE not in fired:
            self.close()
            raise NetRefused(f"matches of code {code} were lost")
        fired.remove(_ALIVE)
        return frozenset(self._ranges[int(name[1:])] for name in fired)

    def _fired(self, handle: int, question: str) -> set[str]:
        status, _ = durable.assert_fact(handle, question)
        if status != 0:
            raise NetRefused(f"a question was not taken (status {status})")
        fired: set[str] = set()
        while (started := durable.start_action(handle)) is not None:
            self._drained = True
            _, match, state = started
            while match is not None:
                fired.add(match[2 : match.index('"', 2)])
                match = durable.complete_and_start_action(handle, state)
        durable.retract_fact(handle, question)
        return fired

    def close(self) -> None:
        """Frees the net; a second call does nothing."""
        handle, self._handle = self._handle, None
        if handle is None:
            return
        try:
            if self._drained:
                durable.delete_state(handle, _SID)
            durable.delete_ruleset(handle)
        except Exception as error:
            raise NetRefused(str(error)) from error
