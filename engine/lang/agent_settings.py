"""configs/agents.yaml: each agent's settings against the schema that the agent declares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from engine.core.ports import AgentType
from engine.lang.expression.suggest import did_you_mean
from engine.lang.reading import Report, fields_of
from engine.lang.schema import check_node, check_shape
from engine.lang.yaml import Fields, Node, Scalar, shorten, to_json

_COMMON: Final[Mapping[str, Any]] = {
    "every": {
        "type": "string",
        "pattern": "^([1-9][0-9]{0,8})[smhdw]$",
        "x-is": "a duration such as 5s or 1m",
    },
    "enabled": {"type": "boolean"},
}


def read_agents(
    node: Node, agents: Mapping[str, AgentType], report: Report
) -> dict[str, Mapping[str, Any]]:
    """Settings by agent id, as written. Problems are reported."""
    report.extend(check_shape(node, "agents"))
    found: dict[str, Mapping[str, Any]] = {}
    listed = fields_of(node, "agents") if isinstance(node, Fields) else None
    for key, settings in listed.entries if listed is not None else ():
        agent = agents.get(key.text)
        if agent is None:
            hint = did_you_mean(key.text, agents)
            message = f"there is no agent '{shorten(key.text)}'{hint}"
            report.error(key.position, message, "unknown-agent")
        elif isinstance(settings, Fields):
            report.extend(check_node(settings, agent_schema(agent)))
            report.extend(_twice(settings))
            found[key.text] = to_json(settings)
    return found


def agent_schema(agent: AgentType) -> dict[str, Any]:
    """The schema of the agent's entry: its own settings, `every` and `enabled`."""
    schema = dict(agent.settings)
    schema["properties"] = {**schema.get("properties", {}), **_COMMON}
    return schema


def _twice(settings: Fields) -> list[Any]:
    """Items of one list that have the same name: which of them would be meant?"""
    report = Report()
    for key, value in settings.entries:
        seen: set[str] = set()
        for item in getattr(value, "items", ()):
            name = item.get("name") if isinstance(item, Fields) else None
            if isinstance(name, Scalar):
                if name.text in seen:
                    message = f"two of '{shorten(key.text)}' are named '{shorten(name.text)}'"
                    report.error(name.position, message, "duplicate")
                seen.add(name.text)
    return report.problems
