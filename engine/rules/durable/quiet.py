"""The quiet case of a kind: most facts hold nothing, and a few comparisons show it.

Most terms have values for which none of their selective tests holds: a stretch of numbers, any
text but the constants. Where each of a few terms lies there, all they touch is ruled out at once.
What is left is read from rows that durable-rules gave for all classes of those values.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, Final

from engine.core.values import MISSING
from engine.rules.durable.classes import ValueClasses
from engine.rules.durable.nets import Range
from engine.rules.durable.plan import Plan, Term
from engine.rules.durable.tables import TruthTable

_LIKELY: Final = (0.0, 1e12)
"""Where measurements lie: of several quiet stretches the longest within is taken."""


@dataclass(slots=True)
class Quiet:
    """`source` is true of `g` (a fact's `get`) only where the term's code is one of `codes`;
    it may raise on values of other types. `names` are its globals."""

    source: str
    names: dict[str, Any]
    codes: list[int]
    table: TruthTable
    rules_out: int
    """The disjuncts that the quiet case is expected to rule out; `quiet_mask` knows."""


def quiet_terms(laid: Plan) -> tuple[list[Quiet], int]:
    """The fewest terms (greedily) that rule out all that can be, and the disjuncts left over."""
    found = [
        quiet
        for place, term in enumerate(laid.terms)
        if term.name is not None and (quiet := _quiet(place, term)) is not None
    ]
    chosen: list[Quiet] = []
    left = laid.everything
    while found:
        best = max(found, key=lambda quiet: (quiet.rules_out & left).bit_count())
        if not best.rules_out & left:
            break
        found.remove(best)
        chosen.append(best)
        left &= ~best.rules_out
    return chosen, left


def quiet_mask(chosen: Iterable[Quiet], everything: int) -> int:
    """What may be left in the quiet case, as durable-rules has it."""
    mask = everything
    for quiet in chosen:
        row = 0
        for code in quiet.codes:
            row |= quiet.table.row(code)
        mask &= row
    return mask


def _quiet(place: int, term: Term) -> Quiet | None:
    table, classes = term.table, term.table.classes
    held, involved = table.selective()
    loud = {code for low, high in held for code in range(low, high + 1)}
    names: dict[str, Any] = {f"k{place}": term.name}
    if not involved:
        return None
    if classes.has_numbers and not loud & {classes.false, classes.true, classes.other}:
        source, codes = _stretch(place, classes, held, names)
        if not codes:
            return None
        codes += [classes.false, classes.true, classes.other]
        return Quiet(source, names, codes, table, involved)
    if loud == {classes.true}:
        source, apart = f"g(k{place}, M) is not True", {classes.true}
    elif loud <= set(classes.of_string.values()) and not classes.ordered_strings:
        names[f"d{place}"] = classes.of_string
        source, apart = f"g(k{place}, M) not in d{place}", set(classes.of_string.values())
    else:
        return None
    codes = [code for code in _all_codes(classes) if code not in apart]
    return Quiet(source, names, codes, table, involved)


def _all_codes(classes: ValueClasses) -> Iterable[int]:
    """Every code that a value can have."""
    gaps = classes.size if classes.ordered_strings else classes.first_string + 1
    numbers = (code for code in range(gaps) if code != len(classes.cuts))
    return [*numbers, *classes.of_string.values()]


def _stretch(
    place: int, classes: ValueClasses, held: Sequence[Range], names: dict[str, Any]
) -> tuple[str, list[int]]:
    """The quiet case of a term compared with numbers: the likeliest stretch between two cuts,
    and its codes (none where there is no stretch)."""
    last = len(classes.cuts) - 1
    stretches: list[Range] = []
    start = 0
    for low, high in [*held, (last + 1, last + 1)]:
        if start <= min(low - 1, last):
            stretches.append((start, min(low - 1, last)))
        start = high + 1
    if not stretches:
        return "", []
    first, final = max(stretches, key=lambda stretch: _width(classes, *stretch))
    below = classes.cuts[first - 1] if first else -inf
    codes = list(range(first, final + 1))
    silent = not any(low <= classes.missing <= high for low, high in held)
    if silent:
        codes.append(classes.missing)
    names[f"l{place}"], names[f"h{place}"] = below, classes.cuts[final]
    names[f"z{place}"] = below if silent else MISSING
    source = f"g(k{place}, z{place}) < h{place}"
    return (f"l{place} <= {source}" if first else source), codes


def _width(classes: ValueClasses, first: int, final: int) -> float:
    below = classes.cuts[first - 1] if first else -inf
    low, high = max(below, _LIKELY[0]), min(classes.cuts[final], _LIKELY[1])
    return max(high - low, 0.0)
