"""What everything else stands on: the hands, then the store; the rights dropped in between."""

from __future__ import annotations

import logging
import os
import signal
import socket
from contextlib import ExitStack
from dataclasses import dataclass

from engine.act.authorise import Permissions, permissions
from engine.act.charter import compile_charter
from engine.act.client import HandsClient
from engine.act.rights import drop_privileges
from engine.app.machine import Machine
from engine.app.places import hand_over
from engine.app.planted import refuse_planted
from engine.app.switch import Switch
from engine.bus import Bus
from engine.core.clock import Clock
from engine.lang.model import Bundle
from engine.lang.settings import Settings, settings_of
from engine.store.store import Store

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Foundation:
    """The parts that need no other part."""

    machine: Machine
    bundle: Bundle
    """The content at the start."""
    settings: Settings
    allowed: Permissions
    hands: HandsClient
    store: Store
    switch: Switch
    bus: Bus
    clock: Clock
    host: str


def lay(machine: Machine, stack: ExitStack, clock: Clock) -> Foundation:
    """Loads the content, starts the hands with the rights Wakil was started with, drops the
    server's own, opens the store. Raises LangError, ContentError, SettingsError, StoreError."""
    bundle = machine.bundle()
    settings = settings_of(machine.settings, bundle.settings)
    refuse_planted(machine.data, settings.user)
    allowed = permissions(shared=bundle.shared, actions=settings.actions)
    hands = _start_hands(machine, settings, allowed, bundle)
    stack.callback(hands.close)
    store = Store.open(machine.store_at(settings), keys=machine.data)
    stack.callback(store.close)
    store.journal.mark("start", clock.now(), {"commit": bundle.commit})
    stack.callback(lambda: store.journal.mark("stop", clock.now()))
    switch = Switch(store, machine.data, clock)
    host = _host_name(settings, store)
    return Foundation(machine, bundle, settings, allowed, hands, store, switch, Bus(), clock, host)


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
