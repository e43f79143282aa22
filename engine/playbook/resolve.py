"""What a step would do: its inputs as values, and whether they destroy anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.core.ports import ActionContext
from engine.core.values import Json
from engine.lang.model import StepSpec
from engine.playbook.arguments import problem_of_arguments
from engine.playbook.execution import Execution
from engine.playbook.schemas import problem_of
from engine.playbook.scope import RenderError, render


def resolve_inputs(ex: Execution, spec: StepSpec) -> dict[str, Json]:
    """The inputs as its action takes them. Error: `RenderError`."""
    action = ex.env.actions.get(spec.uses or "")
    if action is None:
        raise RenderError(f"there is no action '{spec.uses}' here")
    inputs = render(spec.inputs, ex.names())
    problem = problem_of_arguments(action, spec.inputs, inputs) or problem_of(action, inputs)
    if problem is not None:
        raise RenderError(f"{action.name}: {problem}")
    return inputs


def is_destructive(ex: Execution, spec: StepSpec, inputs: Mapping[str, Any]) -> bool:
    """Whether this step with these inputs destroys what cannot be brought back."""
    context = ActionContext(
        run=ex.run.id,
        step=spec.path,
        attempt=0,
        deadline=ex.now() + ex.env.grace * 10,
        host=ex.host,
        hands=ex.env.hands,
        clock=ex.env.clock,
        services=ex.env.services(),
    )
    return ex.env.actions[spec.uses or ""].destroys(context, inputs)
