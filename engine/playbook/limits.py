"""A playbook's limits: `concurrency` queues, one waiting per key; `runs` in `period` refuses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from engine.core.ports import RunStore
from engine.core.runs import ENDED, Run
from engine.core.values import format_duration
from engine.lang.model import Limit, Playbook

_NOT_COUNTED = frozenset({"refused", "observed"})


@dataclass(frozen=True, slots=True)
class Admission:
    answer: Literal["go", "wait", "refuse"]
    reason: str = ""


def admit(store: RunStore, playbook: Playbook, run: Run) -> Admission:
    """Whether a recorded run may begin now. Looks only at runs recorded before it, so that it
    always says the same of the same run, but for those that have ended meanwhile."""
    waits = False
    for limit in playbook.limits:
        refusal = _period(store, limit, run) or _crowd(store, limit, run)
        if refusal is not None:
            return Admission("refuse", refusal)
        waits = waits or _behind(store, limit, run) > 0
    return Admission("wait" if waits else "go")


def _period(store: RunStore, limit: Limit, run: Run) -> str | None:
    if limit.runs is None or limit.period is None:
        return None
    recent = _before(store.runs_since(run.playbook, run.created - limit.period), run)
    counted = [r for r in recent if r.status not in _NOT_COUNTED and _same(limit, r, run)]
    if len(counted) < limit.runs:
        return None
    times = "once" if limit.runs == 1 else f"{limit.runs} times"
    return (
        f"{run.playbook} may run {times} in {format_duration(limit.period)}{_words(limit, run)}, "
        "and has"
    )


def _crowd(store: RunStore, limit: Limit, run: Run) -> str | None:
    if _behind(store, limit, run) <= 1:
        return None
    return f"another run of {run.playbook} is waiting already{_words(limit, run)}"


def _behind(store: RunStore, limit: Limit, run: Run) -> int:
    """How many runs must end before this one may begin."""
    if limit.concurrency is None:
        return 0
    earlier = _before(store.unfinished_runs(), run)
    same = [r for r in earlier if r.playbook == run.playbook and _same(limit, r, run)]
    return max(len(same) - limit.concurrency + 1, 0)


def _before(runs: Iterable[Run], run: Run) -> Sequence[Run]:
    """Those recorded before it (both lists come oldest first)."""
    found = []
    for other in runs:
        if other.id == run.id:
            break
        if not other.dry_run:
            found.append(other)
    return found


def _same(limit: Limit, one: Run, other: Run) -> bool:
    return all(_value(one, name) == _value(other, name) for name in limit.per)


def _value(run: Run, name: str) -> Any:
    if name == "host":
        return run.host
    if name == "rule":
        return run.trigger.rule
    if name.startswith("inputs."):
        return run.inputs.get(name.removeprefix("inputs."))
    return None


def _words(limit: Limit, run: Run) -> str:
    return "".join(f" for {name} {_value(run, name)}" for name in limit.per)


def is_ended(run: Run) -> bool:
    """Whether nothing more will happen to it."""
    return run.status in ENDED
