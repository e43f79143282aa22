"""One attempt at a step's action, recorded before it acts and after.

An attempt whose record says `running` although nobody runs it was under way when Wakil died: the
hands' ledger or its action is asked what came of it, and it is never blindly done again.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.core.errors import ActionError, Refused, UnknownEffect, WakilError
from engine.core.ports import ActionContext, ActionType, Effect
from engine.core.runs import Phase, Step
from engine.core.values import SECOND, Json, format_duration
from engine.lang.model import StepSpec
from engine.playbook.execution import Execution

_log = logging.getLogger(__name__)
_CUT_OFF = "Wakil stopped while this was under way"
_NOT_KNOWN = "its effect is not known"
_LOG_LIMIT = 65_536
_LOOK = SECOND // 4


@dataclass
class Attempt:
    """`number` counts every try of the step, repeats after an interruption included."""

    ex: Execution
    spec: StepSpec
    phase: Phase
    action: ActionType
    inputs: Mapping[str, Any]
    number: int
    approval: str | None = None
    resumed: bool = False
    """Begun before Wakil died, and put again."""
    lines: list[str] = field(default_factory=list)

    @property
    def idempotent(self) -> bool:
        declared = self.spec.idempotent
        return self.action.idempotent if declared is None else declared

    def context(self, deadline: int) -> ActionContext:
        env = self.ex.env
        return ActionContext(
            run=self.ex.run.id,
            step=self.spec.path,
            attempt=self.number,
            deadline=deadline,
            host=self.ex.host,
            hands=env.hands,
            clock=env.clock,
            approval=self.approval,
            services=env.services(),
            say=self._say,
            notify=env.notify,
        )

    def _say(self, line: str) -> None:
        if sum(map(len, self.lines)) < _LOG_LIMIT:
            self.lines.append(line[:_LOG_LIMIT])

    def deadline(self) -> int:
        until = self.ex.now() + (self.spec.timeout or self.ex.env.step_timeout)
        playbook = self.ex.deadline if self.phase == "steps" else None
        return until if playbook is None else min(until, playbook)


def attempt(at: Attempt) -> dict[str, Json]:
    """Does it, unless its record shows that it was done, or begun, before.

    Gives `{status, outputs, error, started, at, overdue}`; `status` is `succeeded`, `failed`,
    `unknown`, or after an interruption `repeat` (nothing was done, or it does no harm) or
    `interrupted` (who knows).
    """
    earlier = _record_of(at)
    if earlier is not None and earlier.ended is not None:
        return _result(at, _replayed(at, earlier), earlier)
    if earlier is not None:
        return _after_interruption(at, earlier)
    started = at.ex.now()
    overdue = at.ex.overdue() if at.phase == "steps" else None
    if overdue is not None:
        return _result(at, "failed", _end(at, started, "failed", {}, overdue))
    at.ex.record(at.spec, at.phase, "running", attempt=at.number, started=started, inputs=at.inputs)
    status, outputs, error = _act(at)
    return _result(at, status, _end(at, started, _recorded(status, error), outputs, error))


def _record_of(at: Attempt) -> Step | None:
    for step in at.ex.env.store.steps_of(at.ex.run.id):
        if step.path == at.spec.path and step.attempt == at.number:
            return step
    return None


def _replayed(at: Attempt, step: Step) -> str:
    """The result that a finished record stands for, where Wakil died before it was remembered."""
    if step.status in ("succeeded", "rolled_back"):
        return "succeeded"
    if (step.error or "").startswith(_CUT_OFF):
        return "repeat" if step.status == "failed" or at.idempotent else "interrupted"
    return "unknown" if step.status == "unknown" else "failed"


def _after_interruption(at: Attempt, earlier: Step) -> dict[str, Json]:
    """The same attempt again where that does no harm: hands that had done it give the reply they
    recorded. Else, and where they do not know either, by the word of the action's `check`."""
    if at.idempotent or at.action.by_hands:
        at.resumed = True
        status, outputs, error = _act(at)
    else:
        status, outputs, error = _cut_off(at)
    return _result(at, status, _end(at, earlier.started, _recorded(status, error), outputs, error))


def _cut_off(at: Attempt) -> tuple[str, Mapping[str, Json], str | None]:
    effect = effect_of(at)
    if effect == "done":
        at.lines.append(f"{_CUT_OFF}; its effect is there")
        return "succeeded", {}, None
    if effect == "not_done":
        return "repeat", {}, f"{_CUT_OFF}; nothing was done"
    return "repeat" if at.idempotent else "interrupted", {}, f"{_CUT_OFF}; {_NOT_KNOWN}"


