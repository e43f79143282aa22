"""Checks a node tree against one of `schema/*.schema.json`, in words for people.

The schemas are JSON Schema (draft 2020-12), so that editors complete and check by them; a test
holds this reading of them against the `jsonschema` package. Read here: `type`, `properties`,
`patternProperties`, `additionalProperties`, `propertyNames`, `required`, `oneOf` of `required`
(exactly one of these keys), `if: {not: {required}}, then: {required}`, `allOf` of
`if: {properties}, then: {required}`, `anyOf` (told apart by type), `items`, `enum`, `const`,
`minimum`, `maximum`, `minLength`, `pattern`, `min`/`max` of `Items` and `Properties`, `$ref` to
`#/$defs/…`; and, unknown to editors, `x-is` (what the value is called in a message), `x-later`
(keys of a later version), `x-secret` (the value is not shown).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from engine.core.errors import Position, Problem
from engine.lang.expression.suggest import did_you_mean, nearest, one_of
from engine.lang.schema_words import expected_words, matches, matches_type
from engine.lang.yaml import Fields, Items, Node, Scalar, kind_of, shorten
from engine.lang.yaml_hints import CONDITION_KEYS, quoting_hint

Schema = Mapping[str, Any]


@cache
def shipped_schema(name: str) -> dict[str, Any]:
    """`schema/NAME.schema.json` of this installation."""
    text = (files("schema") / f"{name}.schema.json").read_text("utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def check_shape(node: Node, name: str) -> list[Problem]:
    """All that is wrong with the structure of a file's tree, by the shipped schema `name`."""
    if isinstance(node, Scalar) and node.value is None and not node.text:
        return [Problem(node.position, "the file is empty", "empty")]
    return check_node(node, shipped_schema(name))


def check_node(node: Node, schema: Schema, key: str | None = None) -> list[Problem]:
    """As `check_shape`, by a schema given and trusted; `key` is what messages call the value."""
    checker = _Checker(schema)
    checker.check(node, schema, key)
    return checker.problems


