"""From parsed expressions to what a rule waits for: parts over one fact kind each."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final, Literal

from engine.core.errors import LangError, Position, Problem
from engine.core.facts import Catalogue
from engine.lang.expression.compiling import evaluate
from engine.lang.expression.nodes import Bool, Call, Compare, Expression, Name, Not
from engine.lang.expression.parsing import parse
from engine.lang.expression.slicing import joined, operands
from engine.lang.expression.suggest import did_you_mean
from engine.lang.expression.unparse import unparse
from engine.lang.expression.walk import read_fields, uses_time, walk
from engine.lang.model import Condition, Part

Operator = Literal["all", "any"]
Role = Literal["when", "until", "unless"]

SURROUNDINGS: Final = frozenset({"host", "labels", "vars", "time", "firing", "members"})
"""Names that make no part by themselves."""
_WORDS: Final[Mapping[Operator, Literal["and", "or"]]] = {"all": "and", "any": "or"}


def plain_condition(
    expression: Expression,
    kinds: Catalogue,
    *,
    role: Role = "when",
    own: frozenset[str] = frozenset(),
) -> Condition:
    """The condition that one expression is; raises `LangError`.

    One that names several kinds joined by `and` (`or`) at its top becomes an `all` (`any`) of
    one part a kind. `own` are the kinds of the rule's `when`, for `until` and `unless`: naming
    one of them means the fact at hand.
    """
    named = kinds_of(expression, kinds)
    if len(named) > 1:
        root = expression.root
        operator: Operator = "any" if isinstance(root, Bool) and root.operator == "or" else "all"
        return composite(
            operator,
            operands(expression, _WORDS[operator]),
            kinds,
            position=expression.position(),
            text=expression.text,
            role=role,
            own=own,
            listed=False,
        )
    parts: tuple[Part, ...] = ()
    that: Expression | None = expression
    if named:
        condition, that = _without_clock(expression, kinds)
        parts = (Part(named[0], condition, named[0]),)
    found = Condition("all", parts, None, that, None, expression.position(), expression.text)
    problems = _alone(found, expression, kinds, role) if role == "when" and not parts else []
    if role != "when":
        problems = _groundless(found, role, own)
    _raise(problems)
    return found


def composite(
    operator: Operator,
    items: Sequence[Expression],
    kinds: Catalogue,
    *,
    position: Position,
    text: str,
    join: Sequence[tuple[str, Position]] | None = None,
    that: Expression | None = None,
    within: int | None = None,
    role: Role = "when",
    own: frozenset[str] = frozenset(),
    listed: bool = True,
) -> Condition:
    """The condition `{all|any: [items], join, that, within}`; raises `LangError` with every
    problem found. `join` None is the default join, empty joins on nothing.

    Items are conditions over one kind each. In a list that was written as one (`listed`), and in
    `until` and `unless`, a comparison with the fact at hand may stand among them.
    """
    word = _WORDS[operator]
    problems: list[Problem] = []
    grouped: dict[str, list[Expression]] = {}
    beside: list[Expression] = []
    mixed: list[Expression] = []
    for piece in (piece for item in items for piece in operands(item, word)):
        named = kinds_of(piece, kinds)
        if len(named) == 1:
            grouped.setdefault(named[0], []).append(piece)
        elif named:
            mixed.append(piece)
        elif operator == "all" and not _unknown(piece, kinds):
            beside.append(piece)
        else:
            problems.append(_no_kind(piece, kinds, operator))
    for piece in mixed:
        joinable = operator == "all" and (listed or role != "when")
        if joinable and _at_hand(piece, kinds, grouped, own):
            beside.append(piece)
        else:
            problems.append(_mixed(piece, kinds_of(piece, kinds), operator))
    apart = listed and operator == "all"
    parts = tuple(
        Part(kind, joined(some, word), kind, tuple(some) if apart and len(some) > 1 else ())
        for kind, some in grouped.items()
    )
    if that is not None:
        problems.extend(_outside(that, kinds, {*grouped, *own}))
        beside.append(that)
    condition = Condition(
        operator if len(parts) > 1 else "all",
        parts,
        None if join is None else tuple(name for name, _ in join),
        joined(beside, "and") if beside else None,
        within,
        position,
        text,
    )
    if not parts and not problems:
        problems.append(_problem(position, f"{operator} needs at least one part over a fact kind"))
    problems.extend(_unjoinable(join or (), parts, kinds))
    problems.extend(_groundless(condition, role, own))
    _raise(problems)
    return condition


def kinds_of(expression: Expression, kinds: Catalogue) -> list[str]:
    """The fact kinds an expression names, in the order of their first place in it."""
    named = [name for name in expression.names if name in kinds]
    return sorted(named, key=lambda name: _first_place(expression, name))


def kind_mode(condition: Condition, kinds: Catalogue) -> Literal["state", "event", "request"]:
    """What a rule is by its parts: `request` where one is, else `event` where one is."""
    modes = {kinds[part.kind].mode for part in condition.parts}
    return "request" if "request" in modes else "event" if "event" in modes else "state"


def has_event_part(condition: Condition, kinds: Catalogue) -> bool:
    """Whether one of the parts is over events."""
    return any(kinds[part.kind].mode == "event" for part in condition.parts)


def condition_kinds(condition: Condition) -> frozenset[str]:
    """The kinds its parts are over (`that` names no others)."""
    return frozenset(part.kind for part in condition.parts)


def condition_fields(condition: Condition) -> dict[str, frozenset[str]]:
    """Per kind the fields it reads, `that` included; `*` where the whole fact is read."""
    return {
        part.kind: frozenset().union(
            *(read_fields(one, part.kind) for one in expressions_of(condition))
        )
        for part in condition.parts
    }


def expressions_of(condition: Condition) -> tuple[Expression, ...]:
    """Every expression of a condition, for checks: its parts' and `that`."""
    beside = () if condition.that is None else (condition.that,)
    return (*(part.condition for part in condition.parts), *beside)


