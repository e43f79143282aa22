"""The shipped schemas: proper JSON Schema for editors, and our reading of them is the same."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from referencing import Registry

from engine.lang.schema import check_node, check_shape
from engine.lang.yaml import parse, parse_partly, to_json

NAMES = ["agents", "calendar", "factkind", "hosts", "playbook", "ruleset", "ruletest", "settings"]
BAD = Path(__file__).parent.parent / "testdata" / "bad"
GOOD = Path(__file__).parent.parent / "testdata" / "documented"
FOLDERS = {
    "policies": "ruleset",
    "policies/tests": "ruletest",
    "playbooks": "playbook",
    "schema/facts": "factkind",
}
CONFIGS = {"wakil": "settings", "agents": "agents", "hosts": "hosts", "calendar": "calendar"}


def schema(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((files("schema") / f"{name}.schema.json").read_text("utf-8"))
    return found


def files_of(root: Path) -> list[tuple[str, Path]]:
    found = []
    for path in sorted([*root.rglob("*.yaml"), *root.rglob("*.json")]):
        folder = str(path.parent.relative_to(root))
        name = CONFIGS.get(path.stem) if folder == "configs" else FOLDERS.get(folder)
        if name is not None:
            found.append((name, path))
    return found


@pytest.mark.parametrize("name", NAMES)
def test_each_is_a_json_schema_without_remote_references(name: str) -> None:
    found = schema(name)
    jsonschema.Draft202012Validator.check_schema(found)
    references = [
        line for line in json.dumps(found, indent=0).splitlines() if line.startswith('"$ref"')
    ]
    assert all('"#/$defs/' in line for line in references)


@pytest.mark.parametrize("name", [path.name for path in sorted(BAD.iterdir())] + ["documented"])
def test_our_reading_is_that_of_jsonschema(name: str) -> None:
    """What the one takes, the other takes, over the whole corpus."""
    root = GOOD if name == "documented" else BAD / name
    judged = 0
    for shape, path in files_of(root):
        node, _ = parse_partly(path.read_bytes(), path.name)
        if node is None or name == "quoting-comma-in-flow":  # said where the condition is parsed
            continue
        validator = jsonschema.Draft202012Validator(schema(shape), registry=Registry())
        assert validator.is_valid(to_json(node)) == (check_shape(node, shape) == [])
        judged += 1
    assert judged or name in {"documented"} or not files_of(root) or name in UNREADABLE


UNREADABLE = {path.name for path in BAD.iterdir() if path.name.startswith(("yaml", "quoting"))} | {
    "binary",
    "byte-order-mark",
    "not-utf8",
}
"""Where YAML itself, not its structure, is wrong."""


def said(text: str, rules: dict[str, Any]) -> list[str]:
    return [str(problem) for problem in check_node(parse(text, "f"), rules)]


def test_one_of_several_shapes_is_chosen_by_type() -> None:
    rules = {
        "type": "object",
        "properties": {
            "a": {
                "anyOf": [
                    {"type": "string"},
                    {"type": "object", "properties": {"b": {"type": "integer"}}},
                ],
                "x-is": "text or a mapping",
            }
        },
    }
    assert said("a: x", rules) == []
    assert said("a: {b: 5}", rules) == []
    assert said("a: {b: x}", rules) == ["f:1:8: 'b' must be a whole number, not 'x'"]
    assert said("a: [1]", rules) == ["f:1:4: 'a' must be text or a mapping, not a list"]


def test_a_secret_value_is_not_shown() -> None:
    rules = {"type": "object", "properties": {"a": {"type": "integer", "x-secret": True}}}
    assert said("a: hunter2", rules) == ["f:1:4: 'a' must be a whole number"]


def test_what_depends_on_another_key() -> None:
    rules = {
        "type": "object",
        "allOf": [
            {"if": {"properties": {"a": {"const": "x"}}}, "then": {"required": ["b"]}},
        ],
    }
    assert said("a: x", rules) == ["f:1:1: the key 'b' is missing"]
    assert said("a: y", rules) == []


def test_control_characters_of_content_are_spelled_out() -> None:
    rules = {"type": "object", "additionalProperties": False, "properties": {}}
    assert said('"a\\x1b[31m": 1', rules) == ["f:1:2: unknown key 'a\\x1b[31m'"]
