"""From decision to verified outcome: the guard, and runs of playbooks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any
from zoneinfo import ZoneInfo

from engine.act.charter import declared_services
from engine.app.actions import ACTIONS
from engine.app.foundation import Foundation
from engine.app.intake import Intake
from engine.app.judging import Judging
from engine.app.loading import parse_playbook
from engine.app.observer import EngineObserver
from engine.app.observing import Observing
from engine.app.plans import BundlePlans
from engine.core.decisions import Decision
from engine.core.runs import Run
from engine.lang.expression import time_scope
from engine.lang.model import Bundle
from engine.notify.log import log_notification
from engine.playbook.environment import Environment
from engine.playbook.outcome import outcome_fact
from engine.playbook.runner import Runner
from engine.policy.guard import PolicyGuard


def make_runner(
    base: Foundation, judging: Judging, observing: Observing, mode: Callable[[], str]
) -> Runner:
    """The playbook engine with all that runs touch. `mode` is the mode in force for all."""
    content, intake = judging.content, judging.intake
    guard = PolicyGuard(
        content.bundle, intake.consult, base.store.runs, base.clock, mode, base.switch.paused
    )
    environment = Environment(
        plans=BundlePlans(content.bundle, parse_playbook),
        store=base.store.runs,
        guard=guard,
        observer=EngineObserver(intake, observing.loop.collect_now),
        actions=ACTIONS,
        hands=base.hands,
        host=base.host,
        clock=base.clock,
        publish=base.bus.publish,
        notify=log_notification,
        alert=lambda decision: _raise_alert(intake, decision),
        kinds=lambda: content.bundle().kinds,
        services=lambda: declared_services(content.bundle().agents),
        moment=lambda at: _moment(content.bundle(), at),
    )
    runner = Runner(environment, base.machine.runs_at(base.settings))
    base.switch.on_resume = runner.wake
    return runner


def begin_acting(base: Foundation, judging: Judging, runner: Runner, stack: ExitStack) -> None:
    """Unfinished runs go on, and those that wait in the outbox begin."""
    intake = judging.intake
    stack.callback(base.bus.subscribe(lambda topic, payload: _on_end(judging, topic, payload)))
    runner.launch()
    stack.callback(runner.shutdown)
    judging.dispatcher.starter = runner
    intake.call(judging.dispatcher.send_runs)
    intake.call(intake.save)


def _moment(bundle: Bundle, at: int) -> Mapping[str, Any]:
    """What `time` and `during` mean at an instant under this content."""
    return time_scope(at, ZoneInfo(bundle.timezone), bundle.calendars)


def _raise_alert(intake: Intake, decision: Decision) -> None:
    intake.call(lambda: intake.handle([decision]))


def _on_end(judging: Judging, topic: str, payload: Any) -> None:
    """A run that ended is a fact, and where it failed a reason to tell."""
    if topic == "run" and isinstance(payload, Run) and (fact := outcome_fact(payload)):
        judging.intake.submit([fact])
        judging.dispatcher.tell_of_failure(payload)
