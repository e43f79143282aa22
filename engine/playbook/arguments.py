"""Lists of arguments: data fills a place in one, and never adds a place or an option.

An action marks such an input with `x-argv` in its schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.core.ports import ActionType
from engine.lang.expression.nodes import Template
from engine.lang.model import Value


def problem_of_arguments(
    action: ActionType, written: Mapping[str, Value], made: Mapping[str, Any]
) -> str | None:
    """What is wrong with what templates gave for a list of arguments, in a sentence that quotes
    no value; None where nothing is."""
    for name, schema in action.inputs.get("properties", {}).items():
        if "x-argv" in schema and name in written:
            problem = _problem(name, written[name], made[name])
            if problem is not None:
                return problem
    return None


def _problem(name: str, written: Value, made: Any) -> str | None:
    if isinstance(written, Template):
        return (
            f"'{name}' must be written as a list, one item for each argument: a template would "
            "let data decide how many there are"
        )
    if not isinstance(written, list | tuple):
        return None
    for place, (item, value) in enumerate(zip(written, made, strict=True)):
        if not isinstance(item, Template):
            continue
        if isinstance(value, Mapping | list) or value is None:
            return f"'{name}[{place}]' must be one text or number, and its template gives another"
        starts_itself = item.parts and isinstance(item.parts[0], str)
        if not starts_itself and str(value).startswith("-"):
            return (
                f"'{name}[{place}]' begins with '-': what a template gives must not become an "
                'option; write the option before it, as in "--name={{ … }}"'
            )
    return None
