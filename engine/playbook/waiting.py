"""Waiting without doing: until something holds, an instant comes, or Wakil stops."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any, TypeVar

from engine.core.facts import Fact
from engine.core.values import Json, format_duration
from engine.lang.expression import evaluate
from engine.lang.expression.nodes import Expression
from engine.lang.model import VerifySpec, WaitSpec
from engine.playbook.environment import Environment
from engine.playbook.execution import Execution
from engine.playbook.scope import NAMES

Found = TypeVar("Found")


def look_until(
    env: Environment, look: Callable[[], Found | None], until: int | None
) -> Found | None:
    """What `look` gives as soon as it gives something; None once `until` has come.

    Looks whenever something wakes the runs, and at growing intervals besides.
    """
    pause = env.poll
    while True:
        seen = env.signals.wakes
        found = look()
        if found is not None:
            return found
        left = None if until is None else until - env.clock.now()
        if left is not None and left <= 0:
            return None
        env.signals.sleep(pause if left is None else min(pause, left), seen)
        pause = min(pause * 2, env.poll * 10)


def hold_while_paused(ex: Execution) -> None:
    """Returns at once unless automation is paused; then when it is resumed."""
    if not ex.env.guard.paused():
        return
    began = ex.now()
    ex.change(status="waiting")
    look_until(ex.env, lambda: None if ex.env.guard.paused() else True, None)
    ex.put_off(ex.now() - began)
    ex.change(status="running")


def wait(ex: Execution, spec: WaitSpec, began: int, deadline: int | None) -> str | None:
    """A step's `wait`; gives the sentence of its failure. `began` survives a restart."""
    until = began + spec.within
    bound = until if deadline is None else min(until, deadline)
    error: str | None = None
    if spec.that is None:
        look_until(ex.env, lambda: None, bound)
    else:
        error = _until_true(ex, spec.that, spec.for_, bound, spec.within)
    if bound < until and (error is not None or spec.that is None):
        return ex.overdue()
    return error


def verify(ex: Execution, spec: VerifySpec, began: int) -> str | None:
    """A playbook's `verify`; gives the sentence of its failure."""
    if spec.that is not None:
        return _until_true(ex, spec.that, 0, began + spec.within, spec.within)
    firing = ex.run.trigger.firing
    if firing is None:
        return None
    kinds = _kinds_of_trigger(ex)

    def resolved() -> bool | None:
        if not ex.env.observer.firing_open(firing):
            return True
        ex.env.observer.collect_now(kinds)
        return None if ex.env.observer.firing_open(firing) else True

    if look_until(ex.env, resolved, began + spec.within):
        return None
    rule = ex.run.trigger.rule or "the firing"
    return f"{rule} did not resolve within {format_duration(spec.within)}"


def _until_true(ex: Execution, that: Expression, for_: int, until: int, within: int) -> str | None:
    kinds = sorted(that.names - NAMES)
    held_since: int | None = None

    def true_long_enough() -> bool | None:
        nonlocal held_since
        ex.env.observer.collect_now(kinds)
        now = ex.now()
        if not _true_now(ex, that, kinds):
            held_since = None
            return None
        held_since = now if held_since is None else held_since
        return True if now - held_since >= for_ else None

    if look_until(ex.env, true_long_enough, until):
        return None
    held = f" for {format_duration(for_)}" if for_ else ""
    return f"{that.text} was not true{held} within {format_duration(within)}"


def _true_now(ex: Execution, that: Expression, kinds: Sequence[str]) -> bool:
    """True for every combination of the facts in question; false where a kind has none."""
    found = [_facts(ex, kind) for kind in kinds]
    if not all(found):
        return False
    return all(
        evaluate(
            that,
            {**ex.names(), **{k: fact.data for k, fact in zip(kinds, facts, strict=True)}},
        )
        is True
        for facts in product(*found)
    )


def _facts(ex: Execution, kind: str) -> list[Fact]:
    host, key = subject(ex, kind)
    facts = ex.env.observer.latest(kind, host, key)
    return [fact for fact in facts if not fact.gone and fact.at >= ex.last_end]


def subject(ex: Execution, kind: str) -> tuple[str | None, Mapping[str, Json]]:
    """Host and key fields of what the run is about, as far as this kind has them.

    The trigger's subject; where it says nothing of a key field, the run's input of that name does
    (`mount` of a run of disk-cleanup by hand). Without either, all of the target host.
    """
    declared = ex.env.kinds().get(kind)
    trigger = ex.run.trigger
    fact = trigger.fact or {}
    own = fact.get("kind") == kind
    fields: dict[str, Json] = {}
    for name in declared.key if declared is not None else ():
        for known, key in (
            (fact.get("data", {}) if own else {}, name),
            (trigger.key, f"{kind}.{name}"),
            (trigger.key if own or not fact else {}, name),
            (ex.run.inputs, name),
        ):
            if known.get(key) is not None:
                fields[name] = known[key]
                break
    if declared is not None and declared.is_global:
        return None, fields
    return str(trigger.key.get("host") or fact.get("host") or ex.host), fields


def _kinds_of_trigger(ex: Execution) -> list[str]:
    facts: list[Any] = [ex.run.trigger.fact]
    facts += [reason.get("fact") for reason in ex.run.trigger.because]
    return sorted({fact["kind"] for fact in facts if fact})
