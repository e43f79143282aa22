"""What a playbook would do, step by step, and how a run's finished steps can be undone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from engine.core.runs import Phase, Step
from engine.core.values import Json
from engine.lang.model import Playbook, StepSpec


def plan_of(playbook: Playbook, destructive: Collection[str]) -> list[Json]:
    """All steps in order, `verify` between; `destructive` are names of actions that may destroy."""
    planned = _planned(playbook.steps, "steps", destructive)
    if playbook.verify is not None:
        that = playbook.verify.that
        name = "Verify" if that is None else that.text
        planned.append(_entry("verify", name, "verify", "", destructive))
    planned += _planned(playbook.on_failure, "on_failure", destructive)
    return planned + _planned(playbook.always, "always", destructive)


def way_back_of(playbook: Playbook, steps: Sequence[Step]) -> list[Json]:
    """Rollbacks of steps that succeeded, the last one first: `ready` where not begun yet."""
    latest = {step.path: step for step in steps}
    way: list[Json] = []
    for spec in reversed(playbook.steps):
        done = latest.get(spec.path)
        if spec.rollback is None or done is None:
            continue
        if done.status not in ("succeeded", "rolled_back"):
            continue
        undone = latest.get(spec.rollback.path)
        status = undone.status if undone is not None else "ready"
        uses = spec.rollback.uses or ""
        name = spec.name if spec.rollback.name in ("", uses) else spec.rollback.name
        way.append({"path": spec.rollback.path, "name": name, "uses": uses, "status": status})
    return way


def _planned(steps: Iterable[StepSpec], phase: Phase, destructive: Collection[str]) -> list[Json]:
    return [_entry(step.path, step.name, phase, _what(step), destructive) for step in steps]


def _what(step: StepSpec) -> str:
    return step.uses or ("ask" if step.ask is not None else "wait")


def _entry(
    path: str, name: str, phase: Phase, uses: str, destructive: Collection[str]
) -> dict[str, Json]:
    return {
        "path": path,
        "name": name,
        "phase": phase,
        "uses": uses,
        "destructive": uses in destructive,
    }
