"""The names that a playbook's templates and conditions see, and rendering with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.core.errors import WakilError
from engine.core.runs import Run
from engine.core.values import MISSING, Json
from engine.lang.expression import evaluate
from engine.lang.expression.nodes import Expression, Template
from engine.lang.expression.templates import MissingValue, render_value
from engine.lang.model import Value

NAMES = frozenset({"inputs", "steps", "item", "trigger", "run", "host", "labels", "vars", "time"})
"""What is not a fact kind in a playbook's expressions."""

Scope = dict[str, Any]


class RenderError(WakilError):
    """An action's input that could not be made; an error of its step."""

    code = "cannot-render"


def first_scope(
    run: Run, inputs: Mapping[str, Json], labels: Mapping[str, str], variables: Mapping[str, Json]
) -> Scope:
    """Before any step: `steps` is empty, `run.error` missing."""
    trigger = run.trigger
    return {
        "inputs": dict(inputs),
        "steps": {},
        "trigger": {
            "rule": trigger.rule,
            "firing": trigger.firing,
            "key": dict(trigger.key),
            "fact": None if trigger.fact is None else dict(trigger.fact),
            "because": [dict(reason) for reason in trigger.because],
            "severity": trigger.severity,
            "requester": trigger.requester,
        },
        "run": {"id": run.id, "playbook": run.playbook, "commit": run.commit},
        "host": run.host if run.host is not None else MISSING,
        "labels": dict(labels),
        "vars": dict(variables),
    }


def holds(expression: Expression | None, scope: Mapping[str, Any]) -> bool:
    """Whether a condition is true; one that is not there holds."""
    return expression is None or evaluate(expression, scope) is True


def render(values: Mapping[str, Value], scope: Mapping[str, Any]) -> dict[str, Json]:
    """An action's inputs as typed values. Error: `RenderError`.

    What a template gives is never rendered again, and never a secret: `{secret: …}` counts only
    where the playbook's author wrote it.
    """
    try:
        return {name: _render(value, scope, name) for name, value in values.items()}
    except MissingValue as error:
        raise RenderError(error.message) from None


def _render(value: Value, scope: Mapping[str, Any], place: str) -> Any:
    if isinstance(value, Template):
        made = render_value(value, scope)
        if _has_secret(made):
            raise RenderError(
                f"{value.file}:{value.line}:{value.column}: '{place}': a secret cannot be the "
                "result of a template; write {secret: …} itself there"
            )
        return made
    if isinstance(value, Mapping):
        return {k: _render(v, scope, f"{place}.{k}") for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_render(v, scope, f"{place}[{i}]") for i, v in enumerate(value)]
    return value


def _has_secret(value: Any) -> bool:
    pending = [value]
    while pending:
        at_hand = pending.pop()
        if isinstance(at_hand, Mapping):
            if "secret" in at_hand:
                return True
            pending.extend(at_hand.values())
        elif isinstance(at_hand, list | tuple):
            pending.extend(at_hand)
    return False