def _recorded(status: str, error: str | None) -> str:
    """What a step's record says of an attempt that does not end its step."""
    if status not in ("repeat", "interrupted"):
        return status
    return "unknown" if error is not None and error.endswith(_NOT_KNOWN) else "failed"


def _act(at: Attempt) -> tuple[Any, Mapping[str, Json], str | None]:
    deadline = at.deadline()
    call = _Call(lambda: at.action.perform(at.context(deadline), at.inputs))
    if not call.wait(at.ex, deadline + at.ex.env.grace):
        return _late(at, _too_long(at))
    error = call.error
    if error is None:
        try:
            return "succeeded", json.loads(json.dumps(dict(call.outputs), allow_nan=False)), None
        except (TypeError, ValueError):
            return "failed", {}, f"{at.action.name} gave outputs that are not JSON"
    if isinstance(error, Refused):
        # The hands know of a pause too: one that came just now has refused, not failed, the step.
        if at.ex.env.guard.paused():
            return "repeat", {}, error.message
        # Refused now says nothing of what was done before.
        return _cut_off(at) if at.resumed else ("failed", {}, error.message)
    if isinstance(error, UnknownEffect):
        return _unknown(at, error.message)
    if isinstance(error, ActionError | WakilError):
        late = at.ex.now() >= deadline
        return "failed", {}, f"{_too_long(at)} ({error.message})" if late else error.message
    # Not the message: an unforeseen exception may quote a secret.
    _log.error("action %s raised %s", at.action.name, type(error).__name__)
    return _unknown(at, f"{at.action.name} broke off ({type(error).__name__})")


def _too_long(at: Attempt) -> str:
    span = format_duration(at.spec.timeout or at.ex.env.step_timeout)
    overdue = at.ex.overdue() if at.phase == "steps" else None
    return overdue or f"it did not end within its timeout of {span}"


def _unknown(at: Attempt, error: str) -> tuple[str, Mapping[str, Json], str | None]:
    if at.resumed:
        return _cut_off(at)
    effect = effect_of(at)
    if effect == "done":
        at.lines.append(f"{error}; its effect is there")
        return "succeeded", {}, None
    return "failed" if effect == "not_done" or at.idempotent else "unknown", {}, error


def _late(at: Attempt, error: str) -> tuple[str, Mapping[str, Json], str | None]:
    """It may still be at it, so that `not_done` would prove nothing."""
    if at.resumed:
        return "repeat" if at.idempotent else "interrupted", {}, f"{_CUT_OFF}; {_NOT_KNOWN}"
    return "failed" if at.idempotent else "unknown", {}, error


def effect_of(at: Attempt) -> Effect:
    """Whether the effect is there already, by the word of the action itself."""
    deadline = at.ex.now() + at.ex.env.grace * 10
    call = _Call(lambda: {"effect": at.action.check(at.context(deadline), at.inputs)})
    if not call.wait(at.ex, deadline):
        return "unknown"
    if call.error is not None:
        at.lines.append(f"{at.action.name} could not tell whether its effect is there")
        return "unknown"
    effect: Effect = call.outputs["effect"]
    return effect


def _end(
    at: Attempt, started: int, status: Any, outputs: Mapping[str, Json], error: str | None
) -> Step:
    return at.ex.record(
        at.spec,
        at.phase,
        status,
        attempt=at.number,
        started=started,
        ended=at.ex.now(),
        inputs=at.inputs,
        outputs=outputs,
        error=error,
        log="\n".join(at.lines),
    )


def _result(at: Attempt, status: str, step: Step) -> dict[str, Json]:
    return {
        "status": status,
        "outputs": dict(step.outputs),
        "error": step.error,
        "started": step.started,
        "at": step.ended,
        "overdue": at.ex.overdue() is not None,
    }


class _Call:
    """Calls in a thread of its own, so that a call which hangs can be left."""

    def __init__(self, act: Callable[[], Mapping[str, Any]]) -> None:
        self._act = act
        self._ended = threading.Event()
        self.outputs: Mapping[str, Any] = {}
        self.error: Exception | None = None
        threading.Thread(target=self._run, name="wakil-action", daemon=True).start()

    def _run(self) -> None:
        try:
            self.outputs = self._act()
        except Exception as error:
            self.error = error
        self._ended.set()

    def wait(self, ex: Execution, until: int) -> bool:
        """Whether it ended by `until`. Raises `Interrupted` when Wakil will not wait for it."""
        while True:
            left = until - ex.now()
            if self._ended.wait(max(min(left, _LOOK), 0) / SECOND):
                return True
            if left <= 0:
                return False
            if ex.env.signals.abandoning:
                ex.env.signals.check()
