"""What a run would do, found out without doing it: for dry runs, approvals, and mode observe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.core.runs import Phase, Run, Trigger
from engine.core.values import Json
from engine.lang.expression.templates import render_text
from engine.lang.model import StepSpec, VerifySpec
from engine.playbook.attempt import Attempt, effect_of
from engine.playbook.environment import Environment
from engine.playbook.execution import Execution, execution, freeze
from engine.playbook.inputs import check_inputs
from engine.playbook.resolve import is_destructive, resolve_inputs
from engine.playbook.scope import RenderError, holds


def resolved_acts(ex: Execution) -> list[dict[str, Any]]:
    """The acts whose inputs are known already; those that need an earlier step's outputs are
    judged when they start, as all destructive ones are again."""
    found = []
    for spec in ex.playbook.steps:
        if spec.uses is None or _applies(ex, spec) is False:
            continue
        try:
            inputs = resolve_inputs(ex, spec)
        except RenderError:
            continue
        destructive = is_destructive(ex, spec, inputs)
        found.append(
            {"path": spec.path, "uses": spec.uses, "inputs": inputs, "destructive": destructive}
        )
    return found


def _applies(ex: Execution, spec: StepSpec) -> bool | None:
    """None where it depends on what earlier steps will give."""
    if spec.condition is not None and "steps" in spec.condition.names:
        return None
    return holds(spec.condition, ex.names())


def show_observed(ex: Execution, reasons: Sequence[str]) -> dict[str, Json]:
    """Records what would have run, as skipped steps of an observed run."""
    now = ex.now()
    for spec in ex.playbook.steps:
        shown = plan_step(ex, spec, "steps", ask_effect=False)
        inputs = shown.get("inputs") or {}
        ex.record(
            spec,
            "steps",
            "skipped",
            started=now,
            ended=now,
            inputs=inputs,
            error=shown.get("error"),
            log="it would not have applied" if shown["applies"] is False else "only observed",
        )
    ex.change(status="observed", started=now, ended=now, reasons=tuple(reasons))
    return {}


def dry_run(
    env: Environment,
    commit: str,
    playbook: str,
    inputs: Mapping[str, Json],
    *,
    host: str | None = None,
    trigger: Trigger | None = None,
) -> dict[str, Any]:
    """What a run would do now; nothing is done or recorded, and no database is needed.

    Errors: `NotFound`, `InvalidInputs`, `LangError`.
    """
    source = env.plans.source(commit, playbook)
    parsed = env.plans.parse(playbook, source)
    run = Run(
        id="dry-run",
        playbook=playbook,
        status="queued",
        inputs=check_inputs(parsed, inputs),
        trigger=trigger or Trigger(),
        commit=commit,
        host=host,
        created=env.clock.now(),
        dry_run=True,
    )
    return plan_of(execution(env, lambda name, act: act(), run, parsed, freeze(env, run, source)))


def plan_of(ex: Execution) -> dict[str, Any]:
    """The whole playbook: policy's word on it, and on every step what it would do now."""
    acts = resolved_acts(ex)
    destructive = any(act["destructive"] for act in acts)
    ruling = ex.env.guard.judge(ex.run, destructive=destructive, targets=[ex.host], step="run")
    book = ex.playbook
    return {
        "playbook": book.name,
        "host": ex.host,
        "commit": ex.run.commit,
        "inputs": dict(ex.run.inputs),
        "paused": ex.env.guard.paused(),
        "guard": {"answer": ruling.answer, "reasons": list(ruling.reasons), "role": ruling.role},
        "destructive": destructive,
        "steps": [plan_step(ex, spec, "steps") for spec in book.steps],
        "verify": _words(verification(ex)),
        "on_failure": [plan_step(ex, spec, "on_failure") for spec in book.on_failure],
        "always": [plan_step(ex, spec, "always") for spec in book.always],
    }


def plan_step(
    ex: Execution, spec: StepSpec, phase: Phase, *, ask_effect: bool = True
) -> dict[str, Any]:
    """`applies` is null, `inputs` absent, where they depend on what earlier steps will give."""
    shown: dict[str, Any] = {"path": spec.path, "name": spec.name, "applies": _applies(ex, spec)}
    if spec.ask is not None:
        shown["ask"] = {
            "role": spec.ask.role,
            "message": render_text(spec.ask.message, ex.names()),
        }
    if spec.wait is not None:
        shown["wait"] = {
            "that": None if spec.wait.that is None else spec.wait.that.text,
            "within": spec.wait.within,
        }
    if spec.uses is not None:
        shown["uses"] = spec.uses
        shown.update(_act(ex, spec, phase, ask_effect and shown["applies"] is not False))
    return shown


def _act(ex: Execution, spec: StepSpec, phase: Phase, ask_effect: bool) -> dict[str, Any]:
    try:
        inputs = resolve_inputs(ex, spec)
    except RenderError as error:
        return {"error": error.message}
    shown: dict[str, Any] = {"inputs": inputs, "destructive": is_destructive(ex, spec, inputs)}
    if ask_effect:
        action = ex.env.actions[spec.uses or ""]
        shown["effect"] = effect_of(Attempt(ex, spec, phase, action, inputs, 0))
    if shown["destructive"]:
        ruling = ex.env.guard.judge(ex.run, destructive=True, targets=[ex.host], step=spec.path)
        shown["guard"] = {"answer": ruling.answer, "reasons": list(ruling.reasons)}
    return shown


def verification(ex: Execution) -> VerifySpec | None:
    """What this run verifies: the playbook's own, else that the rule's firing resolved."""
    if ex.playbook.verify is None and ex.run.trigger.resolves and ex.run.trigger.firing:
        return VerifySpec(that=None, resolved=True, within=ex.env.verify_within)
    return ex.playbook.verify


def _words(spec: VerifySpec | None) -> dict[str, Any] | None:
    if spec is None:
        return None
    that = "the firing has resolved" if spec.that is None else spec.that.text
    return {"that": that, "within": spec.within}
