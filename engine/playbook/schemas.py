"""An action's inputs against its JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from referencing import Registry

from engine.core.ports import ActionType


def problem_of(action: ActionType, inputs: Mapping[str, Any]) -> str | None:
    """What is wrong with them, in a sentence that quotes no value; None where nothing is.

    A secret's reference stands for the text it will be.
    """
    shown = {name: "" if _is_secret(value) else value for name, value in inputs.items()}
    validator = Draft202012Validator(action.inputs, registry=Registry())
    error = best_match(validator.iter_errors(shown))
    if error is None:
        return None
    place = ".".join(str(part) for part in error.absolute_path)
    if error.validator in ("required", "additionalProperties"):
        return str(error.message)
    wanted = f"{error.validator} {error.validator_value}"
    return f"'{place or 'with'}' does not fit its schema ({wanted})"


def _is_secret(value: Any) -> bool:
    return isinstance(value, Mapping) and value.keys() == {"secret"}
