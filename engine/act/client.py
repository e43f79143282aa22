"""The server's side of the hands: starts them, speaks to them, starts them again."""

from __future__ import annotations

import contextlib
import itertools
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from pathlib import Path
from typing import Any

from engine.act.authorise import Permissions, authorise_order
from engine.act.charter import CompiledCharter
from engine.act.hand.protocol import HEADER_SIZE, MAX_REPLY, MAX_REQUEST, body_size, frame
from engine.core.errors import ActionError, Refused, SettingsError, UnknownEffect
from engine.core.ports import Order

_log = logging.getLogger(__name__)
_PROGRAM = Path(__file__).with_name("hands.py")
_OVERTIME = 30.0
"""Seconds past an order's deadline until its effect counts as unknown (the hands allow 20)."""
_READY = 15.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 30.0
_ERRORS: Mapping[str, Callable[[str], Exception]] = {
    "refused": Refused,
    "failed": ActionError,
    "unknown": UnknownEffect,
}

Reply = tuple[dict[str, Any], int | None]


class HandsClient:
    """The `Hands` port over a socketpair; safe to use from any thread.

    A keeper thread starts the process, reads its replies and starts it anew with back-off where
    it dies. The process ends with the keeper's, so with the server.
    """

    def __init__(self, charter: CompiledCharter, on_change: Callable[[bool], None] | None = None):
        self._charter = charter
        self._on_change = on_change or (lambda ready: None)
        self._path = Path(charter.data["state"]) / "charter.json"
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._waiting: dict[int, Future[Reply]] = {}
        self._numbers = itertools.count(1)
        self._socket: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._ready = self._closing = False
        self._owner = os.geteuid()
        self._reloaded: Future[None] | None = None
        self._keeper = threading.Thread(target=self._keep, name="hands", daemon=True)

    # ── life ──────────────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        """Starts the hands and waits until they are ready; raises `SettingsError`."""
        self._write_charter()
        self._keeper.start()
        if not self._wait_ready(time.monotonic() + _READY):
            self.close()
            raise SettingsError("the hands could not be started; the line above says why")

    def close(self) -> None:
        """Ends the hands; orders under way are cut off."""
        with self._changed:
            self._closing = True
            if self._socket is not None:
                with contextlib.suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)
            self._changed.notify_all()
        if self._keeper.is_alive():
            self._keeper.join(10)

    @property
    def ready(self) -> bool:
        """Whether the hands are there."""
        return self._ready

    @property
    def pid(self) -> int | None:
        """Process id of the hands, None while there are none."""
        return self._process.pid if self._process is not None and self._ready else None

    def reload(self, charter: CompiledCharter) -> None:
        """Gives the hands a new list; returns when they have it.

        Raises `Refused` where they run as another user than the server does by now: their list
        is then what it was at start.
        """
        if os.geteuid() != self._owner:
            raise Refused(
                "the hands keep the list they were started with, because the server has dropped "
                "its rights: restart Wakil to change it"
            )
        with self._lock:
            self._charter = charter
            self._write_charter()
            process, reloaded = self._process, Future[None]()
            if not self._ready or process is None:
                return
            self._reloaded = reloaded
        process.send_signal(signal.SIGHUP)
        try:
            reloaded.result(_READY)
        except FutureTimeout:
            raise ActionError("the hands did not take the new list") from None

    # ── orders ────────────────────────────────────────────────────────────────────────────────

    def act(self, order: Order) -> Mapping[str, Any]:
        """Carries the order out; see the `Hands` port."""
        authorise_order(order, self._charter.allowed)
        return self._ask(order)[0]

    def open_log(self, root: str, path: str) -> int:
        """A read-only descriptor of a regular file beneath `root`; the caller closes it."""
        deadline = (time.time_ns() // 1000) + 5_000_000
        order = Order("log.open", {"root": root, "path": path}, "", "", 0, deadline)
        descriptor = self._ask(order)[1]
        if descriptor is None:
            raise ActionError(f"the hands sent no descriptor for {root}/{path}")
        return descriptor

    @property
    def allowed(self) -> Permissions:
        """What the machine allows at present."""
        return self._charter.allowed

    def _ask(self, order: Order) -> Reply:
        seconds = order.deadline / 1e6 - time.time()
        if seconds <= 0:
            raise ActionError(f"{order.verb}: the deadline has passed")
        if not self._wait_ready(time.monotonic() + min(seconds, _READY)):
            raise ActionError(f"{order.verb}: the hands are not running")
        number = next(self._numbers)
        answer: Future[Reply] = Future()
        data = _packed(number, order)
        with self._lock:
            if self._socket is None:
                raise ActionError(f"{order.verb}: the hands are not running")
            self._waiting[number] = answer
            try:
                self._socket.sendall(data)
            except OSError as error:
                del self._waiting[number]
                raise UnknownEffect(f"{order.verb}: the hands were lost: {error}") from None
        try:
            return answer.result(max(0.0, order.deadline / 1e6 - time.time()) + _OVERTIME)
        except FutureTimeout:
            raise UnknownEffect(f"{order.verb}: the hands did not answer in time") from None
        finally:
            with self._lock:
                self._waiting.pop(number, None)

    def _wait_ready(self, until: float) -> bool:
        with self._changed:
            return self._changed.wait_for(
                lambda: self._ready or self._closing, until - time.monotonic()
            ) and (self._ready and not self._closing)

    # ── the keeper ────────────────────────────────────────────────────────────────────────────

    def _keep(self) -> None:
        pause = _FIRST_PAUSE
        while not self._closing:
            begun = time.monotonic()
            if os.geteuid() != self._owner:
                _log.error("the hands are gone and need more rights to start than are left")
                return
            self._run_once()
            if self._closing:
                return
            pause = (
                _FIRST_PAUSE if time.monotonic() - begun > 60 else min(pause * 2, _LONGEST_PAUSE)
            )
            _log.error("the hands ended; they are started again in %.1f s", pause)
            with self._changed:
                self._changed.wait_for(lambda: self._closing, pause)

    def _run_once(self) -> None:
        """One life of the hands, from start to end."""
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                process = self._spawn(theirs.fileno())
        except OSError as error:
            _log.error("the hands cannot be started: %s", error)
            ours.close()
            return
        with self._lock:
            self._process, self._socket = process, ours
        try:
            while self._read_reply(ours):
                pass
        except (OSError, ValueError) as error:
            _log.error("the hands sent what cannot be read: %s", error)
        finally:
            self._lose(ours)
            with contextlib.suppress(PermissionError):  # root's hands end with our socket
                process.kill()
            process.wait()

    def _spawn(self, descriptor: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [
                sys.executable, "-I", "-S", str(_PROGRAM),
                "--socket", str(descriptor),
                "--charter", str(self._path),
                "--parent", str(os.getpid()),
            ],
            pass_fds=[descriptor],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env={"PATH": os.defpath, "LANG": "C.UTF-8"},
            cwd="/",
            start_new_session=True,
        )  # fmt: skip

    def _read_reply(self, ours: socket.socket) -> bool:
        header, descriptors, _, _ = socket.recv_fds(ours, HEADER_SIZE, 1)
        descriptor = descriptors[0] if descriptors else None
        if not header:
            return False
        header += _exactly(ours, HEADER_SIZE - len(header))
        size = body_size(header)
        if size > MAX_REPLY * 2:
            raise ValueError(f"a reply of {size} bytes")
        self._deliver(json.loads(_exactly(ours, size)), descriptor)
        return True

    def _deliver(self, reply: dict[str, Any], descriptor: int | None) -> None:
        number, error = reply.pop("id", -1), reply.pop("error", None)
        with self._changed:
            if number == 0 and "pid" in reply:
                self._ready = True
                self._changed.notify_all()
            answer = self._waiting.pop(number, None)
            reloaded, self._reloaded = self._reloaded, None if number == 0 else self._reloaded
        reply.pop("ok", None)
        if number == 0:
            if "pid" in reply:
                self._on_change(True)
            if reloaded is not None and error is not None:
                reloaded.set_exception(ActionError(f"the hands refuse it: {error['message']}"))
            elif reloaded is not None:
                reloaded.set_result(None)
        elif answer is None:
            if descriptor is not None:
                os.close(descriptor)
        elif error is not None:
            answer.set_exception(_ERRORS.get(error["code"], ActionError)(error["message"]))
        else:
            answer.set_result((reply, descriptor))

    def _lose(self, ours: socket.socket) -> None:
        """Every order under way has an unknown effect from here on."""
        with self._changed:
            was, self._ready, self._socket = self._ready, False, None
            lost, self._waiting = self._waiting, {}
            ours.close()
        for answer in lost.values():
            answer.set_exception(UnknownEffect("the hands died while they were at it"))
        if was and not self._closing:
            self._on_change(False)

    def _write_charter(self) -> None:
        directory = self._path.parent
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = self._path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        with os.fdopen(os.open(fresh, flags, 0o600), "w", encoding="utf-8") as file:
            json.dump(dict(self._charter.data), file, ensure_ascii=False)
        fresh.replace(self._path)


def _packed(number: int, order: Order) -> bytes:
    """The order as a frame; raises `Refused` where it is not JSON or too long."""
    fields = {
        "v": 1,
        "id": number,
        "run": order.run,
        "step": order.step,
        "attempt": order.attempt,
        "verb": order.verb,
        "args": dict(order.args),
        "approval": order.approval,
        "deadline": order.deadline,
    }
    try:
        data = frame(fields)
    except (TypeError, ValueError) as error:
        raise Refused(f"{order.verb}: its arguments are not JSON: {error}") from None
    if len(data) - HEADER_SIZE > MAX_REQUEST:
        raise Refused(f"{order.verb}: its arguments are longer than {MAX_REQUEST} bytes")
    return data


def _exactly(ours: socket.socket, count: int) -> bytes:
    pieces = bytearray()
    while len(pieces) < count:
        piece = ours.recv(count - len(pieces))
        if not piece:
            raise OSError("the hands closed in the middle of a reply")
        pieces += piece
    return bytes(pieces)


def _bury(process: subprocess.Popen[bytes]) -> None:
    """Waits for the end of hands whose socket is closed; those that do not end are killed."""
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(PermissionError):  # root's, and we are not root any more
            process.kill()
            process.wait()
