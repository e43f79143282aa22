"""The check of function calls: what each argument may be, and what comes out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.lang.expression.nodes import Call, Literal_
from engine.lang.expression.signatures import FUNCTIONS
from engine.lang.expression.suggest import did_you_mean
from engine.lang.expression.types import ANY, NameType
from engine.lang.expression.unparse import unparse
from engine.lang.expression.walk import shown_types

if TYPE_CHECKING:
    from engine.lang.expression.checking import Checker


def check_call(checker: Checker, node: Call, found: Sequence[NameType]) -> NameType:
    """Reports arguments of wrong types; gives the type of the result."""
    signature = FUNCTIONS[node.function]
    for index, (argument, given) in enumerate(zip(node.arguments, found, strict=True)):
        wanted = NameType(signature.argument(index))
        if _never(wanted, given):
            checker.report(
                argument,
                f"{unparse(argument)} is {shown_types(given)}; {node.function} takes "
                f"{shown_types(wanted)} here: {signature.usage}",
            )
    if node.function == "during":
        _check_calendar(checker, node)
    if node.function == "default":
        return _either(found[0], found[1])
    if node.function == "get":
        return ANY
    return NameType(signature.result)


def _never(wanted: NameType, given: NameType) -> bool:
    if not wanted.types or not given.types:
        return False
    return not wanted.groups() & given.groups()


def _either(first: NameType, second: NameType) -> NameType:
    """What `default` gives: the first, or the second."""
    if not first.types or not second.types:
        return ANY
    return NameType(
        first.groups() | second.groups(),
        fields=first.fields if first.fields is not None and second.fields is None else None,
        items=first.items,
    )


def _check_calendar(checker: Checker, node: Call) -> None:
    name = node.arguments[0]
    if checker.calendars is None or not isinstance(name, Literal_):
        return
    if isinstance(name.value, str) and name.value not in checker.calendars:
        hint = (
            did_you_mean(name.value, checker.calendars) or "; declare it in configs/calendar.yaml"
        )
        checker.report(name, f"there is no calendar '{name.value}'{hint}")
