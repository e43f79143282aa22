"""Fact kinds: the shipped catalogue, a content's own, and what a schema file says of a kind."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any

import re2

from engine.core.errors import Position, Problem
from engine.core.facts import FactKind, FieldType
from engine.core.values import MINUTE, parse_duration
from engine.lang.schema import check_shape
from engine.lang.schema_words import compile_pattern
from engine.lang.yaml import Fields, Items, Node, Scalar, to_json

SUFFIX = ".schema.json"
RESERVED = frozenset(
    {"host", "labels", "vars", "time", "firing", "members", "inputs", "steps", "item", "trigger"}
    | {"true", "false", "null", "and", "or", "not", "in", "if", "else", "for"}
    | {"at", "kind", "gone", "data", "candidate"}
)
"""Names that mean something else in expressions or beside a fact: no own kind takes them."""


@cache
def shipped_kinds() -> Mapping[str, FactKind]:
    """The kinds of this installation, `schema/facts/*.schema.json`, by name."""
    found: dict[str, FactKind] = {}
    for entry in sorted((files("schema") / "facts").iterdir(), key=lambda each: each.name):
        if entry.name.endswith(SUFFIX):
            name = entry.name.removesuffix(SUFFIX)
            found[name] = kind_of_schema(name, json.loads(entry.read_text("utf-8")))
    return found


def is_shipped(name: str, data: bytes) -> bool:
    """Whether a schema file is the shipped one, to the byte."""
    shipped = files("schema") / "facts" / f"{name}{SUFFIX}"
    return name in shipped_kinds() and shipped.read_bytes() == data


def kind_of_schema(name: str, schema: Mapping[str, Any]) -> FactKind:
    """The kind that a schema, already checked, declares."""
    mode = schema["x-mode"]
    always = {*schema.get("required", ()), *schema.get("x-always", ())}
    fields: dict[str, FieldType] = {}
    renamed: dict[str, str] = {}
    for field_name, field_schema in schema.get("properties", {}).items():
        fields[field_name] = field_type(field_name, field_schema, field_name in always)
        was = field_schema.get("x-was", ())
        for old in [was] if isinstance(was, str) else was:
            renamed[old] = field_name
    return FactKind(
        name=name,
        mode=mode,
        key=tuple(schema.get("x-key", ())),
        is_global=mode == "request" or schema.get("x-scope") == "global",
        complete=schema.get("x-complete", False),
        stale_after=_stale_after(schema) if mode == "state" else None,
        fields=fields,
        open=schema.get("additionalProperties") is True,
        renamed=renamed,
        description=schema.get("description", ""),
        schema=schema,
    )


def _stale_after(schema: Mapping[str, Any]) -> int | None:
    given = schema.get("x-stale-after")
    if given is None:
        return 15 * MINUTE
    return None if given == "never" else parse_duration(given)


def field_type(name: str, schema: Mapping[str, Any], required: bool) -> FieldType:
    """What a property's schema says, for the type check of expressions."""
    types = schema.get("type", ())
    members = schema.get("properties")
    needed = schema.get("required", ())
    inner: dict[str, FieldType] | None = None
    if members is not None and schema.get("additionalProperties") is not True:
        inner = {each: field_type(each, its, each in needed) for each, its in members.items()}
    enum = schema.get("enum")
    return FieldType(
        name=name,
        types=frozenset([types] if isinstance(types, str) else types),
        required=required,
        enum=tuple(enum) if enum is not None else None,
        reference=schema.get("x-ref"),
        description=schema.get("description", ""),
        properties=inner,
        items=field_type("", schema["items"], True) if "items" in schema else None,
        default=schema.get("default"),
    )


def read_kind(node: Node, name: str) -> tuple[FactKind | None, list[Problem]]:
    """A content's own kind from its file's tree; None beside the problems where it is wrong."""
    shape = check_shape(node, "factkind")
    problems = [each for each in shape if "unknown key '$ref'" not in each.message]
    place = node.position
    if not name.replace("_", "a").isalnum() or not name.isascii() or name != name.lower():
        message = f"a kind is named by its file: letters, digits, underscores, not '{name}'"
        problems.append(Problem(Position(place.file), message, "name"))
    if name in RESERVED:
        problems.append(Problem(Position(place.file), f"no kind can be named '{name}'", "name"))
    problems.extend(_references_out(node))
    if problems or not isinstance(node, Fields):
        return None, problems
    problems.extend(_undeclared(node))
    problems.extend(_patterns(node))
    return (None if problems else kind_of_schema(name, to_json(node))), problems


def _references_out(node: Node) -> list[Problem]:
    if isinstance(node, Scalar):
        return []
    if isinstance(node, Items):
        return [problem for item in node.items for problem in _references_out(item)]
    found = [problem for _, value in node.entries for problem in _references_out(value)]
    if (key := node.key("$ref")) is not None:
        message = "'$ref' is not followed in a fact kind; write the schema out"
        found.append(Problem(key.position, message, "schema"))
    return found


def _undeclared(node: Fields) -> list[Problem]:
    declared = node.get("properties")
    names = {name for name, _ in declared} if isinstance(declared, Fields) else set()
    found: list[Problem] = []
    for word in ("x-key", "required", "x-always"):
        listed = node.get(word)
        for item in listed.items if isinstance(listed, Items) else ():
            if isinstance(item, Scalar) and item.text not in names:
                message = f"'{word}' names '{item.text}', which 'properties' does not declare"
                found.append(Problem(item.position, message, "schema"))
    return found


def _patterns(node: Node) -> list[Problem]:
    if isinstance(node, Scalar):
        return []
    if isinstance(node, Items):
        return [problem for item in node.items for problem in _patterns(item)]
    found: list[Problem] = []
    for name, value in node:
        if name == "pattern" and isinstance(value, Scalar) and isinstance(value.value, str):
            try:
                compile_pattern(value.value)
            except re2.error as error:
                reason = error.args[0] if error.args else error
                text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else reason
                message = f"not a pattern that RE2 takes: {text}"
                found.append(Problem(value.position, message, "pattern"))
        else:
            found.extend(_patterns(value))
    return found


def extend(
    known: Mapping[str, FactKind], own: FactKind, place: Position
) -> tuple[FactKind, list[Problem]]:
    """`own` joined with a shipped kind of its name: fields may be added, nothing may change."""
    shipped = known.get(own.name)
    if shipped is None:
        return own, []
    problems = [
        Problem(place, f"the shipped kind '{own.name}' cannot change its {what}", "kind")
        for what, mine, theirs in (
            ("x-mode", own.mode, shipped.mode),
            ("x-key", own.key, shipped.key),
            ("x-scope", own.is_global, shipped.is_global),
        )
        if mine != theirs
    ]
    for name, field in own.fields.items():
        theirs = shipped.fields.get(name)
        if theirs is not None and (field.types, field.enum) != (theirs.types, theirs.enum):
            message = f"the shipped kind '{own.name}' cannot change its field '{name}'"
            problems.append(Problem(place, message, "kind"))
    properties = {**own.schema.get("properties", {}), **shipped.schema.get("properties", {})}
    schema = {**shipped.schema, "properties": properties}
    joined = kind_of_schema(own.name, schema)
    return replace(joined, stale_after=own.stale_after if "x-stale-after" in own.schema else
                   shipped.stale_after), problems  # fmt: skip
