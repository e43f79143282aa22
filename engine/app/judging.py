"""From fact to recorded decision: content, the engine on its thread, the dispatch."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from engine.app.content import Content
from engine.app.foundation import Foundation
from engine.app.intake import Intake
from engine.app.loading import load_bundle
from engine.app.restart import restore
from engine.app.system import content_status
from engine.lang.model import Bundle
from engine.notify.log import log_notification
from engine.policy.dispatch import Dispatcher


@dataclass(frozen=True, slots=True)
class Judging:
    """The parts between the door and the runs."""

    content: Content
    dispatcher: Dispatcher
    intake: Intake


def begin_judging(base: Foundation, stack: ExitStack, take_up: Callable[[Bundle], None]) -> Judging:
    """The engine as it stood, its thread started. `take_up` is called with each bundle that
    replaces the one in force."""
    machine, store, clock, bus = base.machine, base.store, base.clock, base.bus
    content = Content(
        machine.content,
        lambda: load_bundle(machine.content, machine.settings),
        take_up,
        lambda topic, state: bus.publish(topic, content_status(state)),
        clock,
        base.bundle,
    )
    dispatcher = Dispatcher(store.decisions, content.bundle, bus.publish, log_notification)
    restored = restore(base.bundle, store, clock.now())
    intake = Intake(restored.engine, store, dispatcher, clock, restored.position)
    dispatcher.handle(restored.decisions, now=clock.now())
    intake.start()
    stack.callback(restored.engine.close)
    stack.callback(intake.stop)
    return Judging(content, dispatcher, intake)
