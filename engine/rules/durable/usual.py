"""The usual case of a kind: the classes its values mostly lie in, learnt from its facts.

Most facts look like those before them: every value in its usual class, so the same rows, so the
same truth. A few comparisons show that, and the answer, put together once from rows that
durable-rules gave, is then used again. What is learnt changes speed alone, never truth.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, Final

from engine.core.values import MISSING
from engine.rules.durable.plan import Plan, Term
from engine.rules.durable.tables import TruthTable

SAMPLE: Final = 128
"""Facts looked at to learn what is usual."""
SHARE: Final = 0.6
"""A usual case is worth testing for where so many facts are of it."""
_REACH: Final = 40
"""At most so many neighbouring classes of one truth are taken together, each way."""

Seen = tuple[int, type]
"""The code of a value and its Python type."""


@dataclass(slots=True)
class Usual:
    """`tests` (sources over a fact's `data` and its `g`, `get`; and their globals) hold only where
    the rows of the `tested` terms leave `mask`; the disjuncts of it that rest on other terms too
    are still to be judged by those. They may raise where a fact is not usual."""

    tests: list[str]
    names: dict[str, Any]
    tested: frozenset[int]
    mask: int


class Lesson:
    """Gathers what the values of a plan's field terms look like."""

    def __init__(self, laid: Plan, number: int) -> None:
        """`number`: of the lesson; its globals bear it, so that code that runs meanwhile keeps
        the ones it was written for."""
        self._plan = laid
        self._number = number
        self._fields = {
            place: term for place, term in enumerate(laid.terms) if term.name is not None
        }
        self._names = {place: term.name or "" for place, term in self._fields.items()}
        self._seen: list[dict[int, Seen]] = []

    def take(self, data: Mapping[str, Any]) -> bool:
        """Looks at one fact; true once enough have been seen."""
        seen: dict[int, Seen] = {}
        for place, term in self._fields.items():
            value = data.get(self._names[place], MISSING)
            seen[place] = (term.table.classes.code(value), type(value))
        self._seen.append(seen)
        return len(self._seen) >= SAMPLE

    def usual(self) -> Usual | None:
        """The usual case; None where too few facts are of one."""
        usual: dict[int, Seen] = {}
        for place in self._fields:
            (seen, times), *_ = Counter(sample[place] for sample in self._seen).most_common(1)
            if times >= SHARE * len(self._seen) and _is_testable(self._fields[place], seen):
                usual[place] = seen
        rows = {place: self._fields[place].table.row(code) for place, (code, _) in usual.items()}
        tested = _enough(self._plan, rows)
        alike = sum(all(sample[at] == usual[at] for at in tested) for sample in self._seen)
        if not tested or alike < SHARE * len(self._seen):
            return None
        case = Usual([], {}, frozenset(tested), self._plan.everything)
        for place in tested:
            case.mask &= rows[place]
            missing = self._fields[place].table.classes.missing
            always = all(sample[place][0] != missing for sample in self._seen)
            test = _Test(place, self._number, self._fields[place].table, always)
            source = test.source(*usual[place])
            case.tests.append(source)
            case.names |= test.names
        return case


def _enough(laid: Plan, rows: Mapping[int, int]) -> list[int]:
    """The terms to test: all that what stays possible rests on, and enough of the others to rule
    out the rest."""
    possible = laid.everything
    for row in rows.values():
        possible &= row
    tested = [place for place in rows if laid.terms[place].table.involved & possible]
    to_rule_out = laid.everything & ~possible
    for place in tested:
        to_rule_out &= rows[place]
    while to_rule_out:
        best = max(rows, key=lambda place: (to_rule_out & ~rows[place]).bit_count())
        tested.append(best)
        to_rule_out &= rows[best]
    return tested


def _is_testable(term: Term, seen: Seen) -> bool:
    classes, (code, _) = term.table.classes, seen
    if code >= classes.first_string:
        return not classes.ordered_strings or code in classes.of_string.values()
    return code < len(classes.cuts) or classes.missing <= code < classes.other


class _Test:
    """Writes the test of one term. `always`: its field has never been missing, so a subscript,
    which is quicker and raises where it is, will do."""

    def __init__(self, place: int, lesson: int, table: TruthTable, always: bool) -> None:
        self.names: dict[str, Any] = {}
        self._place = place
        self._suffix = f"{place}_{lesson}"
        self._table = table
        self._classes = table.classes
        self._always = always

    def source(self, code: int, kind: type) -> str:
        """True only where the term's row is that of `code`, seen as values of the type `kind`."""
        classes = self._classes
        if code < len(classes.cuts):
            return self._between(code, kind)
        got = self._got("M")
        if code in classes.of_string.values():
            text = classes.strings[(code - classes.first_string) // 2]
            return f"{got} == {self._name('u', text)}"
        if code >= classes.first_string:
            known = self._name("d", classes.of_string)
            others = [one for one in range(classes.first_string) if one != len(classes.cuts)]
            if self._alike(code, others):
                return f"{got} not in {known}"
            return f"(v := {got}).__class__ is X and v not in {known}"
        values = {classes.null: None, classes.true: True, classes.false: False}
        return f"{got} is {self._name('u', values.get(code, MISSING))}"

    def _between(self, code: int, kind: type) -> str:
        """For a number: between the cuts around all neighbouring classes of the same row."""
        classes = self._classes
        first = last = code
        while first > 0 and code - first < _REACH and self._alike(code, [first - 1]):
            first -= 1
        top = len(classes.cuts) - 1
        while last < top and last - code < _REACH and self._alike(code, [last + 1]):
            last += 1
        high = self._name("h", classes.cuts[last])
        below = classes.cuts[first - 1] if first else -inf
        low = f"{self._name('l', below)} <= " if first else ""
        if not self._alike(code, [classes.false, classes.true, classes.other]):
            own = self._name("f", kind)
            return f"(v := {self._got('M')}).__class__ is {own} and {low}v < {high}"
        missing = self._name("z", below if self._alike(code, [classes.missing]) else MISSING)
        return f"{low}{self._got(missing)} < {high}"

    def _got(self, missing: str) -> str:
        if self._always:
            return f"data[k{self._place}]"
        return f"g(k{self._place}, {missing})"

    def _name(self, letter: str, value: Any) -> str:
        name = f"{letter}{self._suffix}"
        self.names[name] = value
        return name

    def _alike(self, code: int, others: Sequence[int]) -> bool:
        row = self._table.row(code)
        return all(self._table.row(other) == row for other in others)
