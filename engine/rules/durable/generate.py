"""The function of one kind, written out: codes of the fact's terms, rows of truth, one mask.

The source holds our own names and integers alone; field names, constants and tables reach it
through its globals, so nothing a user wrote is ever compiled.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any, Final

from engine.core.values import MISSING
from engine.rules.durable.plan import Plan, Term
from engine.rules.durable.usual import Usual
from engine.rules.matcher import Judge

Closure = Callable[[str | None, Mapping[str, Any]], object]

FALLEN: Final = "L"
"""The global that holds the mask of conditions left to the reference evaluator."""
UNUSUAL: Final = 20_000
"""After so many facts that were not usual, what is usual is learnt again."""


class Generator:
    """Writes the judge of one plan, and writes it anew when the usual case has been learnt.

    `closures` are by place in the plan's terms, for those that are not plain fields. `start` gives
    the first mask of a host (None where it is not known yet), or is None where it is the same for
    all. `elsewhere` judges hosts without a first mask and data that is no dict; `mend` replaces
    the conditions in FALLEN by what the reference evaluator says; `learn` is shown facts.
    """

    def __init__(
        self,
        laid: Plan,
        closures: Mapping[int, Closure],
        *,
        start: Callable[[str | None], int | None] | None,
        elsewhere: Judge,
        mend: Callable[[int, str | None, Mapping[str, Any]], int],
        learn: Callable[[Mapping[str, Any]], None],
    ) -> None:
        self._plan = laid
        self._closures = closures
        self._start = start
        self._widen = _widen(laid)
        self.space: dict[str, Any] = {
            "__builtins__": {},
            "S": start,
            "E": elsewhere,
            "D": dict,
            "M": MISSING,
            "F": float,
            "I": int,
            "X": str,
            "B": bisect_right,
            "N": mend,
            "W": self._widen,
            "T": Exception,
            "P": learn,
            FALLEN: 0,
        }
        self._names: list[set[str]] = [set(), set()]
        self._looks = {
            place: self._look_up(place, term)
            for place, term in enumerate(laid.terms)
            if not term.of_host
        }
        self._plain = False
        self._function = self._compiled(None, learning=True)
        self.judge: Judge = self._function

    def rewrite(self, usual: Usual | None, *, learning: bool = False) -> None:
        """Gives the judge, wherever it is held by now, the code for another usual case."""
        plain = usual is None and not learning
        if plain and self._plain:
            return
        self._plain = plain
        self._function.__code__ = self._compiled(usual, learning=learning).__code__
        # a thread may still run the code before: its globals go with the next rewriting
        old, last = self._names
        for name in old:
            del self.space[name]
        self._names = [last, set(usual.names) if usual is not None else set()]

    def _compiled(self, usual: Usual | None, *, learning: bool) -> FunctionType:
        self.space["C"] = itertools.count().__next__
        lines = ["def judge(host, data):"]
        if self._start is not None:
            lines += [" m = S(host)", " if m is None: return E(host, data)"]
        lines.append(" if data.__class__ is not D: return E(host, data)")
        if usual is not None:
            lines += self._usual(usual)
        lines.append(" P(data)" if learning else f" if C() > {UNUSUAL}: P(data)")
        lines.append(" g = data.get")
        if self._start is None:
            lines.append(f" m = {self._plan.everything:#x}")
        for place, look in self._looks.items():
            lines += _guarded(" ", look, 0 if self._plan.terms[place].sure else self._all(place))
        lines += self._answer(" ")
        source = "\n".join(lines)
        exec(compile(source, "<judge>", "exec"), self.space)  # noqa: S102 - see the docstring
        function: FunctionType = self.space["judge"]
        return function

    def _usual(self, usual: Usual) -> list[str]:
        """The lines that answer the usual case, and fall through in any other."""
        self.space |= usual.names
        rest = {
            place: usual.mask & self._all(place)
            for place in self._looks
            if place not in usual.tested and usual.mask & self._all(place)
        }
        lines = [" try:"]
        if rest or any("g(" in test for test in usual.tests):
            lines.append("  g = data.get")
        lines.append(f"  if {' and '.join(usual.tests)}:")
        if self._start is None and not rest:
            return [*lines, f"   return {self._widen(usual.mask):#x}", " except T:", "  pass"]
        start = "m" if self._start is not None else f"{self._plan.everything:#x}"
        lines.append(f"   m = {start} & {usual.mask:#x}")
        for place, mask in rest.items():
            lines += _guarded("   ", self._looks[place], mask)
        return [*lines, *self._answer("   "), " except T:", "  pass"]

    def _all(self, place: int) -> int:
        return self._plan.terms[place].table.involved

    def _answer(self, indent: str) -> list[str]:
        lines = []
        if len(self._plan.owners) > self._plan.conditions:
            lines.append(f"{indent}if m > {(1 << self._plan.conditions) - 1:#x}: m = W(m)")
        lines.append(f"{indent}return N(m, host, data) if {FALLEN} else m")
        return lines

    def _look_up(self, place: int, term: Term) -> list[str]:
        """The lines that take from `m` the disjuncts that one term rules out."""
        table, space = term.table, self.space
        space[f"t{place}"] = table.rows
        space[f"a{place}"] = table.of
        space[f"c{place}"] = table.classes.code
        if term.name is not None:
            space[f"k{place}"] = term.name
            value = f"g(k{place}, M)"
        else:
            space[f"e{place}"] = self._closures[place]
            value = f"e{place}(host, data)"
        return [
            f"v = {value}",
            *_row(place, term, space),
            f"if x is None: x = a{place}(v)",
            "m &= x",
        ]


def _guarded(indent: str, lines: list[str], mask: int) -> list[str]:
    """The lines, run only where `m` still has something of `mask` (0: always)."""
    if not mask:
        return [f"{indent}{line}" for line in lines]
    return [f"{indent}if m & {mask:#x}:", *(f"{indent} {line}" for line in lines)]


def _row(place: int, term: Term, space: dict[str, Any]) -> list[str]:
    """The lines that set `x` to the row of `v`, the likely class first."""
    classes = term.table.classes
    rest = f"t{place}[c{place}(v)]"
    if classes.has_numbers:
        space[f"s{place}"] = classes.cuts
        return [
            "c = v.__class__",
            f"x = t{place}[B(s{place}, v)] if c is F or c is I else {rest}",
        ]
    if classes.strings and not classes.ordered_strings:
        space[f"w{place}"] = classes.of_string.get
        known = f"t{place}[w{place}(v, {classes.first_string})]"
        return [f"x = {known} if v.__class__ is X else {rest}"]
    return [f"x = t{place}[{classes.true}] if v is True else {rest}"]


def _widen(laid: Plan) -> Callable[[int], int]:
    """From a mask of disjuncts to the mask of conditions; the last few thousand remembered."""
    known: dict[int, int] = {}
    size = laid.conditions
    first = (1 << size) - 1

    def widen(mask: int) -> int:
        further = mask >> size
        found = known.get(further)
        if found is None:
            if len(known) >= 4096:
                known.clear()
            found = known[further] = laid.conditions_of(further << size)
        return mask & first | found

    return widen
