"""Decisions, and the whole story of one firing."""

from __future__ import annotations

from webui.api.problems import ApiProblem
from webui.api.routing import PAGING, Answer, Call, Parameter, Route, listing
from webui.story import story_of


def read(call: Call) -> Answer:
    """Newest first; `rule` as `rule` or `ruleset/rule`."""
    query = call.query
    return listing(
        call.system.store.decisions.list(
            rule=query.get("rule"),
            type_=query.get("decision"),
            since=query.get("since"),
            **call.page,
        )
    )


def show(call: Call) -> Answer:
    """By a decision's id or a firing's."""
    name, decisions = call.path["id"], call.system.store.decisions
    firing = name
    if name.isdigit() and len(name) < 19:
        found = decisions.get(int(name))
        firing = found.decision.firing if found is not None else name
    stored = decisions.of_firing(firing)
    if not stored:
        raise ApiProblem(404, "not-found", f"there is no decision or firing {name[:80]}")
    return Answer(story_of(call.system, stored))


ROUTES = (
    Route(
        "GET",
        "/decisions",
        read,
        "Decisions, newest first",
        gives="list",
        query=(
            Parameter("rule", description="`rule` or `ruleset/rule`."),
            Parameter("decision", description="A decision type."),
            Parameter("since", "instant"),
            *PAGING,
        ),
    ),
    Route("GET", "/decisions/{id}", show, "The whole story of a firing"),
)
