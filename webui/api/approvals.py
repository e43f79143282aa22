"""Questions to people, and their answers."""

from __future__ import annotations

from typing import Literal, get_args

from engine.core.runs import Approval, ApprovalStatus
from engine.core.values import Json
from webui.api.routing import PAGING, Answer, Call, Parameter, Route, listing


def read(call: Call) -> Answer:
    """Newest first."""
    store = call.system.store.runs
    page = store.list_approvals(status=call.query.get("status"), **call.page)
    return listing(page, [_with_playbook(call, approval) for approval in page.items])


def approve(call: Call) -> Answer:
    """Says yes to exactly what was shown (`digest`)."""
    return _answer(call, "approve")


def reject(call: Call) -> Answer:
    """Says no."""
    return _answer(call, "reject")


def _answer(call: Call, answer: Literal["approve", "reject"]) -> Answer:
    approval = call.system.answer_approval(
        call.path["id"],
        answer,
        by=call.by,
        digest=call.body["digest"],
        comment=call.body.get("comment") or "",
    )
    return Answer(_with_playbook(call, approval))


def _with_playbook(call: Call, approval: Approval) -> Json:
    run = call.system.store.runs.get_run(approval.run)
    return approval_to_json(approval, None if run is None else run.playbook)


def approval_to_json(approval: Approval, playbook: str | None) -> dict[str, Json]:
    """An approval with the name of its run's playbook."""
    return {**approval.to_json(), "playbook": playbook}


_BODY = {
    "type": "object",
    "properties": {
        "digest": {"type": "string", "maxLength": 200},
        "comment": {"type": ["string", "null"], "maxLength": 4000},
    },
    "required": ["digest"],
    "additionalProperties": False,
}
ROUTES = (
    Route(
        "GET",
        "/approvals",
        read,
        "Approvals, newest first",
        gives="list",
        query=(Parameter("status", enum=get_args(ApprovalStatus)), *PAGING),
    ),
    Route("POST", "/approvals/{id}/approve", approve, "Approve", role="operator", body=_BODY),
    Route("POST", "/approvals/{id}/reject", reject, "Reject", role="operator", body=_BODY),
)
