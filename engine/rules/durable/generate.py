"""The function of one kind, written out: codes of the fact's terms, rows of truth, one mask.

The source holds our own names and integers alone; field names, constants and tables reach it
through its globals, so nothing a user wrote is ever compiled.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from typing import Any, Final

from engine.core.values import MISSING
from engine.rules.durable.plan import Plan, Term
from engine.rules.durable.quiet import Quiet, quiet_terms
from engine.rules.matcher import Judge

Closure = Callable[[str | None, Mapping[str, Any]], object]

FALLEN: Final = "L"
"""The global that holds the mask of conditions left to the reference evaluator."""
QUIET: Final = "Q"
"""The global that holds what the quiet case may leave of a mask."""


def generate(
    laid: Plan,
    closures: Mapping[int, Closure],
    starts: dict[str | None, int],
    elsewhere: Judge,
    mend: Callable[[int, str | None, Mapping[str, Any]], int],
) -> tuple[Judge, dict[str, Any], list[Quiet]]:
    """The judge of a plan, its globals, and the terms whose `quiet_mask` belongs in QUIET there
    before anything is judged.

    `closures` by place in `laid.terms` for terms that are not plain fields; `starts` the first
    mask by host; `elsewhere` judges for hosts without one and for data that is no dict; `mend`
    replaces the conditions of the mask FALLEN by what the reference evaluator says.
    """
    quiet, left = quiet_terms(laid)
    space: dict[str, Any] = {
        "__builtins__": {},
        "S": starts.get,
        "E": elsewhere,
        "D": dict,
        "M": MISSING,
        "F": float,
        "I": int,
        "X": str,
        "B": bisect_right,
        "N": mend,
        "W": _widen(laid),
        "T": Exception,
        QUIET: laid.everything,
        FALLEN: 0,
    }
    lines = [
        "def judge(host, data):",
        " m = S(host)",
        " if m is None or data.__class__ is not D:",
        "  return E(host, data)",
        " g = data.get",
    ]
    for case in quiet:
        space |= case.names
    if quiet:
        lines += [
            " try:",
            f"  if {' and '.join(case.source for case in quiet)}:",
            f"   m &= {QUIET}",
            f"   if not m: return N(m, host, data) if {FALLEN} else 0",
            " except T:",
            "  pass",
        ]
    for place, term in enumerate(laid.terms):
        if not term.of_host:
            sure = term.sure and not (quiet and left)
            lines += _look_up(place, term, closures, space, sure=sure)
    if len(laid.owners) > laid.conditions:
        lines.append(f" if m > {(1 << laid.conditions) - 1:#x}:")
        lines.append("  m = W(m)")
    lines.append(f" return N(m, host, data) if {FALLEN} else m")
    exec(compile("\n".join(lines), "<judge>", "exec"), space)  # noqa: S102 - see the docstring
    judge: Judge = space["judge"]
    return judge, space, quiet


def _look_up(
    place: int,
    term: Term,
    closures: Mapping[int, Closure],
    space: dict[str, Any],
    *,
    sure: bool,
) -> list[str]:
    """The lines that take from `m` the disjuncts that one term rules out."""
    table = term.table
    space[f"t{place}"] = table.rows
    space[f"a{place}"] = table.of
    space[f"c{place}"] = table.classes.code
    if term.name is not None:
        space[f"k{place}"] = term.name
        value = f"g(k{place}, M)"
    else:
        space[f"e{place}"] = closures[place]
        value = f"e{place}(host, data)"
    lines = [f"v = {value}", *_row(place, term, space)]
    lines += [f"if x is None: x = a{place}(v)", "m &= x"]
    if sure:
        return [f" {line}" for line in lines]
    return [f" if m & {table.involved:#x}:", *(f"  {line}" for line in lines)]


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
