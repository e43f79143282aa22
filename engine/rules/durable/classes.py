"""Value classes: from a value to the code of its class, and from a test to the codes that pass.

Layout of the codes of one term, for L number cuts (the last is infinity) and S strings:
`0 … L-1` numbers by `bisect_right` over the cuts; L, where that leaves both infinity and NaN, is
no code; then infinity, NaN, missing, null, false, true, anything else; then `2 S + 1` strings:
gaps between the sorted constants, and the constants.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from math import inf, nextafter
from typing import Final, Literal, TypeGuard

from engine.core.values import MISSING
from engine.rules.durable.nets import Range

Scalar = None | bool | int | float | str
Relation = Literal["true", "==", "!=", "<", "<=", ">", ">=", "in", "not in"]

_EXACT: Final = 1 << 53
"""Below it a float's neighbours are its successors; from it on integers lie between floats."""


@dataclass(frozen=True, slots=True)
class Predicate:
    """What an atom asks of its term. `negated` is true also of a missing value."""

    relation: Relation
    constants: tuple[Scalar, ...] = ()
    negated: bool = False

    @property
    def key(self) -> str:
        """Tells tests apart where Python's equality does not: 0, false and 0.0."""
        return repr((self.relation, self.constants, self.negated))


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether the language takes `value` for a number: booleans are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def just_above(number: float) -> float:
    """The smallest number above `number` that a fact can hold, integer or float."""
    if -_EXACT < number < _EXACT:
        return nextafter(number, inf)
    return int(number) + 1


class ValueClasses:
    """The classes of one term under all tests put to it."""

    def __init__(self, tests: Iterable[Predicate]) -> None:
        tests = list(tests)
        constants = [constant for test in tests for constant in test.constants]
        numbers = {constant for constant in constants if is_number(constant)}
        cuts = numbers | {just_above(number) for number in numbers}
        self.cuts: list[float] = [*sorted(cuts), inf]
        self.strings = sorted({constant for constant in constants if isinstance(constant, str)})
        self.ordered_strings = any(
            test.relation in ("<", "<=", ">", ">=") and isinstance(test.constants[0], str)
            for test in tests
        )
        self.infinity = len(self.cuts) + 1
        self.nan = self.infinity + 1
        self.missing = self.infinity + 2
        self.null = self.missing + 1
        self.false = self.missing + 2
        self.true = self.missing + 3
        self.other = self.missing + 4
        self.first_string = self.missing + 5
        self.size = self.first_string + 2 * len(self.strings) + 1
        self.of_string = {
            text: self.first_string + 2 * place + 1 for place, text in enumerate(self.strings)
        }

    @property
    def has_numbers(self) -> bool:
        return len(self.cuts) > 1

    def code(self, value: object) -> int:
        """The code of any value at all."""
        if value is MISSING:
            return self.missing
        if value is None:
            return self.null
        if isinstance(value, bool):
            return self.true if value else self.false
        if isinstance(value, int | float):
            code = bisect_right(self.cuts, value)
            if code < len(self.cuts):
                return code
            return self.infinity if value == inf else self.nan
        if isinstance(value, str):
            return self.string_code(value)
        return self.other

    def string_code(self, text: str) -> int:
        """Where no test orders strings, all that equal no constant are of one class."""
        if not self.ordered_strings:
            return self.of_string.get(text, self.first_string)
        place = bisect_left(self.strings, text) + bisect_right(self.strings, text)
        return self.first_string + place

    def passing(self, test: Predicate) -> list[Range]:
        """The codes that pass `test`, as disjoint ranges in order."""
        held = _merged(self._holding(test))
        return _complement(held, self.size) if test.negated else held

    def _holding(self, test: Predicate) -> list[Range]:
        match test.relation:
            case "true":
                return [(self.true, self.true)]
            case "==" | "in":
                return [self._equal(constant) for constant in test.constants]
            case "!=" | "not in":
                equal = [self._equal(constant) for constant in test.constants]
                return _complement(_merged([*equal, (self.missing, self.missing)]), self.size)
            case relation:
                return self._ordered(relation, test.constants[0])

    def _equal(self, constant: Scalar) -> Range:
        if is_number(constant):
            return self._from(constant), self._from(just_above(constant)) - 1
        code = self.code(constant)
        return code, code

    def _ordered(self, relation: str, constant: Scalar) -> list[Range]:
        if isinstance(constant, str):
            own = self.of_string[constant]
            first, last = self.first_string, self.size - 1
            past = own + 1
        elif is_number(constant):
            own, past = self._from(constant), self._from(just_above(constant))
            first, last = 0, self.infinity
        else:
            return []
        bounds = {"<": (first, own - 1), "<=": (first, past - 1), ">": (past, last)}
        return [bounds.get(relation, (own, last))]

    def _from(self, cut: float) -> int:
        """The code of the class that begins at `cut`, one of the cuts."""
        return bisect_right(self.cuts, cut)


def _merged(ranges: Iterable[Range]) -> list[Range]:
    merged: list[Range] = []
    for low, high in sorted(ranges):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return merged


def _complement(ranges: list[Range], size: int) -> list[Range]:
    """What of `0 … size - 1` lies outside disjoint ranges in order."""
    edges = [-1, *(edge for low, high in ranges for edge in (low - 1, high)), size - 1]
    return [
        (edges[place] + 1, edges[place + 1])
        for place in range(0, len(edges), 2)
        if edges[place] < edges[place + 1]
    ]
