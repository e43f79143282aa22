"""What happens, to every panel as it happens: the bus to Socket.IO's namespace `/system`.

The bus delivers on the engine's thread, which must not wait for panels: events are queued, and
one thread sends them. Of several about one thing within a moment only the last is sent.
"""

from __future__ import annotations

import json
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any, Final

from flask import Flask, request
from flask_socketio import SocketIO
from werkzeug.wrappers import Request

from engine.core.values import Json, format_instant
from webui.api.approvals import approval_to_json
from webui.api.json_text import dump
from webui.api.problems import ApiProblem, respond
from webui.auth.gate import Caller, check_arrival, check_rights, cookie_name, find_caller
from webui.auth.headers import SECURITY_HEADERS
from webui.history import KINDS, History
from webui.settings import WebSettings
from webui.status import hosts_now
from webui.system import System

_log = logging.getLogger(__name__)
NAMESPACE: Final = "/system"
PATH: Final = "/socket.io"
METRICS_SECONDS: Final = 5.0
MOMENT: Final = 0.03
"""Events about one thing closer together than this are sent as one."""
_RECHECK: Final = 12
"""Every so many metrics it is looked at whether those connected still may be."""
_MOST_WAITING: Final = 2000
Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]


class _Strict:
    """JSON as Socket.IO wants it, without the numbers that are not JSON."""

    @staticmethod
    def dumps(value: Any, **ignored: Any) -> str:
        return dump(value)

    loads = staticmethod(json.loads)


