"""The check of comparisons: those that can never hold, or always do, are mistakes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from engine.lang.expression.nodes import Comparator, ListOf, Literal_, Node
from engine.lang.expression.suggest import nearest, one_of
from engine.lang.expression.types import ANY, NameType, value_type
from engine.lang.expression.unparse import unparse
from engine.lang.expression.values import equal
from engine.lang.expression.walk import shown_types

if TYPE_CHECKING:
    from engine.lang.expression.checking import Checker

Side = tuple[Node, NameType]
_ORDERED: Final = frozenset({"number", "string"})


def check_pair(checker: Checker, comparator: Comparator, left: Side, right: Side) -> None:
    """Reports what is wrong with `left comparator right`."""
    if comparator in ("in", "not in"):
        _check_in(checker, comparator, left, right)
    elif comparator in ("==", "!="):
        _check_equal(checker, comparator, left, right)
    else:
        _check_order(checker, comparator, left, right)


def _check_equal(checker: Checker, comparator: Comparator, left: Side, right: Side) -> None:
    (left_node, left_type), (right_node, right_type) = _constant_last(left, right)
    known, other = left_type.groups(), right_type.groups()
    if not known or not other:
        return
    if other == {"null"} and "null" not in known:
        checker.report(
            right_node,
            f"{unparse(left_node)} is never null; whether it is there says "
            f"defined({unparse(left_node)})",
            "warning",
        )
    elif not known & other:
        outcome = "never holds" if comparator == "==" else "always holds"
        checker.report(
            right_node, _mismatch((left_node, left_type), comparator, right_node, outcome)
        )
    else:
        _check_enum(checker, left_node, left_type, right_node, comparator)


def _check_enum(
    checker: Checker, field: Node, known: NameType, constant: Node, comparator: Comparator
) -> None:
    if known.enum is None or not isinstance(constant, Literal_) or constant.value is None:
        return
    if any(equal(constant.value, one) for one in known.enum):
        return
    written = json.dumps(constant.value, ensure_ascii=False)
    texts = [one for one in known.enum if isinstance(one, str)]
    near = nearest(constant.value, texts) if isinstance(constant.value, str) else None
    hint = f"did you mean {json.dumps(near, ensure_ascii=False)}?" if near else ""
    hint = (
        hint or f"it is one of {one_of(json.dumps(one, ensure_ascii=False) for one in known.enum)}"
    )
    never = "never" if comparator in ("==", "in") else "always something else than"
    checker.report(constant, f"{unparse(field)} is {never} {written}; {hint}")


def _check_order(checker: Checker, comparator: Comparator, left: Side, right: Side) -> None:
    for node, found in (left, right):
        if found.types and not found.groups() & _ORDERED:
            checker.report(
                node,
                f"{unparse(node)} is {shown_types(found)}; {comparator} compares numbers, or text "
                "with text",
            )
            return
    first, second = _constant_last(left, right)
    known, other = first[1].groups() & _ORDERED, second[1].groups() & _ORDERED
    if known and other and not known & other:
        checker.report(second[0], _mismatch(first, comparator, second[0], "never holds"))


def _check_in(checker: Checker, comparator: Comparator, left: Side, right: Side) -> None:
    (left_node, left_type), (right_node, right_type) = left, right
    groups = right_type.groups()
    if groups and not groups & {"array", "string", "object"}:
        checker.report(
            right_node,
            f"{unparse(right_node)} is {shown_types(right_type)}; '{comparator}' looks into a "
            'list, a text or an object: ["a", "b"]',
        )
    elif isinstance(right_node, ListOf):
        for item in right_node.items:
            equality: Comparator = "==" if comparator == "in" else "!="
            _check_equal(checker, equality, left, (item, _literal_type(item)))
    elif groups == {"array"} and right_type.items is not None:
        kinds, wanted = right_type.items.groups(), left_type.groups()
        if kinds and wanted and not kinds & wanted:
            checker.report(
                left_node,
                f"{unparse(left_node)} is {shown_types(left_type)}, and {unparse(right_node)} "
                f"holds {shown_types(right_type.items)}",
            )
        elif isinstance(left_node, Literal_):
            _check_enum(checker, right_node, right_type.items, left_node, comparator)
    elif _never_text(left_type) and groups and groups <= {"string", "object"}:
        checker.report(left_node, f"only text is looked for in {shown_types(right_type)}")


def _never_text(found: NameType) -> bool:
    return bool(found.types) and "string" not in found.types


def _literal_type(node: Node) -> NameType:
    return value_type(node.value) if isinstance(node, Literal_) else ANY


def _constant_last(left: Side, right: Side) -> tuple[Side, Side]:
    """The constant at the end, so that messages speak of the field."""
    if isinstance(left[0], Literal_) and not isinstance(right[0], Literal_):
        return right, left
    return left, right


def _mismatch(left: Side, comparator: Comparator, right: Node, outcome: str) -> str:
    node, known = left
    text = f"{unparse(node)} is {shown_types(known)}: {comparator} {unparse(right)} {outcome}"
    if isinstance(right, Literal_):
        better = _retyped(right.value, known.groups())
        if better is not None:
            return f"{text}; write {better}"
    return text


def _retyped(value: Any, wanted: frozenset[str]) -> str | None:
    """The constant as the type it should have had, where that is plain."""
    if isinstance(value, str):
        if wanted & {"boolean"} and value.lower() in ("true", "false"):
            return value.lower()
        try:
            float(value)
        except ValueError:
            return None
        return value.strip() if "number" in wanted else None
    if "string" in wanted and value is not None:
        return json.dumps(json.dumps(value))
    return None
