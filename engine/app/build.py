"""Builds Wakil from its parts and takes it apart again, last part first."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.metadata import version

from engine.act.authorise import permissions
from engine.act.charter import compile_charter
from engine.app.acting import begin_acting, make_runner
from engine.app.actions import ACTIONS, AGENT_TYPES
from engine.app.foundation import lay
from engine.app.housekeeping import Housekeeping
from engine.app.judging import begin_judging
from engine.app.machine import Machine
from engine.app.observing import Observing
from engine.app.system import Parts, Wakil
from engine.core.clock import Clock, SystemClock
from engine.core.errors import Refused
from engine.lang.model import Bundle
from engine.lang.settings import settings_of

_log = logging.getLogger(__name__)


@contextmanager
def build(machine: Machine, *, watch: bool = True, clock: Clock | None = None) -> Iterator[Wakil]:
    """A running Wakil; with `watch` False neither agents nor content are watched (commands that
    work alone). Raises LangError, ContentError, SettingsError, StoreError."""
    with ExitStack() as stack:
        yield _build(machine, stack, watch=watch, clock=clock or SystemClock())


def _build(machine: Machine, stack: ExitStack, *, watch: bool, clock: Clock) -> Wakil:
    base = lay(machine, stack, clock)
    judging = begin_judging(base, stack, lambda new: _take_up(wakil, machine, new))
    observing = Observing(
        tuple(AGENT_TYPES.values()),
        judging.intake,
        base.store,
        base.hands,
        clock,
        base.host,
        lambda status: base.bus.publish("agent", wakil.agent_status(status)),
    )
    runner = make_runner(base, judging, observing, lambda: wakil.parts.settings.mode)
    parts = Parts(
        settings=base.settings,
        content=judging.content,
        store=base.store,
        hands=base.hands,
        intake=judging.intake,
        dispatcher=judging.dispatcher,
        runner=runner,
        observing=observing,
        switch=base.switch,
        actions=ACTIONS,
        bus=base.bus,
        clock=clock,
        host=base.host,
        version=version("wakil"),
        watching=watch,
        allowed=base.allowed,
        warnings=machine.warnings,
    )
    wakil = Wakil(parts)
    begin_acting(base, judging, runner, stack)
    if watch:
        _watch(stack, parts, base.bundle)
    return wakil


def _watch(stack: ExitStack, parts: Parts, bundle: Bundle) -> None:
    """Agents, content and housekeeping begin."""
    loop = parts.observing.loop
    loop.start()
    stack.callback(loop.stop)
    parts.observing.take_up(bundle, parts.allowed)
    parts.content.start()
    stack.callback(parts.content.stop)
    housekeeping = Housekeeping(parts.store, parts.settings.retention, parts.clock)
    housekeeping.start()
    stack.callback(housekeeping.stop)


def _take_up(wakil: Wakil, machine: Machine, bundle: Bundle) -> None:
    """Another bundle in force: the engine between two facts, then hands and agents."""
    parts = wakil.parts
    intake = parts.intake

    def swap() -> None:
        now = parts.clock.now()
        decisions = intake.engine.reload(bundle, now)
        parts.content.adopt(bundle)
        parts.store.journal.mark("reload", now, {"commit": bundle.commit})
        intake.handle(decisions)
        intake.save()

    intake.call(swap)
    parts.settings = settings_of(machine.settings, bundle.settings)
    parts.allowed = permissions(shared=bundle.shared, actions=parts.settings.actions)
    try:
        parts.hands.reload(compile_charter(parts.allowed, bundle.agents, machine.data))
    except Refused as refused:
        _log.warning("%s", refused.message)
    if parts.watching:
        parts.observing.take_up(bundle, parts.allowed)
