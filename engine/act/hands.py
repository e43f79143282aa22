"""The hands: one small process, the only one that touches the system.

Started by the server over a socketpair as `python -I -S hands.py --socket FD --charter FILE
--parent PID`; standard library only. One thread; each order is carried out by a forked child, so
that a slow or broken one holds up nobody and can be killed at its deadline. The hands end when
the server does. SIGHUP has them read their charter again.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import os
import selectors
import signal
import socket
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

if __name__ == "__main__":  # isolated mode leaves our own folder out of the path
    sys.path.append(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from engine.act.hand import charter as charters
from engine.act.hand.files import open_log
from engine.act.hand.ledger import Ledger
from engine.act.hand.protocol import (
    HEADER_SIZE,
    MAX_REPLY,
    MAX_REQUEST,
    Failure,
    HandError,
    Refusal,
    Request,
    Unknown,
    body_size,
    frame,
    parse_json,
    parse_request,
)
from engine.act.hand.rates import Rates, check_pause
from engine.act.hand.verbs import ACTS, LOOKS

MAX_WORKERS = 16
MAX_WAITING = 256
OVERTIME = 20.0
"""Seconds past its deadline after which an order's child is killed."""
LONGEST = 24 * 3600.0
_PDEATHSIG = 1


@dataclass(slots=True)
class _Worker:
    request: Request
    pid: int
    killed_at: float
    output: bytearray = field(default_factory=bytearray)


class Hands:
    """Reads orders from the server's socket and answers them until it closes."""

    def __init__(self, server: socket.socket, charter_path: str) -> None:
        self._server = server
        self._path = charter_path
        self._charter = charters.load(charter_path)
        os.makedirs(self._charter.state, mode=0o700, exist_ok=True)
        self._ledger = Ledger(os.path.join(self._charter.state, "ledger.jsonl"))
        self._rates = Rates()
        self._waiting: deque[Request] = deque()
        self._workers: dict[int, _Worker] = {}
        self._input = bytearray()
        self._selector = selectors.DefaultSelector()
        self._selector.register(server, selectors.EVENT_READ)
        self._wake, wake = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGHUP, lambda number, stack: None)
        self._selector.register(self._wake, selectors.EVENT_READ)

    def serve(self) -> None:
        """Returns when the server has gone."""
        self._say({"id": 0, "ok": True, "pid": os.getpid()})
        while True:
            for key, _ in self._selector.select(0.5 if self._workers else 30):
                if key.fileobj is self._server:
                    if not self._read_server():
                        return
                elif key.fd == self._wake:
                    os.read(self._wake, 512)
                    self._reload()
                else:
                    self._read_worker(key.fd)
            self._kill_late()
            while self._waiting and len(self._workers) < MAX_WORKERS:
                self._start(self._waiting.popleft())

    def _reload(self) -> None:
        try:
            self._charter = charters.load(self._path)
        except (HandError, OSError, ValueError, TypeError, KeyError) as error:
            self._say({"id": 0, "error": {"code": "failed", "message": str(error)}})
        else:
            self._say({"id": 0, "ok": True, "reloaded": True})

    def _read_server(self) -> bool:
        try:
            piece = self._server.recv(65536)
        except OSError:
            return False
        self._input += piece
        while len(self._input) >= HEADER_SIZE:
            size = body_size(bytes(self._input[:HEADER_SIZE]))
            if size > MAX_REQUEST:  # where the next request begins cannot be known any more
                return False
            if len(self._input) < HEADER_SIZE + size:
                break
            body = bytes(self._input[HEADER_SIZE : HEADER_SIZE + size])
            del self._input[: HEADER_SIZE + size]
            self._take(body)
        return bool(piece)

    def _take(self, body: bytes) -> None:
        try:
            request = parse_request(body)
        except HandError as error:
            number = -1
            with contextlib.suppress(HandError, AttributeError):
                number = parse_json(body).get("id")
            self._say({"id": number if type(number) is int else -1, "error": _shown(error)})
            return
        if request.verb == "log.open":
            self._open_log(request)
        elif len(self._waiting) >= MAX_WAITING:
            self._refuse(request, Refusal("the hands have too many orders waiting"))
        elif len(self._workers) >= MAX_WORKERS:
            self._waiting.append(request)
        else:
            self._start(request)

    def _open_log(self, request: Request) -> None:
        try:
            descriptor = open_log(self._charter, request)
        except HandError as error:
            self._refuse(request, error)
        except OSError as error:
            self._refuse(request, Failure(_told(error)))
        else:
            self._say({"id": request.id, "ok": True}, descriptor)
            os.close(descriptor)

    def _start(self, request: Request) -> None:
        """Answers from the ledger, refuses, or forks a child for it."""
        try:
            if request.verb in ACTS:
                known = self._ledger.recall(request)
                if known is not None:
                    self._say({**known, "id": request.id})
                    return
                self._admit(request)
                self._ledger.begin(request)
            elif request.verb not in LOOKS:
                raise Refusal(f"there is no verb {request.verb!r}")
        except HandError as error:
            self._refuse(request, error)
            return
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            _work(self._charter, request, write)
        os.close(write)
        late = min(request.deadline / 1e6, time.time() + LONGEST) + OVERTIME
        self._workers[read] = _Worker(request, pid, late)
        self._selector.register(read, selectors.EVENT_READ)

    def _admit(self, request: Request) -> None:
        if not request.run or not request.step or request.attempt < 1:
            raise Refusal("an act needs its run, step and attempt")
        if request.deadline / 1e6 <= time.time():
            raise Refusal("the deadline has passed")
        check_pause(self._charter.pause)
        self._charter.check_verb(request.verb)
        self._rates.take(self._charter.rates, request.verb, time.monotonic())

    def _read_worker(self, descriptor: int) -> None:
        worker = self._workers[descriptor]
        piece = os.read(descriptor, 65536)
        worker.output += piece
        if piece and len(worker.output) <= MAX_REPLY:
            return
        self._selector.unregister(descriptor)
        os.close(descriptor)
        del self._workers[descriptor]
        os.waitpid(worker.pid, 0)
        reply = _outcome(bytes(worker.output))
        if worker.request.verb in ACTS:
            try:
                self._ledger.finish(worker.request, reply)
            except OSError as error:  # a full disk: the server hears it, a repeat is unknown
                sys.stderr.write(f"wakil hands: the ledger cannot be written: {error}\n")
        self._say({**reply, "id": worker.request.id})

    def _kill_late(self) -> None:
        now = time.time()
        for worker in self._workers.values():
            if now > worker.killed_at:
                os.kill(worker.pid, signal.SIGKILL)

    def _refuse(self, request: Request, error: HandError) -> None:
        self._say({"id": request.id, "error": _shown(error)})

    def _say(self, message: dict[str, Any], descriptor: int | None = None) -> None:
        data = frame(message)
        if descriptor is not None:
            socket.send_fds(self._server, [data[:HEADER_SIZE]], [descriptor])
            data = data[HEADER_SIZE:]
        self._server.sendall(data)


