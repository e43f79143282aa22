"""The audit trail: who did what, and whether the record of it is whole."""

from __future__ import annotations

from webui.api.routing import PAGING, Answer, Call, Route, listing


def read(call: Call) -> Answer:
    """Newest first."""
    return listing(call.system.store.audit.list(**call.page))


def verify(call: Call) -> Answer:
    """Walks the whole chain; where it breaks, says from which entry on."""
    found = call.system.store.audit.verify()
    return Answer(
        {
            "good": found.good,
            "entries": found.entries,
            "entry": found.entry,
            "reason": found.reason,
        }
    )


ROUTES = (
    Route(
        "GET",
        "/audit",
        read,
        "Who did what, newest first",
        role="admin",
        gives="list",
        query=PAGING,
    ),
    Route("GET", "/audit/verify", verify, "Whether the audit trail is whole", role="admin"),
)
