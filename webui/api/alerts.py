"""Alerts, and acknowledging them."""

from __future__ import annotations

from typing import get_args

from engine.store.alerts import Alert, AlertStatus
from webui.api.routing import PAGING, Answer, Call, Parameter, Route, listing


def read(call: Call) -> Answer:
    """Newest first, each with the runs its firing started."""
    store = call.system.store
    page = store.alerts.list(status=call.query.get("status"), **call.page)
    runs = store.runs.runs_of_firings([alert.firing for alert in page.items])
    shown = [{**alert.to_json(), "runs": list(runs.get(alert.firing, ()))} for alert in page.items]
    return listing(page, list(shown))


def acknowledge(call: Call) -> Answer:
    """Says that someone has seen it."""
    alert: Alert = call.system.acknowledge_alert(call.path["id"], by=call.by)
    runs = call.system.store.runs.runs_of_firings([alert.firing])
    return Answer({**alert.to_json(), "runs": list(runs.get(alert.firing, ()))})


ROUTES = (
    Route(
        "GET",
        "/alerts",
        read,
        "Alerts, newest first",
        gives="list",
        query=(Parameter("status", enum=get_args(AlertStatus)), *PAGING),
    ),
    Route(
        "POST",
        "/alerts/acknowledge/{id}",
        acknowledge,
        "Acknowledge an alert",
        role="operator",
    ),
)
