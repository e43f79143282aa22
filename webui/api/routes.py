"""Every route of the API, in one table."""

from __future__ import annotations

from typing import Final

from webui.api import (
    agents,
    alerts,
    approvals,
    audit,
    content,
    decisions,
    facts,
    people,
    runs,
    session,
    system,
)
from webui.api.routing import Route

ROUTES: Final[tuple[Route, ...]] = (
    *system.ROUTES,
    *session.ROUTES,
    *facts.ROUTES,
    *decisions.ROUTES,
    *alerts.ROUTES,
    *runs.ROUTES,
    *approvals.ROUTES,
    *agents.ROUTES,
    *content.ROUTES,
    *people.ROUTES,
    *audit.ROUTES,
)
