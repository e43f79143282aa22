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
    validator = Draft202012Validator(action.inputs, registry=Registry())
    error = best_match(validator.iter_errors(_shown(inputs)))
    if error is None:
        return None
    place = ".".join(str(part) for part in error.absolute_path)
    if error.validator in ("required", "additionalProperties"):
        return str(error.message)
    described = error.schema.get("x-is") if isinstance(error.schema, Mapping) else None
    if described is not None:
        return f"'{place}' must be {described}"
    wanted = f"{error.validator} {error.validator_value}"
    return f"'{place or 'with'}' does not fit its schema ({wanted})"


def _shown(value: Any) -> Any:
    if isinstance(value, Mapping):
        if value.keys() == {"secret"}:
            return ""
        return {name: _shown(item) for name, item in value.items()}
    return [_shown(item) for item in value] if isinstance(value, list) else value
