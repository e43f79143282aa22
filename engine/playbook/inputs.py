"""A run's inputs, checked against what its playbook declares before anything starts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches

from engine.core.errors import WakilError
from engine.core.values import Json, parse_duration
from engine.lang.model import Input, Playbook


class InvalidInputs(WakilError):
    """Inputs that a playbook does not take; `problems` is a sentence each."""

    code = "invalid-inputs"

    def __init__(self, playbook: str, problems: Sequence[str]) -> None:
        super().__init__(f"{playbook}: {'; '.join(problems)}")
        self.problems = tuple(problems)


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_integer(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_CHECKS: Mapping[str, tuple[Callable[[Json], bool], str]] = {
    "string": (lambda value: isinstance(value, str), "text"),
    "integer": (_is_integer, "a whole number"),
    "number": (_is_number, "a number"),
    "boolean": (lambda value: isinstance(value, bool), "true or false"),
    "duration": (lambda value: parse_duration(value) is not None, "a duration such as 5m"),
    "list": (lambda value: isinstance(value, list), "a list"),
    "object": (lambda value: isinstance(value, dict), "a mapping"),
}


def check_inputs(playbook: Playbook, given: Mapping[str, Json]) -> dict[str, Json]:
    """The inputs with defaults filled in. Error: `InvalidInputs`, naming every problem."""
    problems = [_unknown(playbook, name) for name in given if name not in playbook.inputs]
    checked: dict[str, Json] = {}
    for name, declared in playbook.inputs.items():
        if name in given:
            problem = _problem(declared, given[name])
            if problem is not None:
                problems.append(problem)
            checked[name] = given[name]
        elif declared.required and declared.default is None:
            problems.append(f"input '{name}' is required ({_CHECKS[declared.type][1]})")
        elif declared.default is not None:
            checked[name] = declared.default
    if problems:
        raise InvalidInputs(playbook.name, problems)
    return checked


def _unknown(playbook: Playbook, name: str) -> str:
    near = get_close_matches(name, playbook.inputs, n=1)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    return f"it has no input '{name}'{hint}"


def _problem(declared: Input, value: Json) -> str | None:
    if value is None and not declared.required:
        return None
    check, words = _CHECKS[declared.type]
    if not check(value):
        return f"input '{declared.name}' must be {words}"
    if declared.enum is not None and not _among(value, declared.enum):
        allowed = ", ".join(str(choice) for choice in declared.enum)
        return f"input '{declared.name}' must be one of {allowed}"
    return None


def _among(value: Json, choices: Sequence[Json]) -> bool:
    """Membership without Python's `True == 1`."""
    return any(
        value == choice and isinstance(value, bool) == isinstance(choice, bool)
        for choice in choices
    )