class Live:
    """Sends events to the panels that are connected."""

    def __init__(self, system: System, history: History, settings: WebSettings) -> None:
        self._system = system
        self._history = history
        self._settings = settings
        self._socketio: Any = None
        self._panels: dict[str, tuple[str | None, str | None]] = {}
        """Connected panels, each with the Authorization and cookie it came with."""
        self._lock = threading.Condition()
        self._waiting: OrderedDict[tuple[str, str], Any] = OrderedDict()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._unsubscribe: Callable[[], None] = lambda: None

    @property
    def panels(self) -> int:
        """How many are connected."""
        return len(self._panels)

    def attach(self, app: Flask) -> None:
        """Puts Socket.IO, behind the gate, in front of the application."""
        # Socket.IO's own check takes a forged X-Forwarded-Host for good: ours comes first.
        self._socketio = SocketIO(
            app,
            async_mode="threading",
            cors_allowed_origins=[],
            cookie=None,
            json=_Strict,
            max_http_buffer_size=100_000,
            ping_interval=20,
            ping_timeout=20,
        )
        self._socketio.on_event("connect", self._connected, namespace=NAMESPACE)
        self._socketio.on_event("disconnect", self._disconnected, namespace=NAMESPACE)
        app.wsgi_app = self._guarded(app.wsgi_app)  # type: ignore[assignment,method-assign]

    def start(self) -> None:
        """Begins to send."""
        self._unsubscribe = self._system.bus.subscribe(self._heard)
        for name, work in (("live", self._send), ("live-metrics", self._measure)):
            thread = threading.Thread(target=work, name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """Ends sending, and every panel's connection."""
        self._unsubscribe()
        self._stopping.set()
        with self._lock:
            self._lock.notify_all()
        for thread in self._threads:
            thread.join(timeout=1)
        for panel in list(self._panels):
            self._drop(panel)

    # ── connections ───────────────────────────────────────────────────────────────────────────

    def _guarded(self, inner: Wsgi) -> Wsgi:
        def gate(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            if not environ.get("PATH_INFO", "").startswith(PATH):
                return inner(environ, start_response)
            try:
                self._admit(Request(environ))
            except ApiProblem as problem:
                response = respond(problem)
                response.headers.update(SECURITY_HEADERS)
                return response(environ, start_response)
            return inner(environ, start_response)

        return gate

    def _admit(self, arriving: Request) -> None:
        """Raises a problem where this request may not reach Socket.IO."""
        headers: Any = arriving.headers
        peer = arriving.remote_addr or ""
        arrival = check_arrival(headers, peer, arriving.scheme, arriving.method, self._settings)
        cookie = arriving.cookies.get(cookie_name(arrival))
        caller = self._caller(headers.get("Authorization"), cookie)
        # Engine.IO's polling sends no CSRF token; an exact Origin does its work.
        check_rights(caller, "viewer", "GET", None)
        upgrades = headers.get("Upgrade", "").lower() == "websocket"
        by_cookie = caller is not None and caller.cookie is not None
        if by_cookie and "Origin" not in headers and (upgrades or arriving.method != "GET"):
            raise ApiProblem(403, "origin-not-allowed", "an Origin header is needed")
        if "sid" not in arriving.args and self._connections() >= self._settings.most_panels:
            raise ApiProblem(
                503,
                "too-many-panels",
                f"{self._settings.most_panels} panels are connected, which is as many as may be",
                headers={"Retry-After": "30"},
            )

    def _caller(self, authorization: str | None, cookie: str | None) -> Caller | None:
        return find_caller(self._system.store, self._system.clock, authorization, cookie)

    def _connections(self) -> int:
        return len(self._socketio.server.eio.sockets)

    def _connected(self, auth: object = None) -> bool:
        headers: Any = request.headers
        arrival = check_arrival(
            headers, request.remote_addr or "", request.scheme, "GET", self._settings
        )
        seen = (headers.get("Authorization"), request.cookies.get(cookie_name(arrival)))
        if self._caller(*seen) is None:
            return False
        self._panels[request.sid] = seen  # type: ignore[attr-defined]
        return True

    def _disconnected(self, reason: object = None) -> None:
        self._panels.pop(request.sid, None)  # type: ignore[attr-defined]

    def _drop(self, panel: str) -> None:
        self._panels.pop(panel, None)
        try:
            self._socketio.server.disconnect(panel, namespace=NAMESPACE)
        except Exception:
            _log.debug("a panel was gone before it was disconnected", exc_info=True)

    # ── events ────────────────────────────────────────────────────────────────────────────────

    def _heard(self, topic: str, payload: Any) -> None:
        """On the publisher's thread: only remembers."""
        key = _key_of(topic, payload)
        if key is None or not self._panels:
            return
        with self._lock:
            self._waiting[key] = payload
            while len(self._waiting) > _MOST_WAITING:
                self._waiting.popitem(last=False)
            self._lock.notify_all()

    def _send(self) -> None:
        while not self._stopping.is_set():
            with self._lock:
                while not self._waiting and not self._stopping.is_set():
                    self._lock.wait()
            self._stopping.wait(MOMENT)
            with self._lock:
                waiting, self._waiting = self._waiting, OrderedDict()
            for (event, name), payload in waiting.items():
                try:
                    self._emit(event, self._shown(event, name, payload))
                except Exception:
                    _log.exception("the event %s could not be sent", event)

    def _shown(self, event: str, name: str, payload: Any) -> Json:
        runs = self._system.store.runs
        if event == "run":
            run = runs.get_run(name)
            return None if run is None else run.to_json(runs.steps_of(name))
        if event == "alert":
            started = runs.runs_of_firings([name]).get(name, ())
            return {**payload.to_json(), "runs": list(started)}
        if event == "approval":
            asked = runs.get_run(payload.run)
            return approval_to_json(payload, None if asked is None else asked.playbook)
        if event == "content":
            shown = payload.to_json()
            return {"commit": shown["commit"], "problems": shown["problems"]}
        body: Json = payload.to_json()
        return body

    def _emit(self, event: str, body: Json) -> None:
        if body is not None:
            self._socketio.emit(event, body, namespace=NAMESPACE)

    def _measure(self) -> None:
        turn = 0
        while not self._stopping.wait(METRICS_SECONDS):
            turn += 1
            try:
                self._metrics()
                if turn % _RECHECK == 0:
                    self._recheck()
            except Exception:
                _log.exception("metrics could not be sent")

    def _metrics(self) -> None:
        for kind in KINDS:
            self._history.add(self._system.latest(kind))
        if self._panels:
            at = format_instant(self._system.clock.now())
            self._emit("metrics", {"at": at, "hosts": list(hosts_now(self._system))})

    def _recheck(self) -> None:
        for panel, seen in list(self._panels.items()):
            if self._caller(*seen) is None:
                self._drop(panel)


def _key_of(topic: str, payload: Any) -> tuple[str, str] | None:
    """The event a topic becomes, and what it is about; None for what panels are not told."""
    if topic == "step":
        return "run", payload.run
    if topic in ("run", "approval", "agent"):
        return topic, payload.id
    if topic == "decision":
        return topic, str(payload.id)
    if topic == "alert":
        return topic, payload.firing
    if topic in ("content", "automation"):
        return topic, ""
    return None
