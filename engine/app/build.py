"""Builds Wakil from its parts and takes it apart again, last part first."""

from __future__ import annotations

import logging
import os
import signal
import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from engine.act.authorise import Permissions, permissions
from engine.act.charter import compile_charter, declared_services
from engine.act.client import HandsClient
from engine.act.rights import drop_privileges
from engine.app.actions import ACTIONS, AGENT_TYPES
from engine.app.content import Content, Signature, signature
from engine.app.housekeeping import Housekeeping
from engine.app.intake import Intake
from engine.app.loading import load_bundle, parse_playbook
from engine.app.observer import EngineObserver
from engine.app.observing import Observing
from engine.app.places import hand_over
from engine.app.plans import BundlePlans
from engine.app.planted import refuse_planted, refuse_planted_content
from engine.app.restart import restore
from engine.app.switch import Switch
from engine.app.system import Parts, Wakil, content_status
from engine.bus import Bus
from engine.core.clock import Clock, SystemClock
from engine.core.decisions import Decision
from engine.core.errors import Refused
from engine.core.runs import Run
from engine.lang.expression import time_scope
from engine.lang.model import Bundle
from engine.lang.settings import Settings, read_machine_settings, settings_of
from engine.notify.log import log_notification
from engine.playbook.environment import Environment
from engine.playbook.outcome import outcome_fact
from engine.playbook.runner import Runner
from engine.policy.dispatch import Dispatcher
from engine.policy.guard import PolicyGuard
from engine.store.store import Store

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Machine:
    """What this machine and its command line decide."""

    content: Path
    data: Path
    settings: Mapping[str, Any]
    database: str | None = None
    warnings: tuple[str, ...] = ()
    loaded: tuple[Signature, Bundle] | None = None
    """A bundle loaded before the fork, and what its files looked like then."""

    def bundle(self) -> Bundle:
        """The content as it is now. Raises LangError, ContentError."""
        if self.loaded is not None and self.loaded[0] == signature(self.content):
            return self.loaded[1]
        return load_bundle(self.content, self.settings)

    def load_early(self) -> Machine:
        """This with its content loaded."""
        files = signature(self.content)
        return replace(self, loaded=(files, load_bundle(self.content, self.settings)))


def read_machine(
    content: Path, data: Path, config: Path | None, *, database: str | None = None
) -> Machine:
    """Reads the machine's settings. Raises SettingsError, ContentError."""
    if config is not None:
        refuse_planted(config)
    settings, warnings = read_machine_settings(config, os.environ)
    refuse_planted_content(content)
    return Machine(content, data, settings, database, tuple(warnings))


@contextmanager
def build(machine: Machine, *, watch: bool = True, clock: Clock | None = None) -> Iterator[Wakil]:
    """A running Wakil; with `watch` False neither agents nor content are watched (commands that
    work alone). Raises LangError, ContentError, SettingsError, StoreError."""
    with ExitStack() as stack:
        yield _build(machine, stack, watch=watch, clock=clock or SystemClock())


