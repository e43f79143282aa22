"""One step of a playbook: whether it applies, with what, who must agree, and its attempts."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from engine.core.ports import Ruling
from engine.core.runs import Phase
from engine.core.values import HOUR, Json
from engine.lang.expression.templates import render_text
from engine.lang.model import AskSpec, StepSpec
from engine.playbook.approvals import Question, ask
from engine.playbook.attempt import Attempt, attempt
from engine.playbook.execution import Done, Execution, StepResult
from engine.playbook.resolve import is_destructive, resolve_inputs
from engine.playbook.scope import RenderError, holds
from engine.playbook.waiting import hold_while_paused, look_until, wait


def perform(ex: Execution, spec: StepSpec, phase: Phase) -> StepResult:
    """Carries a step out and notes what later steps and the rollback need of it."""
    hold_while_paused(ex)
    prepared = ex.once(f"{spec.path}:prepare", lambda: _prepare(ex, spec, phase))
    if prepared["do"] == "act":
        result = _kind(ex, spec, phase, prepared)
    else:
        result = StepResult(prepared["do"], {}, prepared.get("error"), prepared["at"])
    if result.status != "skipped":
        ex.last_end = result.ended
    if spec.id is not None and result.status == "succeeded":
        ex.scope["steps"][spec.id] = dict(result.outputs)
    return result


def _prepare(ex: Execution, spec: StepSpec, phase: Phase) -> dict[str, Json]:
    """Judged once and remembered: a restart must not decide otherwise."""
    now = ex.now()
    overdue = ex.overdue() if phase == "steps" else None
    if overdue is not None:
        ex.record(spec, phase, "failed", started=now, ended=now, error=overdue)
        return {"do": "failed", "error": overdue, "at": now}
    if not holds(spec.condition, ex.names()):
        ex.record(spec, phase, "skipped", started=now, ended=now)
        return {"do": "skipped", "at": now}
    if spec.uses is None:
        return {"do": "act", "began": now}
    try:
        inputs = resolve_inputs(ex, spec)
    except RenderError as error:
        ex.record(spec, phase, "failed", started=now, ended=now, error=error.message)
        return {"do": "failed", "error": error.message, "at": now}
    ruling = _ruling(ex, spec, inputs)
    return {"do": "act", "began": now, "inputs": inputs, "ruling": asdict(ruling)}


def _ruling(ex: Execution, spec: StepSpec, inputs: Mapping[str, Any]) -> Ruling:
    if not is_destructive(ex, spec, inputs):
        return Ruling("allow")
    return ex.env.guard.judge(ex.run, destructive=True, targets=[ex.host], step=spec.path)


def ruling_from(stored: Mapping[str, Any]) -> Ruling:
    """A ruling as it came back from memory, where a tuple has become a list."""
    return Ruling(**{**stored, "reasons": tuple(stored["reasons"])})


def _kind(ex: Execution, spec: StepSpec, phase: Phase, prepared: Mapping[str, Any]) -> StepResult:
    if spec.ask is not None:
        return _ask(ex, spec, spec.ask, phase, prepared["began"])
    if spec.wait is not None:
        return _wait(ex, spec, phase, prepared["began"])
    return _use(ex, spec, phase, prepared)


def _ask(ex: Execution, spec: StepSpec, asked: AskSpec, phase: Phase, began: int) -> StepResult:
    ex.once(f"{spec.path}:asking", lambda: _note(ex, spec, phase, "waiting", began))
    answer = ask(
        ex,
        Question(
            place=spec.path,
            step=spec.path,
            message=render_text(asked.message, ex.names()),
            role=asked.role,
            steps=[{"path": spec.path}],
            timeout=asked.timeout,
            count=asked.count,
            not_requester=asked.not_requester,
            on_timeout=asked.on_timeout,
        ),
    )
    status = "succeeded" if answer.granted else "failed"
    error = None if answer.granted else answer.error

    def note() -> dict[str, Json]:
        return _note(ex, spec, phase, status, began, error, answer.outputs)

    ended = ex.once(f"{spec.path}:asked", note)
    return StepResult(
        "succeeded" if answer.granted else "refused", answer.outputs, error, ended["at"]
    )


def _wait(ex: Execution, spec: StepSpec, phase: Phase, began: int) -> StepResult:
    waited = spec.wait
    assert waited is not None

    def act() -> dict[str, Json]:
        ex.record(spec, phase, "waiting", started=began)
        error = wait(ex, waited, began, ex.deadline if phase == "steps" else None)
        status = "succeeded" if error is None else "failed"
        return _note(ex, spec, phase, status, began, error)

    ended = ex.once(f"{spec.path}:wait", act)
    error = ended["error"]
    return StepResult("succeeded" if error is None else "failed", {}, error, ended["at"])


def _note(
    ex: Execution,
    spec: StepSpec,
    phase: Phase,
    status: Any,
    began: int,
    error: str | None = None,
    outputs: Mapping[str, Json] | None = None,
) -> dict[str, Json]:
    now = ex.now()
    ended = None if status == "waiting" else now
    ex.record(spec, phase, status, started=began, ended=ended, outputs=outputs or {}, error=error)
    return {"error": error, "at": now}


def _use(ex: Execution, spec: StepSpec, phase: Phase, prepared: Mapping[str, Any]) -> StepResult:
    inputs = prepared["inputs"]
    ruling = ruling_from(prepared["ruling"])
    resolved = [{"path": spec.path, "uses": spec.uses, "inputs": inputs}]
    if ruling.answer in ("refuse", "observe"):
        why = "; ".join(ruling.reasons) or f"policy says {ruling.answer}"
        return _denied(ex, spec, phase, prepared["began"], inputs, why)
    approval = ex.approval
    if ruling.answer == "ask" and ex.approved.get(spec.path) != ex.digest(resolved):
        why = "; ".join(ruling.reasons) or "it destroys what cannot be brought back"
        answer = ask(
            ex,
            Question(
                place=f"{spec.path}:guard",
                step=spec.path,
                message=f"{spec.name} on {ex.host}: {why}",
                role=ruling.role,
                steps=resolved,
                timeout=ruling.timeout,
                count=ruling.count,
                not_requester=ruling.not_requester,
                on_timeout=ruling.on_timeout,
            ),
        )
        if not answer.granted:
            return _denied(ex, spec, phase, prepared["began"], inputs, answer.error)
        approval = answer.approval
    return _attempts(ex, spec, phase, inputs, approval)


def _denied(
    ex: Execution, spec: StepSpec, phase: Phase, began: int, inputs: Mapping[str, Any], why: str
) -> StepResult:
    def act() -> dict[str, Json]:
        now = ex.now()
        ex.record(spec, phase, "failed", started=began, ended=now, inputs=inputs, error=why)
        return {"at": now}

    return StepResult("refused", {}, why, ex.once(f"{spec.path}:denied", act)["at"])


def _attempts(
    ex: Execution, spec: StepSpec, phase: Phase, inputs: Mapping[str, Any], approval: str | None
) -> StepResult:
    """Tries until it succeeds or its retries are used up; a repeat after an interruption is not
    counted as a retry."""
    action = ex.env.actions[spec.uses or ""]
    number = failures = 0
    while True:
        number += 1
        at = Attempt(ex, spec, phase, action, inputs, number, approval)
        ended = ex.once(f"{spec.path}#{number}", lambda at=at: attempt(at))
        status = ended["status"]
        result = StepResult(status, ended["outputs"], ended["error"], ended["at"])
        if status in ("succeeded", "unknown"):
            if status == "succeeded" and phase == "steps":
                ex.done.append(Done(spec, number, inputs, ended["started"], result))
            return result
        if status == "interrupted":
            refusal = _after_interruption(ex, spec, at, ended)
            if refusal is not None:
                return refusal
        elif status == "repeat":
            hold_while_paused(ex)
        elif status == "failed":
            failures += 1
            if failures >= spec.retry.attempts or (phase == "steps" and ended["overdue"]):
                return result
            _pause(ex, spec, failures)


def _after_interruption(
    ex: Execution, spec: StepSpec, at: Attempt, ended: Mapping[str, Any]
) -> StepResult | None:
    """None where the step may be done again."""
    error = ended["error"]
    if spec.on_interrupt == "retry":
        return None
    if spec.on_interrupt == "fail":
        return StepResult("failed", {}, error, ended["at"])
    resolved = [{"path": spec.path, "uses": spec.uses, "inputs": at.inputs}]
    answer = ask(
        ex,
        Question(
            place=f"{spec.path}#{at.number}:interrupted",
            step=spec.path,
            message=f"{spec.name} on {ex.host}: {error}. Do it again?",
            role="operator",
            steps=resolved,
        ),
    )
    if answer.granted:
        return None
    return StepResult("unknown", {}, f"{error} ({answer.error})", ended["at"])


def _pause(ex: Execution, spec: StepSpec, failures: int) -> None:
    """Before the next try; up to a tenth longer, so that many runs do not come back as one."""
    delay = spec.retry.delay
    if spec.retry.backoff == "exponential":
        delay = min(delay << (failures - 1), max(delay, HOUR))
    if ex.deadline is not None:
        delay = min(delay, max(ex.deadline - ex.now(), 0))
    jitter = random.randrange(delay // 10 + 1)  # noqa: S311 - spreads load, guards nothing
    look_until(ex.env, lambda: None, ex.now() + delay + jitter)
