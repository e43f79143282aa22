"""Questions to people: asked once, answered once, bound to exactly what was shown."""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from engine.core.clock import Clock
from engine.core.errors import NotFound, Refused
from engine.core.ports import RunStore
from engine.core.runs import Approval
from engine.core.values import Json, format_duration
from engine.playbook.execution import Execution
from engine.playbook.waiting import look_until

_RANKS = {"viewer": 0, "operator": 1, "admin": 2}
_answering = threading.Lock()
"""An answer and an expiry must not pass each other."""


@dataclass(frozen=True, slots=True)
class Question:
    """`place` names it within its run, `step` is the path it concerns (`run` for the whole);
    `steps` are the acts a yes allows, as resolved; `timeout` in microseconds."""

    place: str
    step: str
    message: str
    role: str
    steps: Sequence[Mapping[str, Any]]
    timeout: int | None = None
    count: int = 1
    not_requester: bool = False
    on_timeout: Literal["deny", "allow"] = "deny"


@dataclass(frozen=True, slots=True)
class Answered:
    granted: bool
    approval: str
    error: str
    outputs: Mapping[str, Json]


def ask(ex: Execution, question: Question) -> Answered:
    """Asks, and waits for the answer or the end of its time; survives restarts meanwhile."""
    ended = ex.once(f"{question.place}:ask", lambda: _wait_for_answer(ex, question))
    ex.put_off(ended["waited"])
    return Answered(ended["granted"], ended["approval"], ended["error"], ended["outputs"])


def _wait_for_answer(ex: Execution, question: Question) -> dict[str, Json]:
    approval = _raise_question(ex, question)
    ex.change(status="waiting")

    def answered() -> Approval | None:
        found = ex.env.store.get_approval(approval.id)
        return None if found is None or found.status == "waiting" else found

    answer = look_until(ex.env, answered, approval.expires) or _expire(ex, approval)
    ex.env.publish("approval", answer)
    ex.change(status="running")
    if not hmac.compare_digest(answer.digest, ex.digest(question.steps)):
        granted, error = False, "what was approved is not what would run"
    elif answer.status == "expired":
        granted = answer.on_timeout == "allow"
        span = format_duration((answer.expires or ex.now()) - answer.created)
        error = f"nobody answered within {span}"
    else:
        granted = answer.status == "approved"
        error = _words(answer)
    last: Mapping[str, Json] = answer.answers[-1] if answer.answers else {}
    return {
        "granted": granted,
        "approval": answer.id,
        "error": error,
        "waited": max(ex.now() - answer.created, 0),
        "outputs": {
            "answer": answer.status,
            "by": last.get("by"),
            "comment": last.get("comment"),
        },
    }


def _raise_question(ex: Execution, question: Question) -> Approval:
    now = ex.now()
    name = _name(ex.run.id, question.place)
    approval = Approval(
        id=name,
        run=ex.run.id,
        step=question.step,
        message=question.message,
        role=question.role,
        digest=ex.digest(question.steps),
        status="waiting",
        created=now,
        expires=None if question.timeout is None else now + question.timeout,
        requester=ex.run.trigger.requester,
        not_requester=question.not_requester,
        count=question.count,
        on_timeout=question.on_timeout,
    )
    if ex.env.store.add_approval(approval):
        ex.env.publish("approval", approval)
        return approval
    return ex.env.store.get_approval(name) or approval


def _name(run: str, place: str) -> str:
    return hashlib.sha256(f"{run}:{place}".encode()).hexdigest()[:20]


def withdraw(store: RunStore, run: str) -> list[Approval]:
    """Takes back what is still asked for a run that has ended."""
    places = {"run"}
    for step in store.steps_of(run):
        places |= {step.path, f"{step.path}:guard", f"{step.path}#{step.attempt}:interrupted"}
    found = []
    with _answering:
        for name in sorted(_name(run, place) for place in places):
            asked = store.get_approval(name)
            if asked is not None and asked.status == "waiting":
                found.append(store.answer_approval(name, "withdrawn", None))
    return found


def _expire(ex: Execution, approval: Approval) -> Approval:
    with _answering:
        latest = ex.env.store.get_approval(approval.id) or approval
        if latest.status != "waiting":
            return latest
        return ex.env.store.answer_approval(approval.id, "expired", None)


def _words(approval: Approval) -> str:
    last = approval.answers[-1] if approval.answers else {}
    said = f": {last['comment']}" if last.get("comment") else ""
    return f"{approval.status} by {last.get('by', 'nobody')}{said}"


def answer(
    store: RunStore,
    clock: Clock,
    approval: str,
    *,
    by: str,
    answer: Literal["approve", "reject"],
    digest: str,
    comment: str = "",
    role: str = "admin",
) -> Approval:
    """Records a person's answer. `by` is `user:NAME`, `role` theirs, `digest` what they saw.

    Errors: `NotFound`; `Refused` where it was answered or has expired, what was shown is not what
    is asked, the person's role is too small, is the requester where that is excluded, or has
    answered before.
    """
    with _answering:
        asked = store.get_approval(approval)
        if asked is None:
            raise NotFound(f"there is no approval '{approval}'")
        _check_answer(asked, clock.now(), by, digest, role)
        said: dict[str, Json] = {"by": by, "at": clock.now(), "answer": answer, "comment": comment}
        if answer == "reject":
            return store.answer_approval(approval, "rejected", said)
        granted = 1 + sum(1 for earlier in asked.answers if earlier.get("answer") == "approve")
        status: Literal["approved", "waiting"] = "approved" if granted >= asked.count else "waiting"
        return store.answer_approval(approval, status, said)


def _check_answer(asked: Approval, now: int, by: str, digest: str, role: str) -> None:
    if asked.status != "waiting":
        raise Refused(f"this approval is {asked.status} already")
    if asked.expires is not None and now > asked.expires:
        raise Refused("the time for this approval has passed")
    if not hmac.compare_digest(asked.digest.encode(), digest.encode()):
        raise Refused("what you were shown is not what is asked now; look at it again")
    if _RANKS.get(role, 0) < _RANKS.get(asked.role, _RANKS["admin"]):
        raise Refused(f"only {asked.role}s may answer this")
    if asked.not_requester and _person(by) == _person(asked.requester):
        raise Refused("whoever asked for this run may not approve it")
    if any(_person(str(earlier.get("by"))) == _person(by) for earlier in asked.answers):
        raise Refused("you have answered this already; another person is needed")


def _person(name: str) -> str:
    return name.removeprefix("user:")
