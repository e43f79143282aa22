"""Facts: posted by whoever may act, read by all."""

from __future__ import annotations

from typing import Any

from engine.core.errors import FactRefused
from engine.core.facts import Fact
from engine.core.values import parse_instant
from webui.api.routing import PAGING, Answer, Call, Parameter, Route, listing

_FACT = {
    "type": "object",
    "properties": {
        "at": {"type": "string", "format": "date-time", "description": "Without: now."},
        "kind": {"type": "string", "maxLength": 200},
        "host": {"type": ["string", "null"], "maxLength": 253},
        "data": {"type": "object"},
        "gone": {"type": "boolean"},
    },
    "required": ["kind", "data"],
    "additionalProperties": False,
}
MOST = 10_000


def post(call: Call) -> Answer:
    """Takes one fact or a list of them, all or none; they are on disk when it answers."""
    given = call.body if isinstance(call.body, list) else [call.body]
    facts = [_fact(index, item, len(given)) for index, item in enumerate(given)]
    call.system.accept(facts)
    return Answer({"accepted": len(facts)}, 202)


def read(call: Call) -> Answer:
    """The last to arrive first."""
    query = call.query
    return listing(
        call.system.store.journal.read(
            kind=query.get("kind"),
            host=query.get("host"),
            since=query.get("since"),
            until=query.get("until"),
            **call.page,
        )
    )


def _fact(index: int, item: dict[str, Any], count: int) -> Fact:
    at = 0
    if "at" in item:
        parsed = parse_instant(item["at"])
        if parsed is None:
            place = f"fact {index + 1} of {count}: " if count > 1 else ""
            raise FactRefused(
                f"{place}at: {item['at'][:40]!r} is not a time; 2026-01-01T00:00:00Z is one"
            )
        at = parsed
    return Fact(item["kind"], at, item.get("host"), item["data"], item.get("gone", False))


ROUTES = (
    Route(
        "GET",
        "/facts",
        read,
        "Facts, newest first",
        gives="list",
        query=(
            Parameter("kind"),
            Parameter("host"),
            Parameter("since", "instant"),
            Parameter("until", "instant"),
            *PAGING,
        ),
    ),
    Route(
        "POST",
        "/facts",
        post,
        "Post one fact or a list",
        role="operator",
        status=202,
        most_bytes=8 << 20,
        body={"oneOf": [_FACT, {"type": "array", "items": _FACT, "maxItems": MOST}]},
    ),
)