def condition_uses_time(condition: Condition) -> bool:
    """Whether its truth depends on the clock (`time`, `during`)."""
    return any(uses_time(one) for one in expressions_of(condition))


def _without_clock(
    expression: Expression, kinds: Catalogue
) -> tuple[Expression, Expression | None]:
    """One kind's condition, and beside it what reads the clock alone: so that the matcher, which
    knows no clock, can judge the first."""
    timed: list[Expression] = []
    rest: list[Expression] = []
    for piece in operands(expression, "and"):
        alone = uses_time(piece) and not kinds_of(piece, kinds)
        (timed if alone else rest).append(piece)
    if not timed:
        return expression, None
    return joined(rest, "and"), joined(timed, "and")


def _first_place(expression: Expression, name: str) -> int:
    return min(
        node.column
        for node in walk(expression.root)
        if isinstance(node, Name) and node.name == name
    )


def _unknown(expression: Expression, kinds: Catalogue) -> list[str]:
    return sorted(expression.names - SURROUNDINGS - kinds.keys())


def _no_kind(piece: Expression, kinds: Catalogue, operator: Operator) -> Problem:
    unknown = _unknown(piece, kinds)
    if unknown:
        hint = did_you_mean(unknown[0], [*kinds, *SURROUNDINGS])
        return _problem(piece.position(), f"unknown name '{unknown[0]}'{hint}")
    return _problem(
        piece.position(),
        f"{piece.text} names no fact kind, so it is no part of an '{operator}'; "
        "put it under 'that', which holds beside the parts",
    )


def _alone(
    condition: Condition, expression: Expression, kinds: Catalogue, role: Role
) -> list[Problem]:
    if _unknown(expression, kinds):
        return [_no_kind(expression, kinds, "all")]
    return [
        _problem(
            condition.position,
            f"'{role}' names no fact kind, so no fact could ever make it true; "
            "name one, as in: disk.used_percent > 90",
        )
    ]


