"""All actions in one registry: the agents', the hands' own, messages."""

from __future__ import annotations

from collections.abc import Mapping

from agents import AGENTS
from engine.act import actions as hands_actions
from engine.core.ports import ActionType, AgentType
from engine.notify import log as messages

AGENT_TYPES: Mapping[str, AgentType] = {type_.id: type_ for type_ in AGENTS}


def _registry() -> dict[str, ActionType]:
    """By name; raises ValueError where two have one name."""
    found: dict[str, ActionType] = {}
    offered = [action for type_ in AGENTS for action in type_.actions]
    for action in (*offered, *hands_actions.ALL, *messages.ALL):
        if action.name in found:
            raise ValueError(f"two actions are called {action.name}")
        found[action.name] = action
    return found


ACTIONS: Mapping[str, ActionType] = _registry()
