"""Serves the application: gunicorn's master with one threaded worker.

The master only holds the port and starts a worker that dies; the worker builds everything after
the fork. A worker never outlives its master: the kernel tells it.
"""

from __future__ import annotations

import ctypes
import errno
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.glogging import Logger

from engine.core.errors import SettingsError, WakilError
from webui.arrivals import ArrivalWorker
from webui.live import Live

_log = logging.getLogger(__name__)
API_THREADS: Final = 32
STOP_SECONDS: Final = 10
"""How long the master waits for the worker before it kills it."""
_LINGER_SECONDS: Final = 1
"""How long the worker lets requests under way finish."""
_PR_SET_PDEATHSIG: Final = 1


def serve(
    make_app: Callable[[str], Flask],
    host: str,
    port: int,
    *,
    on_ready: Callable[[str, bool], None] = lambda url, first: None,
    on_stop: Callable[[], None] = lambda: None,
    most_panels: int = 200,
    worker_uid: int | None = None,
) -> int:
    """Serves until SIGTERM or SIGINT; returns the exit status.

    Runs in the worker, after the fork: `make_app(url)` builds everything (a `WakilError` it
    raises ends the server with that sentence), `on_ready(url, first)` once requests are
    answered (`first`: by the first worker, not by one that replaces another), `on_stop()` at the
    end, after the last request. Port 0 takes a free one, which `url` tells.
    `worker_uid` is the user that `make_app` makes the worker, where it does so.
    Raises `SettingsError` where the port cannot be had.
    """
    listener = listen(host, port)
    url, master = url_of(listener), os.getpid()
    try:
        _Application(
            make_app, url, on_ready, on_stop, most_panels, listener.detach(), worker_uid
        ).run()
    except SystemExit as ended:
        if os.getpid() != master:
            raise  # a worker's own end: its status tells the master why
        return 1 if ended.code else 0
    return 0


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises `SettingsError` in one clear sentence."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    name = host.strip("[]")
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((name, port))
        listener.listen(1024)
    except OSError as error:
        listener.close()
        raise SettingsError(_why_not(host, port, error)) from None
    except OverflowError:
        listener.close()
        raise SettingsError(f"{port} is not a port; 1 to 65535 are, 0 takes a free one") from None
    return listener


def url_of(listener: socket.socket) -> str:
    """Where people on this machine reach it."""
    name, port = listener.getsockname()[:2]
    name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(name, name)  # noqa: S104 - shown, not bound
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


def _why_not(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is taken; stop what uses it, or choose another with --port"
    if error.errno == errno.EACCES:
        return f"port {port} needs rights this user lacks; choose one above 1023 with --port"
    return f"cannot listen on {host} port {port}: {error.strerror or error}"


class _Worker(ArrivalWorker):
    """Ends panels' connections first, or they would hold their threads until the end."""

    def init_signals(self) -> None:
        super().init_signals()
        # From a terminal both processes get it; the master passes on what it means.
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def handle_exit(self, sig: int, frame: Any) -> None:
        live = self.app.live
        if self.alive and live is not None:
            threading.Thread(target=live.stop, name="live-stop", daemon=True).start()
        super().handle_exit(sig, frame)

    def handle_quit(self, sig: int, frame: Any) -> None:
        self.handle_exit(sig, frame)


class _Log(Logger):  # type: ignore[misc]  # gunicorn has no types
    """Gunicorn's words go where all others go; what it says of an expected end is left out."""

    def setup(self, cfg: Any) -> None:
        self.error_log.propagate = True
        self.error_log.setLevel(logging.WARNING)
        self.error_log.addFilter(_worth_telling)


def _worth_telling(record: logging.LogRecord) -> bool:
    text = record.getMessage()
    told = (f"exited with code {Arbiter.APP_LOAD_ERROR}", "App failed to load", "Shutting down")
    return not any(words in text for words in told)


class _Application(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    def __init__(
        self,
        make_app: Callable[[str], Flask],
        url: str,
        on_ready: Callable[[str, bool], None],
        on_stop: Callable[[], None],
        most_panels: int,
        descriptor: int,
        worker_uid: int | None,
    ) -> None:
        self._worker_uid = worker_uid
        self._make_app = make_app
        self._url = url
        self._on_ready = on_ready
        self._on_stop = on_stop
        self.live: Live | None = None
        self._settings = {
            "bind": f"fd://{descriptor}",
            "worker_class": _Worker,
            "workers": 1,
            "threads": most_panels + API_THREADS,
            "worker_connections": 2 * (most_panels + API_THREADS),
            "keepalive": 15,
            "timeout": 120,
            "graceful_timeout": STOP_SECONDS,
            "logger_class": _Log,
            "forwarded_allow_ips": "",
            "control_socket_disable": True,
            "limit_request_line": 8190,
            "post_fork": self._forked,
            "post_worker_init": self._ready,
            "worker_exit": self._exited,
            "default_proc_name": "wakil",
        }
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._settings.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        try:
            app = self._make_app(self._url)
        except WakilError as error:
            sys.stderr.write(f"wakil: {error.message}\n")
            sys.exit(Arbiter.APP_LOAD_ERROR)
        live: Live = app.extensions["wakil-live"]
        live.start()
        self.live = live
        return app

    def _forked(self, arbiter: Any, worker: Any) -> None:
        _die_with(arbiter.pid)
        if self._worker_uid is not None:
            # By touching this file the worker shows the master that it lives.
            os.fchown(worker.tmp.fileno(), self._worker_uid, -1)
        worker.cfg.set("graceful_timeout", _LINGER_SECONDS)

    def _ready(self, worker: Any) -> None:
        self._on_ready(self._url, worker.age == 1)

    def _exited(self, arbiter: Any, worker: Any) -> None:
        if os.getpid() == arbiter.pid or self.live is None:
            return
        try:
            self._on_stop()
        except Exception:
            _log.exception("stopping failed")
        logging.shutdown()
        with suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        # Threads that still wait for their clients would hold the interpreter's own end up.
        os._exit(0)


def _die_with(parent: int) -> None:
    """Has the kernel send us SIGTERM when our parent dies."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(0)
