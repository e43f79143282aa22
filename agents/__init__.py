"""The agents: a module each, listed here and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence

from agents import apps, logs, performance
from engine.core.ports import AgentType


def unique(types: Sequence[AgentType]) -> tuple[AgentType, ...]:
    """The types as given; raises ValueError where two have an id, or an action, in common."""
    for names in (
        [agent.id for agent in types],
        [action.name for agent in types for action in agent.actions],
    ):
        doubled = sorted({name for name in names if names.count(name) > 1})
        if doubled:
            raise ValueError(f"declared twice: {', '.join(doubled)}")
    return tuple(types)


AGENTS = unique((performance.AGENT, apps.AGENT, logs.AGENT))