def _outcome(output: bytes) -> dict[str, Any]:
    """What a child reported; one that died over its work leaves an unknown effect."""
    try:
        reply = parse_json(output)
    except HandError:
        reply = None
    if not isinstance(reply, dict):
        return {"error": _shown(Unknown("the act was cut off; its effect is not known"))}
    return reply


def _work(charter: charters.Charter, request: Request, write: int) -> None:
    """In the child: does it, reports, ends. It dies with the hands."""
    status = 1
    try:
        die_with(os.getppid())
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        verb = ACTS.get(request.verb) or LOOKS[request.verb]
        try:
            reply = {"ok": True, **verb(charter, request)}
        except HandError as error:
            reply = {"error": _shown(error)}
        except OSError as error:
            reply = {"error": _shown(Failure(_told(error)))}
        with open(write, "wb") as out:
            out.write(frame(reply)[HEADER_SIZE:])
        status = 0
    finally:
        os._exit(status)


def _shown(error: HandError) -> dict[str, str]:
    return {"code": error.code, "message": str(error)}


def _told(error: OSError) -> str:
    where = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, str | bytes) else ""
    return f"{where}{error.strerror or error}"


def die_with(parent: int) -> None:
    """Has the kernel end this process when its parent ends (prctl(2), PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def main() -> int:
    """Entry point; 0 when the server has gone, 1 with one line where it cannot begin."""
    parser = argparse.ArgumentParser(description="Wakil's hands; started by `wakil run`.")
    parser.add_argument("--socket", type=int, required=True)
    parser.add_argument("--charter", required=True)
    parser.add_argument("--parent", type=int, required=True)
    given = parser.parse_args()
    os.umask(0o077)
    os.set_inheritable(given.socket, False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with(given.parent)
    server = socket.socket(fileno=given.socket)
    try:
        Hands(server, given.charter).serve()
    except BrokenPipeError:
        return 0
    except (HandError, OSError, ValueError, TypeError, KeyError) as error:
        sys.stderr.write(f"wakil hands: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
