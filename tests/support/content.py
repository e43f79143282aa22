"""Content for tests: a small catalogue of actions and agents, and the loader over it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.core.ports import ActionType, AgentType
from engine.lang.loader import Loaded, load_with_tests
from engine.lang.model import Bundle

TEXT = {"type": "string"}
DURATION = {
    "type": "string",
    "pattern": "^(0|[1-9][0-9]{0,8})[smhdw]$",
    "x-is": "a duration such as 7d",
}


def action(name: str, inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> ActionType:
    """An action that does nothing, for the check of content."""
    return ActionType(
        name=name,
        description=name,
        inputs={
            "type": "object",
            "properties": dict(inputs),
            "required": list(inputs),
            "additionalProperties": False,
        },
        outputs={"type": "object", "properties": dict(outputs), "required": list(outputs)},
        example={},
        perform=lambda context, given: {},
        check=lambda context, given: "unknown",
    )


ACTIONS = {
    each.name: each
    for each in (
        action("service.restart", {"name": TEXT}, {"changed": {"type": "boolean"}}),
        action(
            "files.prune",
            {"path": TEXT, "pattern": TEXT, "older_than": DURATION},
            {"freed_bytes": {"type": "integer"}, "count": {"type": "integer"}, "trash": TEXT},
        ),
        action("files.restore", {"from": TEXT}, {}),
        action(
            "journal.vacuum",
            {"max_size": {"type": ["integer", "string"]}},
            {"freed_bytes": {"type": "integer"}},
        ),
        action("notify.send", {"to": TEXT, "text": TEXT}, {}),
        action("command.run", {"command": TEXT, "params": {"type": "object"}}, {}),
    )
}

_SERVICE = {
    "type": "object",
    "properties": {
        "name": TEXT,
        "manager": {"enum": ["systemd", "pidfile", "http"]},
        "pid_file": TEXT,
        "start": {"type": "array", "items": TEXT},
        "url": TEXT,
        "expect": {"type": "integer"},
    },
    "required": ["name", "manager"],
    "additionalProperties": False,
    "allOf": [
        {
            "if": {"properties": {"manager": {"const": "pidfile"}}},
            "then": {"required": ["pid_file"]},
        }
    ],
}


def agent(name: str, properties: Mapping[str, Any]) -> AgentType:
    """An agent that collects nothing, for the check of content."""

    def build(context: object) -> Any:
        raise AssertionError("the check of content starts no agent")

    return AgentType(
        id=name,
        description=name,
        facts=(),
        every=5_000_000,
        settings={
            "type": "object",
            "properties": dict(properties),
            "additionalProperties": False,
        },
        build=build,
    )


AGENTS = {
    each.id: each
    for each in (
        agent("performance", {}),
        agent("logs", {"files": {"type": "array", "items": TEXT}, "journal": {"type": "boolean"}}),
        agent("apps", {"services": {"type": "array", "items": _SERVICE}}),
    )
}


def loaded(root: Path, **options: Any) -> Loaded:
    """The bundle and cases of a directory; raises LangError as the loader does."""
    return load_with_tests(root, actions=ACTIONS, agents=AGENTS, **options)


def load_content(root: Path, **options: Any) -> Bundle:
    """The bundle of a directory."""
    return loaded(root, **options).bundle


def write(root: Path, files: Mapping[str, str | bytes]) -> Path:
    """Writes files beneath `root`, which is returned."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return root
