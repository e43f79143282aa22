"""How far a run would come that a rule test decides: inputs and templates, without acting.

A rule that fires and a playbook that then cannot begin is a mistake too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from engine.core.decisions import Decision
from engine.core.ports import ActionType
from engine.core.runs import Run, Trigger
from engine.lang.model import Bundle, Playbook, StepSpec
from engine.playbook.arguments import problem_of_arguments
from engine.playbook.inputs import InvalidInputs, check_inputs
from engine.playbook.schemas import problem_of
from engine.playbook.scope import RenderError, first_scope, render


def rehearse(
    bundle: Bundle,
    actions: Mapping[str, ActionType],
    name: str,
    inputs: Mapping[str, Any],
    decision: Decision,
) -> list[str]:
    """What is wrong with the run, a sentence each. Steps that need what earlier steps give are
    left to the run itself."""
    playbook = bundle.playbooks.get(name)
    if playbook is None:
        return [f"there is no playbook {name}"]
    try:
        checked = check_inputs(playbook, inputs)
    except InvalidInputs as error:
        return [f"{name}: {problem}" for problem in error.problems]
    return list(_steps(bundle, actions, playbook, checked, decision))


def _steps(
    bundle: Bundle,
    actions: Mapping[str, ActionType],
    playbook: Playbook,
    inputs: Mapping[str, Any],
    decision: Decision,
) -> Iterator[str]:
    host = decision.key.get("host")
    host = host if isinstance(host, str) else None
    fact = next((each.fact for each in decision.because if each.fact), None)
    trigger = Trigger(
        rule=f"{decision.ruleset}/{decision.rule}",
        firing=decision.firing,
        key=decision.key,
        fact=None if fact is None else fact.to_json(),
        because=tuple(each.to_json() for each in decision.because),
    )
    run = Run("rehearsal", playbook.name, "queued", inputs, trigger, bundle.commit, host)
    scope = {**first_scope(run, inputs, bundle.labels_of(host), bundle.vars_of(host)), "host": host}
    for step in playbook.steps:
        if step.uses is not None and not _needs_steps(step):
            yield from _problem(playbook, step, actions, scope)


def _needs_steps(step: StepSpec) -> bool:
    waiting: list[Any] = [dict(step.inputs)]
    while waiting:
        value = waiting.pop()
        if isinstance(value, Mapping):
            waiting.extend(value.values())
        elif isinstance(value, list | tuple):
            waiting.extend(value)
        elif any("steps" in part.names for part in getattr(value, "parts", ()) if not _text(part)):
            return True
    return False


def _text(part: object) -> bool:
    return isinstance(part, str)


def _problem(
    playbook: Playbook,
    step: StepSpec,
    actions: Mapping[str, ActionType],
    scope: Mapping[str, Any],
) -> Iterator[str]:
    try:
        given = render(step.inputs, scope)
    except RenderError as error:
        yield f"{playbook.name}, {step.name}: {error.message}"
        return
    action = actions[step.uses or ""]
    wrong = problem_of_arguments(action, step.inputs, given) or problem_of(action, given)
    if wrong is not None:
        yield f"{playbook.name}, {step.name}: {wrong}"
