"""The system itself: health, status, the pause switch."""

from __future__ import annotations

from webui.api.routing import Answer, Call, Route
from webui.status import status_of


def health(call: Call) -> Answer:
    """200 where Wakil does its work, else 503 with the reasons."""
    state, reasons = call.system.health()
    if state == "ok":
        return Answer({"status": "ok", "version": call.system.version})
    return Answer({"status": state, "reasons": list(reasons)}, 503, {"Retry-After": "1"})


def status(call: Call) -> Answer:
    """All that the Overview shows."""
    return Answer(status_of(call.system, call.services.history))


def pause(call: Call) -> Answer:
    """No run begins and no destructive step goes on until `resume`."""
    reason = (call.body or {}).get("reason") or ""
    return Answer(call.system.pause(by=call.by, reason=reason).to_json())


def resume(call: Call) -> Answer:
    """Automation goes on."""
    return Answer(call.system.resume(by=call.by).to_json())


ROUTES = (
    Route("GET", "/system/health", health, "Health, open to all", role=None),
    Route("GET", "/system/status", status, "Everything at a glance"),
    Route(
        "POST",
        "/system/pause",
        pause,
        "Pause automation",
        role="operator",
        body_required=False,
        body={
            "type": "object",
            "properties": {"reason": {"type": ["string", "null"], "maxLength": 1000}},
            "additionalProperties": False,
        },
    ),
    Route("POST", "/system/resume", resume, "Resume automation", role="operator"),
)
