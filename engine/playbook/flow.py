"""A run from policy's word to its outcome: steps, verification, rollback, and what follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from engine.core.ports import Ruling
from engine.core.runs import Phase, Step
from engine.core.values import Json, format_duration
from engine.lang.model import StepSpec, VerifySpec
from engine.playbook.approvals import Question, ask
from engine.playbook.execution import Ending, Execution, Failure, StepResult
from engine.playbook.outcome import failure_alert
from engine.playbook.plan import resolved_acts, show_observed, verification
from engine.playbook.steps import perform, ruling_from
from engine.playbook.waiting import hold_while_paused, verify


def carry_out(ex: Execution) -> str:
    """The whole run; gives its final status. What it raises means that the run cannot go on:
    its memory is unreadable, or Wakil has a fault."""
    hold_while_paused(ex)
    ruling, acts = _judge(ex)
    if ruling.answer == "refuse":
        return finish(ex, Failure("refused", _why(ruling), ruling.reasons))
    if ruling.answer == "observe":
        ex.once("observe", lambda: show_observed(ex, ruling.reasons))
        return "observed"
    if ruling.answer == "ask":
        refused = _ask_first(ex, ruling, acts)
        if refused is not None:
            return finish(ex, refused)
    started = ex.once("start", lambda: _start(ex, ruling))["at"]
    ex.last_end = started
    if ex.playbook.timeout is not None:
        ex.deadline = started + ex.playbook.timeout
    failure = _steps(ex) or _verify(ex)
    if failure is not None:
        ex.scope["run"]["error"] = failure.error
        _roll_back(ex)
        _all(ex, ex.playbook.on_failure, "on_failure")
    worst = _all(ex, ex.playbook.always, "always")
    return finish(ex, failure or worst)


def _judge(ex: Execution) -> tuple[Ruling, list[dict[str, Any]]]:
    """Policy's word, and the acts that it was asked about."""

    def act() -> dict[str, Any]:
        acts = resolved_acts(ex)
        destructive = any(each["destructive"] for each in acts)
        ruling = ex.env.guard.judge(ex.run, destructive=destructive, targets=[ex.host], step="run")
        return {"ruling": asdict(ruling), "acts": acts}

    judged = ex.once("guard", act)
    return ruling_from(judged["ruling"]), judged["acts"]


def _why(ruling: Ruling) -> str:
    return "; ".join(ruling.reasons) or "policy refuses it"


def _ask_first(ex: Execution, ruling: Ruling, acts: Sequence[Mapping[str, Any]]) -> Failure | None:
    """Asks before anything is done. What was shown resolved need not be asked again later."""
    shown = [{name: act[name] for name in ("path", "uses", "inputs")} for act in acts]
    answer = ask(
        ex,
        Question(
            place="run",
            step="run",
            message=f"Run {ex.run.playbook} on {ex.host}: {_why(ruling)}",
            role=ruling.role,
            steps=shown,
            timeout=ruling.timeout,
            count=ruling.count,
            not_requester=ruling.not_requester,
            on_timeout=ruling.on_timeout,
        ),
    )
    error = None if answer.granted else answer.error
    ex.once("guard:asked", lambda: _note_guard(ex, ruling, error))
    if error is not None:
        return Failure("refused", answer.error, ruling.reasons)
    ex.approval = answer.approval
    ex.approved = {act["path"]: ex.digest([act]) for act in shown}
    return None


def _note_guard(ex: Execution, ruling: Ruling, error: str | None) -> dict[str, Json]:
    now = ex.now()
    ex.save(
        Step(
            run=ex.run.id,
            path="guard",
            name="Policy",
            phase="guard",
            status="succeeded" if error is None else "failed",
            started=now,
            ended=now,
            outputs={"reasons": list(ruling.reasons)},
            error=error,
        )
    )
    return {}


def _start(ex: Execution, ruling: Ruling) -> dict[str, Json]:
    now = ex.now()
    ex.change(status="running", started=now, reasons=ruling.reasons)
    return {"at": now}


def _steps(ex: Execution) -> Failure | None:
    for spec in ex.playbook.steps:
        result = perform(ex, spec, "steps")
        if result.good or (spec.continue_on_error and result.status != "unknown"):
            continue
        return _failure(spec, result)
    return None


def _verify(ex: Execution) -> Failure | None:
    spec = verification(ex)
    if spec is None:
        return None
    began = ex.once("verify:begin", lambda: {"at": ex.now()})["at"]

    def act() -> dict[str, Json]:
        _note_verify(ex, spec, "running", began)
        error = verify(ex, spec, began)
        _note_verify(ex, spec, "succeeded" if error is None else "failed", began, error)
        return {"error": error}

    error = ex.once("verify", act)["error"]
    return None if error is None else Failure("failed", f"not verified: {error}")


def _note_verify(
    ex: Execution, spec: VerifySpec, status: Any, began: int, error: str | None = None
) -> None:
    """With what is asked: the condition as written, or that the firing has resolved."""
    ended = None if status == "running" else ex.now()
    asked: dict[str, Json] = {"resolved": True} if spec.that is None else {"that": spec.that.text}
    ex.save(
        Step(
            run=ex.run.id,
            path="verify",
            name="Verify" if spec.that is None else spec.that.text,
            phase="verify",
            status=status,
            started=began,
            ended=ended,
            inputs={**asked, "within": format_duration(spec.within)},
            error=error,
        )
    )


def _roll_back(ex: Execution) -> None:
    """In reverse order; one that fails is recorded, and the rest go on."""
    for done in reversed(ex.done):
        if done.spec.rollback is None or not perform(ex, done.spec.rollback, "rollback").good:
            continue

        def mark(done: Any = done) -> dict[str, Json]:
            ex.record(
                done.spec,
                "steps",
                "rolled_back",
                attempt=done.attempt,
                started=done.started,
                ended=done.result.ended,
                inputs=done.inputs,
                outputs=done.result.outputs,
            )
            return {}

        ex.once(f"{done.spec.path}:rolled-back", mark)


def _all(ex: Execution, steps: Sequence[StepSpec], phase: Phase) -> Failure | None:
    """Every step, whatever became of the one before; gives the first failure."""
    first: Failure | None = None
    for spec in steps:
        result = perform(ex, spec, phase)
        if not result.good and not spec.continue_on_error and first is None:
            first = _failure(spec, result)
    return first


def _failure(spec: StepSpec, result: StepResult) -> Failure:
    error = f"{spec.name}: {result.error}"
    if result.status in ("unknown", "refused"):
        return Failure("unknown" if result.status == "unknown" else "refused", error)
    return Failure("failed", error)


def finish(ex: Execution, failure: Failure | None) -> Ending:
    """Records the outcome once."""
    status: Ending = "succeeded" if failure is None else failure.status

    def act() -> Mapping[str, Json]:
        _end(ex, status, failure)
        return {}

    ex.once("finish", act)
    ex.env.signals.wake()
    return status


def _end(ex: Execution, status: Ending, failure: Failure | None) -> None:
    now = ex.now()
    changes: dict[str, Any] = {"status": status}
    if failure is not None:
        changes["error"] = failure.error
        if failure.reasons:
            changes["reasons"] = failure.reasons
    if status in ("failed", "unknown"):
        # Before the end is recorded: told twice is the same alert, never told is none.
        ex.env.alert(failure_alert(replace(ex.run, **changes), now, ex.host))
    ex.change(ended=now, **changes)