@dataclass(slots=True)
class _Checker:
    root: Schema
    problems: list[Problem]

    def __init__(self, root: Schema) -> None:
        self.root = root
        self.problems = []

    def say(self, place: Position, message: str, code: str = "schema") -> None:
        self.problems.append(Problem(place, message, code))

    def resolve(self, schema: Schema) -> Schema:
        while "$ref" in schema:
            target: Any = self.root
            for part in str(schema["$ref"]).removeprefix("#/").split("/"):
                target = target[part]
            schema = {**target, **{k: v for k, v in schema.items() if k != "$ref"}}
        return schema

    def check(self, node: Node, schema: Schema | bool, key: str | None) -> None:
        if isinstance(schema, bool):
            return
        schema = self.resolve(schema)
        if "anyOf" in schema:
            self._any_of(node, schema, key)
            return
        if not self._fits(node, schema):
            self.say(node.position, self._wrong(node, schema, key), "type")
            return
        if isinstance(node, Fields):
            self._mapping(node, schema)
        elif isinstance(node, Items):
            self._list(node, schema, key)

    def _any_of(self, node: Node, schema: Schema, key: str | None) -> None:
        """The branches are told apart by the type of the value, so that one speaks for all."""
        branches = [self.resolve(branch) for branch in schema["anyOf"]]
        fitting = [branch for branch in branches if matches_type(to_top(node), branch)]
        exact = [branch for branch in fitting if self._fits(node, branch)]
        if exact:
            trials: list[list[Problem]] = []
            for branch in exact:
                trial = _Checker(self.root)
                trial.check(node, branch, key)
                trials.append(trial.problems)
            trials.sort(key=len)
            self.problems.extend(trials[0])
        elif "x-is" in schema or len(fitting) != 1:
            self.say(node.position, self._wrong(node, schema, key), "type")
        else:
            self.say(node.position, self._wrong(node, fitting[0], key), "type")

    def _fits(self, node: Node, schema: Schema) -> bool:
        value = node.value if isinstance(node, Scalar) else None
        return matches_type(to_top(node), schema) and (
            not isinstance(node, Scalar) or matches(value, schema)
        )

    def _wrong(self, node: Node, schema: Schema, key: str | None) -> str:
        subject = f"'{key}' must be" if key else "this must be"
        if key and key.endswith("[]"):
            subject = f"an item of '{key[:-2]}' must be"
        later = schema.get("x-later-types", {}).get("object") if isinstance(node, Fields) else None
        if later is not None:
            return f"{later} are not available in this version"
        if schema.get("x-secret"):
            return f"{subject} {expected_words(schema)}"
        if not matches_type(to_top(node), schema) or "enum" not in schema:
            return f"{subject} {expected_words(schema)}, not {kind_of(node)}"
        known = [str(value) for value in schema["enum"] if isinstance(value, str)]
        text = node.text if isinstance(node, Scalar) else ""
        hint = did_you_mean(text, known) if text not in known else ""
        return f"{subject} {expected_words(schema)}, not {kind_of(node)}{hint}"

    def _mapping(self, node: Fields, schema: Schema) -> None:
        properties: Mapping[str, Any] = schema.get("properties", {})
        others = schema.get("additionalProperties", True)
        patterns: Mapping[str, Any] = schema.get("patternProperties", {})
        for name, value in node.entries:
            fitting = [its for pattern, its in patterns.items() if re.search(pattern, name.text)]
            for its in fitting:
                self.check(value, its, name.text)
            if name.text in properties:
                self.check(value, properties[name.text], name.text)
            elif fitting:
                continue
            elif others is False:
                self._unknown(node, name, value, schema)
            elif others is not True:
                self.check(value, others, name.text)
        self._names(node, schema)
        if any(later in node for later in schema.get("x-later", ())):
            return  # what else is missing, the later key may stand for
        known = schema.get("properties", {})
        meant = {nearest(name, known) for name, _ in node if name not in known}
        for wanted in self._required(node, schema):
            if wanted not in node and wanted not in meant:
                self.say(node.position, f"the key '{wanted}' is missing", "missing-key")
        self._exactly_one(node, schema, meant)
        least, most = schema.get("minProperties", 0), schema.get("maxProperties")
        if len(node.entries) < least or (most is not None and len(node.entries) > most):
            wanted = f"exactly {least}" if least == most else f"at least {least}"
            self.say(node.position, f"{wanted} key is wanted here", "items")

    def _required(self, node: Fields, schema: Schema) -> list[str]:
        wanted = list(schema.get("required", ()))
        unless = schema.get("if", {}).get("not", {}).get("required")
        if unless and not all(name in node for name in unless):
            wanted.extend(schema["then"].get("required", ()))
        for rule in schema.get("allOf", ()):
            if _holds(node, rule.get("if", {})):
                wanted.extend(rule.get("then", {}).get("required", ()))
        return wanted

    def _names(self, node: Fields, schema: Schema) -> None:
        names = schema.get("propertyNames")
        if names is None:
            return
        names = self.resolve(names)
        for key, _ in node.entries:
            if not matches(key.text, names):
                message = f"'{shorten(key.text)}' cannot be a key here: {expected_words(names)}"
                self.say(key.position, message, "name")

    def _unknown(self, node: Fields, name: Scalar, value: Node, schema: Schema) -> None:
        key = name.text
        if key in schema.get("x-later", ()):
            self.say(name.position, f"'{key}' is not available in this version", "later")
            return
        if node.flow and isinstance(value, Scalar) and not value.text and value.style == "plain":
            if _cut_short(node, name):
                return  # said where the value that was cut short is read
            shown = shorten(key)
            message = (
                f"unknown key '{shown}': in flow style ',' ends a value; quote the whole value"
            )
            self.say(name.position, message, "unknown-key")
            return
        known = schema.get("properties", {})
        hint = did_you_mean(key, known)
        if not hint and known:
            hint = f"; known here: {one_of(known, 20)}"
        self.say(name.position, f"unknown key '{shorten(key)}'{hint}", "unknown-key")

    def _exactly_one(self, node: Fields, schema: Schema, meant: set[str | None]) -> None:
        branches = schema.get("oneOf", ())
        choices = [branch["required"][0] for branch in branches if branch.get("required")]
        if not choices:
            return
        given = [choice for choice in choices if choice in node]
        if not given and not meant.intersection(choices):
            self.say(node.position, f"one of these keys is missing: {', '.join(choices)}",
                     "missing-key")  # fmt: skip
        for extra in given[1:]:
            key = node.key(extra)
            place = key.position if key else node.position
            self.say(place, f"'{extra}' cannot stand beside '{given[0]}'", "conflict")

    def _list(self, node: Items, schema: Schema, key: str | None) -> None:
        least, most = schema.get("minItems", 0), schema.get("maxItems")
        if len(node.items) < least:
            self.say(
                node.position, f"'{key}' needs at least {least} item{'s'[: least > 1]}", "items"
            )
        if most is not None and len(node.items) > most:
            self.say(node.position, f"'{key}' takes at most {most} items", "items")
        if "items" in schema:
            for item in node.items:
                self.check(item, schema["items"], f"{key}[]" if key else None)


def _cut_short(node: Fields, name: Scalar) -> bool:
    """Whether the value before this key is a condition that a comma broke."""
    before: tuple[str, Node] | None = None
    for key, value in node.entries:
        if key is name and before is not None:
            label, text = before
            known = label in CONDITION_KEYS and isinstance(text, Scalar)
            return known and isinstance(text, Scalar) and quoting_hint(text, label) is not None
        before = (key.text, value)
    return False


def _holds(node: Fields, condition: Schema) -> bool:
    """Whether `{properties: {KEY: {const: VALUE}}}` is true of a mapping."""
    for name, schema in condition.get("properties", {}).items():
        value = node.get(name)
        if isinstance(value, Scalar) and not matches(value.value, schema):
            return False
    return all(name in node for name in condition.get("properties", {}))


def to_top(node: Node) -> Any:
    """A value of the node's JSON type; of collections only the type matters."""
    if isinstance(node, Scalar):
        return node.value
    return [] if isinstance(node, Items) else {}
