"""Inputs: what a playbook declares, and whether constants given to playbooks and actions fit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, Literal

from engine.core.ports import ActionType
from engine.core.values import Json
from engine.lang.argument_lists import check_argument_list
from engine.lang.expression.suggest import did_you_mean, one_of
from engine.lang.expression.types import Names
from engine.lang.made_values import check_made
from engine.lang.model import Input, Playbook
from engine.lang.reading import (
    Report,
    choice_of,
    constant,
    fields_of,
    flag_of,
    is_secret,
    text_of,
)
from engine.lang.schema import check_node
from engine.lang.yaml import Fields, Items, Node, Scalar, shorten, to_json

_REFERENCE: Final = re.compile(r"(vault|local):[^#\s]+#[^#\s]+|env:[A-Za-z_]\w*|file:/\S+")
InputType = Literal["string", "integer", "number", "boolean", "duration", "list", "object"]
_TYPES: tuple[InputType, ...] = (
    "string", "integer", "number", "boolean", "duration", "list", "object",
)  # fmt: skip
_SCHEMAS: Mapping[InputType, Mapping[str, Any]] = {
    "string": {"type": "string"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "duration": {
        "type": "string",
        "pattern": "^(0|[1-9][0-9]{0,8})[smhdw]$",
        "x-is": "a duration such as 10s, 5m, 2h, 7d or 1w",
    },
    "list": {"type": "array"},
    "object": {"type": "object"},
}


def read_inputs(node: Fields, report: Report) -> dict[str, Input]:
    """The inputs a playbook declares; a default that is not of its type is a problem."""
    found: dict[str, Input] = {}
    for name, declared in fields_of(node, "inputs") or ():
        if not isinstance(declared, Fields):
            continue
        enum = declared.get("enum")
        schema = _schema(choice_of(declared, "type", _TYPES) or "string", ())
        for each in enum.items if isinstance(enum, Items) else ():
            report.extend(check_node(each, schema, "enum"))
        given = Input(
            name=name,
            type=choice_of(declared, "type", _TYPES) or "string",
            required=flag_of(declared, "required", False),
            default=_json(declared.get("default")),
            enum=tuple(to_json(enum)) if isinstance(enum, Items) else None,
            description=text_of(declared, "description"),
        )
        default = declared.get("default")
        if default is not None and given.default is not None:
            report.extend(check_node(default, _schema(given.type, given.enum), "default"))
            if given.required:
                message = "a required input takes no default: leave one of the two out"
                report.error(default.position, message, "conflict")
        found[name] = given
    return found


def check_run_inputs(
    place: Fields, given: Fields | None, playbook: Playbook, names: Names, report: Report
) -> None:
    """`with` of a run against what the playbook takes."""
    for key, value in given.entries if given is not None else ():
        declared = playbook.inputs.get(key.text)
        if declared is None:
            hint = did_you_mean(key.text, playbook.inputs)
            message = f"playbook '{playbook.name}' has no input '{shorten(key.text)}'{hint}"
            report.error(key.position, message, "unknown-input")
        elif constant(value) and not is_secret(value):
            schema = _schema(declared.type, declared.enum)
            report.extend(check_node(value, schema, key.text))
        elif is_secret(value):
            message = "a secret is no input of a playbook: its step names it, and nothing else"
            report.error(value.position, message, "secret")
        else:
            report.extend(check_made(value, _SCHEMAS[declared.type], key.text, names))
    missing = [
        name
        for name, declared in playbook.inputs.items()
        if declared.required and (given is None or name not in given)
    ]
    if missing:
        where = given.position if given is not None else place.position
        report.error(where, f"playbook '{playbook.name}' needs {_inputs(missing)}", "missing-input")


def check_action_inputs(step: Fields, action: ActionType, names: Names, report: Report) -> None:
    """`with` of a step against the action's schema, templates by their type."""
    properties: Mapping[str, Any] = action.inputs.get("properties", {})
    given = fields_of(step, "with")
    for key, value in given.entries if given is not None else ():
        if key.text not in properties:
            if action.inputs.get("additionalProperties") is False:
                hint = did_you_mean(key.text, properties)
                message = f"action '{action.name}' has no input '{shorten(key.text)}'{hint}"
                report.error(key.position, message, "unknown-input")
            continue
        if "x-argv" in properties[key.text]:
            check_argument_list(value, key.text, report)
        if constant(value) and not is_secret(value):
            report.extend(check_node(value, {**_rooted(action), **properties[key.text]}, key.text))
        elif is_secret(value):
            _check_secret(value, key.text, action, report)
        else:
            report.extend(check_made(value, properties[key.text], key.text, names))
    if given is not None and "oneOf" in action.inputs:
        choice = {"type": "object", "oneOf": action.inputs["oneOf"]}
        report.extend(check_node(given, choice, "with"))
    missing = [
        name for name in action.inputs.get("required", ()) if given is None or name not in given
    ]
    if missing:
        where = given.position if given is not None else step.position
        report.error(where, f"action '{action.name}' needs {_inputs(missing)}", "missing-input")


def _check_secret(value: Node, name: str, action: ActionType, report: Report) -> None:
    """A secret stands as a literal reference, where the action resolves it."""
    reference = value.get("secret") if isinstance(value, Fields) else None
    text = reference.text if isinstance(reference, Scalar) else ""
    if "{{" in text:
        report.error(value.position, "a secret is never the result of a template", "secret")
    elif not _REFERENCE.fullmatch(text):
        message = "a secret is a reference: vault:PATH#FIELD, local:PATH#FIELD, env:NAME, file:PATH"
        report.error(value.position, message, "secret")
    elif name not in action.secrets:
        message = f"the input '{name}' of action '{action.name}' takes no secret"
        report.error(value.position, message, "secret")


def _inputs(names: list[str]) -> str:
    shown = one_of([f"'{name}'" for name in names])
    return f"the input{'s'[: len(names) > 1]} {shown}"


def _rooted(action: ActionType) -> dict[str, Any]:
    """The action's `$defs`, so that a `$ref` of one of its inputs is found."""
    return {"$defs": action.inputs["$defs"]} if "$defs" in action.inputs else {}


def _schema(kind: InputType, enum: tuple[Json, ...] | None) -> Mapping[str, Any]:
    schema = _SCHEMAS[kind]
    return {**schema, "enum": list(enum)} if enum else schema


def _json(node: Node | None) -> Json:
    found: Json = None if node is None else to_json(node)
    return found
