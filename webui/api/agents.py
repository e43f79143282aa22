"""Agents: what they do, and whether they do it."""

from __future__ import annotations

from collections.abc import Callable

from engine.core.errors import NotFound
from engine.core.values import Json
from webui.api.routing import Answer, Call, Route
from webui.system import AgentStatus, Identity


def read(call: Call) -> Answer:
    """All agents, in the order they are declared."""
    items: list[Json] = [agent.to_json() for agent in call.system.agents()]
    return Answer({"items": items, "next": None})


def show(call: Call) -> Answer:
    """One agent and what happened to it lately."""
    name = call.path["id"]
    for agent in call.system.agents():
        if agent.id == name:
            events = call.system.store.agent_events.list(name, limit=20)
            shown = [event.to_json() for event in events.items]
            return Answer({**agent.to_json(), "events": list(shown)})
    raise NotFound(f"there is no agent {name[:80]}")


def _act(act: Callable[[Call], Callable[..., AgentStatus]]) -> Callable[[Call], Answer]:
    def handler(call: Call) -> Answer:
        by: Identity = call.by
        return Answer(act(call)(call.path["id"], by=by).to_json())

    return handler


ROUTES = (
    Route("GET", "/agents", read, "Agents", gives="list"),
    Route("GET", "/agents/{id}/status", show, "One agent"),
    Route(
        "POST",
        "/agents/{id}/start",
        _act(lambda call: call.system.start_agent),
        "Start an agent",
        role="operator",
    ),
    Route(
        "POST",
        "/agents/{id}/stop",
        _act(lambda call: call.system.stop_agent),
        "Stop an agent",
        role="operator",
    ),
    Route(
        "POST",
        "/agents/{id}/restart",
        _act(lambda call: call.system.restart_agent),
        "Restart an agent",
        role="operator",
    ),
)