def _mixed(piece: Expression, named: Sequence[str], operator: Operator) -> Problem:
    """A comparison or a bracket over several kinds, and how to write it."""
    shown = " and ".join([", ".join(named[:-1]), named[-1]])
    parts = ", ".join(f"defined({kind})" for kind in named)
    root = piece.root
    if isinstance(root, Compare | Call):
        how = (
            "facts of different kinds are compared under 'that': "
            f"{{all: [{parts}], that: '{piece.text}'}}"
        )
    elif isinstance(root, Bool) and root.operator == "or" and operator == "all":
        how = "only 'and' may join them here; write one rule for each side of the 'or'"
    elif isinstance(root, Bool) and operator == "any":
        how = "write one rule for each side of the 'or', each an 'all' of its kinds"
    elif isinstance(root, Not):
        how = "write what must not be under 'unless'"
    else:
        how = f"write {{all: [{parts}], that: '{piece.text}'}}"
    return _problem(piece.position(), f"this mixes {shown} below the top of a condition; {how}")


def _at_hand(
    piece: Expression,
    kinds: Catalogue,
    grouped: dict[str, list[Expression]],
    own: frozenset[str],
) -> bool:
    """Whether a comparison of several kinds is one with facts at hand: at most one of its kinds
    is new, which then becomes a part, and the comparison belongs to `that`."""
    if not isinstance(piece.root, Compare | Call):
        return False
    named = kinds_of(piece, kinds)
    new = [kind for kind in named if kind not in grouped and kind not in own]
    if len(new) > 1:
        return False
    for kind in new:
        grouped[kind] = [_present(kind, piece.position(_first_place(piece, kind)))]
    return True


def _present(kind: str, place: Position) -> Expression:
    """The part that any fact of a kind fulfils."""
    return parse(f"defined({kind})", lambda offset: place)


def _outside(that: Expression, kinds: Catalogue, parts: Collection[str]) -> list[Problem]:
    return [
        _problem(
            that.position(_first_place(that, kind)),
            f"'that' names {kind}, which is no part; add one: defined({kind})",
        )
        for kind in kinds_of(that, kinds)
        if kind not in parts
    ]


def _unjoinable(
    join: Sequence[tuple[str, Position]], parts: Sequence[Part], kinds: Catalogue
) -> list[Problem]:
    problems: list[Problem] = []
    for name, position in join:
        for part in parts:
            kind = kinds[part.kind]
            surrounding = name == "host" or name.startswith("labels.")
            known = not kind.is_global if surrounding else kind.open or name in kind.fields
            if not known:
                hint = "" if surrounding else did_you_mean(name, kind.fields)
                problems.append(_problem(position, f"{kind.name} has no '{name}' to join on{hint}"))
    return problems


def _groundless(condition: Condition, role: Role, own: frozenset[str]) -> list[Problem]:
    """Parts that would hold without any fact: where a fact is joined that means nothing."""
    if role == "when" and len(condition.parts) < 2:
        return []
    problems: list[Problem] = []
    for part in condition.parts:
        if part.kind in own or evaluate(part.condition, {}) is not True:
            continue
        problems.append(_problem(part.condition.position(), _reversed(part, role)))
    return problems


def _reversed(part: Part, role: Role) -> str:
    root = part.condition.root
    turned = unparse(root.operand) if isinstance(root, Not) else f"not ({part.condition.text})"
    said = f"{part.condition.text} would hold without any {part.kind} fact"
    if role == "when":
        return f"{said}; write it beside 'when' as  unless: {turned}"
    if role == "unless":
        return f"{said}; write it as part of 'when': … and {turned}"
    return f"{said}; 'until' needs a fact, as in: {turned}"


def _problem(position: Position, message: str) -> Problem:
    return Problem(position, message, "condition")


def _raise(problems: Sequence[Problem]) -> None:
    if problems:
        raise LangError(problems)