def _build(machine: Machine, stack: ExitStack, *, watch: bool, clock: Clock) -> Wakil:
    bundle = machine.bundle()
    settings = settings_of(machine.settings, bundle.settings)
    refuse_planted(machine.data, settings.user)
    bus = Bus()
    allowed = permissions(shared=bundle.shared, actions=settings.actions)
    hands = _start_hands(machine, settings, allowed, bundle)
    stack.callback(hands.close)
    store = Store.open(_database(machine, settings), keys=machine.data)
    stack.callback(store.close)
    switch = Switch(store, machine.data, clock)
    store.journal.mark("start", clock.now(), {"commit": bundle.commit})
    stack.callback(lambda: store.journal.mark("stop", clock.now()))
    dispatcher = Dispatcher(
        store.decisions, lambda: content.bundle(), bus.publish, log_notification
    )
    restored = restore(bundle, store, clock.now())
    intake = Intake(restored.engine, store, dispatcher, clock, restored.position)

    def apply(new: Bundle) -> None:
        _apply(wakil, machine, new)

    content = Content(
        machine.content,
        lambda: load_bundle(machine.content, machine.settings),
        apply,
        lambda topic, state: bus.publish(topic, content_status(state)),
        clock,
        bundle,
    )
    dispatcher.handle(restored.decisions, now=clock.now())
    intake.start()
    stack.callback(restored.engine.close)
    stack.callback(intake.stop)
    host = _host_name(settings, store)
    observing = Observing(
        tuple(AGENT_TYPES.values()),
        intake,
        store,
        hands,
        clock,
        host,
        lambda status: bus.publish("agent", wakil.agent_status(status)),
    )
    guard = PolicyGuard(
        content.bundle,
        intake.consult,
        store.runs,
        clock,
        lambda: wakil.parts.settings.mode,
        switch.paused,
    )
    runner = Runner(
        Environment(
            plans=BundlePlans(content.bundle, parse_playbook),
            store=store.runs,
            guard=guard,
            observer=EngineObserver(intake, observing.loop.collect_now),
            actions=ACTIONS,
            hands=hands,
            host=host,
            clock=clock,
            publish=bus.publish,
            notify=log_notification,
            alert=lambda decision: _raise_alert(intake, decision),
            kinds=lambda: content.bundle().kinds,
            services=lambda: declared_services(content.bundle().agents),
            moment=lambda at: _moment(content.bundle(), at),
        ),
        _runs_database(machine, settings),
    )
    switch.on_resume = runner.wake
    parts = Parts(
        settings=settings,
        content=content,
        store=store,
        hands=hands,
        intake=intake,
        dispatcher=dispatcher,
        runner=runner,
        observing=observing,
        switch=switch,
        actions=ACTIONS,
        bus=bus,
        clock=clock,
        host=host,
        version=version("wakil"),
        watching=watch,
        allowed=allowed,
        warnings=machine.warnings,
    )
    wakil = Wakil(parts)
    stack.callback(bus.subscribe(lambda topic, payload: _feed_outcome(intake, topic, payload)))
    runner.launch()
    stack.callback(runner.shutdown)
    dispatcher.starter = runner
    intake.call(dispatcher.send_runs)
    intake.call(intake.save)
    if watch:
        _watch(stack, parts, bundle)
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


def _apply(wakil: Wakil, machine: Machine, bundle: Bundle) -> None:
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


def _database(machine: Machine, settings: Settings) -> str | Path:
    named = machine.database or settings.database
    return machine.data / "wakil.db" if named == "sqlite" else named


def _runs_database(machine: Machine, settings: Settings) -> str:
    """DBOS keeps its own tables: a file of its own, or a schema of its own in PostgreSQL."""
    database = _database(machine, settings)
    return f"sqlite:///{machine.data / 'runs.db'}" if isinstance(database, Path) else database


def _host_name(settings: Settings, store: Store) -> str:
    """`server.host_name`, else the system's at first start, then kept."""
    if settings.host_name:
        return settings.host_name
    kept = store.settings.get("host_name")
    if isinstance(kept, str):
        return kept
    name = socket.gethostname() or "localhost"
    store.settings.set("host_name", name)
    return name


def _start_hands(
    machine: Machine, settings: Settings, allowed: Permissions, bundle: Bundle
) -> HandsClient:
    """The hands with the rights Wakil was started with; then the server drops its own."""
    root, own = os.geteuid() == 0, None
    if root and settings.user:
        own = hand_over(machine.data, settings.user)
    charter = compile_charter(allowed, bundle.agents, machine.data, own)
    hands = HandsClient(charter, _begin_again if own else None)
    hands.start()
    if root and settings.user:
        drop_privileges(settings.user)
    return hands


def _begin_again(ready: bool) -> None:
    """Hands with root's rights that died cannot be started by a server that dropped its own: it
    ends, and its master, still root, starts both anew."""
    if not ready and os.geteuid() != 0:
        _log.error("the hands ended: the server begins again to get new ones")
        os.kill(os.getpid(), signal.SIGTERM)


def _moment(bundle: Bundle, at: int) -> Mapping[str, Any]:
    """What `time` and `during` mean at an instant under this content."""
    return time_scope(at, ZoneInfo(bundle.timezone), bundle.calendars)


def _raise_alert(intake: Intake, decision: Decision) -> None:
    intake.call(lambda: intake.handle([decision]))


def _feed_outcome(intake: Intake, topic: str, payload: Any) -> None:
    if topic == "run" and isinstance(payload, Run) and (fact := outcome_fact(payload)):
        intake.submit([fact])
