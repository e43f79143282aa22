"""How far a run would come that a rule test decides: inputs, templates, policy, without acting.

A rule that fires and a playbook that then cannot begin is a mistake too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.core.decisions import Decision
from engine.core.errors import Refused
from engine.core.facts import Fact
from engine.core.ports import ActionContext, ActionType, Order, Ruling
from engine.core.runs import Run, Trigger
from engine.core.values import HOUR
from engine.lang.model import Bundle, Playbook, StepSpec
from engine.playbook.arguments import problem_of_arguments
from engine.playbook.inputs import InvalidInputs, check_inputs
from engine.playbook.schemas import problem_of
from engine.playbook.scope import RenderError, first_scope, holds, render
from engine.policy.guard import PolicyGuard
from engine.rules.casetests import RunCheck
from engine.rules.engine import Engine
from engine.rules.reference import build_reference


def rehearse(
    bundle: Bundle,
    actions: Mapping[str, ActionType],
    mode: str,
    decision: Decision,
    facts: Sequence[Fact],
) -> RunCheck:
    """What is wrong with the run, a sentence each, and what policy would say of it.

    Steps that need what earlier steps give are left to the run itself. `mode` is the automation's
    for all; `facts` are known when the rule decides.
    """
    name, given = str(decision.data["playbook"]), decision.data["with"]
    playbook = bundle.playbooks.get(name)
    if playbook is None:
        return RunCheck(name, (f"there is no playbook {name}",), "")
    try:
        inputs = check_inputs(playbook, given)
    except InvalidInputs as error:
        return RunCheck(name, tuple(f"{name}: {problem}" for problem in error.problems), "")
    rehearsal = _Rehearsal(bundle, actions, playbook, _run(bundle, name, inputs, decision))
    problems = tuple(rehearsal.problems())
    return RunCheck(name, problems, _worded(rehearsal.ruling(mode, decision.at, facts)))


def _run(bundle: Bundle, name: str, inputs: Mapping[str, Any], decision: Decision) -> Run:
    host = decision.key.get("host")
    fact = next((each.fact for each in decision.because if each.fact), None)
    trigger = Trigger(
        rule=f"{decision.ruleset}/{decision.rule}",
        firing=decision.firing,
        key=decision.key,
        fact=None if fact is None else fact.to_json(),
        because=tuple(each.to_json() for each in decision.because),
        mode=decision.mode,
    )
    host = host if isinstance(host, str) else None
    return Run("rehearsal", name, "queued", inputs, trigger, bundle.commit, host)


@dataclass(frozen=True, slots=True)
class _Rehearsal:
    bundle: Bundle
    actions: Mapping[str, ActionType]
    playbook: Playbook
    run: Run

    def problems(self) -> Iterator[str]:
        """What is wrong with the steps' inputs, as far as they are known."""
        for step, given in self._steps():
            where = f"{self.playbook.name}, {step.name}"
            if isinstance(given, str):
                yield f"{where}: {given}"
                continue
            action = self.actions[step.uses or ""]
            wrong = problem_of_arguments(action, step.inputs, given) or problem_of(action, given)
            if wrong is not None:
                yield f"{where}: {wrong}"

    def ruling(self, mode: str, at: int, facts: Sequence[Fact]) -> Ruling:
        """The guard's word by the rules in force, with no run before this one."""
        engine = Engine(self.bundle, now=at, matcher=build_reference)
        try:
            for fact in facts:
                engine.feed(fact)
            guard = PolicyGuard(
                lambda: self.bundle, engine.consult, _NoRuns(), _Standing(at), lambda: mode,
                lambda: False,
            )  # fmt: skip
            destructive = any(
                self._destroys(step, given, at)
                for step, given in self._steps()
                if not isinstance(given, str)
            )
            targets = [self.run.host or "the local host"]
            return guard.judge(self.run, destructive=destructive, targets=targets, step="run")
        finally:
            engine.close()

    def _steps(self) -> Iterator[tuple[StepSpec, Mapping[str, Any] | str]]:
        """Each step that would act, with its inputs, or what is wrong with them."""
        host = self.run.host
        bundle = self.bundle
        labels, variables = bundle.labels_of(host), bundle.vars_of(host)
        scope = {**first_scope(self.run, self.run.inputs, labels, variables), "host": host}
        for step in self.playbook.steps:
            if step.uses is None or _needs_steps(step):
                continue
            try:
                if holds(step.condition, scope):
                    yield step, render(step.inputs, scope)
            except RenderError as error:
                yield step, error.message

    def _destroys(self, step: StepSpec, given: Mapping[str, Any], at: int) -> bool:
        """Whether a step destroys by its inputs alone; what only the machine tells counts as
        no, since a destructive step is judged again when it starts."""
        context = ActionContext(
            run=self.run.id,
            step=step.path,
            attempt=0,
            deadline=at + HOUR,
            host=self.run.host or "",
            hands=_NoHands(),
            clock=_Standing(at),
        )
        try:
            return self.actions[step.uses or ""].destroys(context, given)
        except Refused:
            return False


def _needs_steps(step: StepSpec) -> bool:
    if step.condition is not None and "steps" in step.condition.names:
        return True
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


def _worded(ruling: Ruling) -> str:
    reasons = "; ".join(ruling.reasons)
    match ruling.answer:
        case "allow":
            return "policy allows it"
        case "ask":
            return f"policy asks {ruling.role}: {reasons}"
        case "observe":
            return f"policy only observes: {reasons}"
        case _:
            return f"policy refuses it: {reasons}"


class _NoHands:
    """Nothing is touched or looked at in a rehearsal."""

    def act(self, order: Order) -> Mapping[str, Any]:
        raise Refused(f"{order.verb} is left to the run itself")

    def open_log(self, root: str, path: str) -> int:
        raise Refused("logs are left to the run itself")


class _NoRuns:
    """No run has been before."""

    def runs_since(self, playbook: str | None, since: int) -> Sequence[Run]:
        return ()


@dataclass(frozen=True, slots=True)
class _Standing:
    """The instant of the decision."""

    at: int

    def now(self) -> int:
        return self.at
