"""Processes, held by a pidfd so that a signal reaches the one that was meant, or nobody."""

from __future__ import annotations

import os
import select
import signal
import time
from dataclasses import dataclass
from typing import Any

from engine.act.hand.protocol import Failure, Refusal, Request, text_argument, whole_argument

SIGNALS = {"TERM", "INT", "HUP", "KILL"}
MAX_GRACE = 3600


@dataclass(frozen=True, slots=True)
class Process:
    """A living process as /proc shows it (proc(5)); a zombie is not one."""

    pid: int
    start_ticks: int
    uid: int
    name: str
    parent: int
    arguments: tuple[str, ...]
    program: str
    """The path of its executable, empty where this user may not see it."""

    def names(self) -> set[str]:
        """All names it goes by: of its executable, its arguments, itself."""
        paths = [self.program.removesuffix(" (deleted)"), *self.arguments[:3], self.name]
        return {os.path.basename(path) for path in paths if path}


def read_process(pid: int) -> Process | None:
    """The living process of that id; None where there is none or it is a zombie."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            stat = file.read(4096)
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            cmdline = file.read(65536)
        uid = os.stat(f"/proc/{pid}").st_uid
    except (FileNotFoundError, ProcessLookupError):
        return None
    begin, end = stat.index(b"("), stat.rindex(b")")
    rest = stat[end + 2 :].split()
    if rest[0] in (b"Z", b"X"):
        return None
    try:
        program = os.readlink(f"/proc/{pid}/exe")
    except OSError:
        program = ""
    arguments = cmdline.decode("utf-8", "replace").split("\0")
    return Process(
        pid=pid,
        start_ticks=int(rest[19]),
        uid=uid,
        name=stat[begin + 1 : end].decode("utf-8", "replace"),
        parent=int(rest[1]),
        arguments=tuple(arguments),
        program=program,
    )


def hold(pid: int, start_ticks: int) -> int | None:
    """A pidfd of exactly the process that had this id and start; None where it is gone.

    The descriptor is taken first: whoever has the id then keeps it, and is looked at after.
    """
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return None
    found = read_process(pid)
    if found is None or found.start_ticks != start_ticks:
        os.close(descriptor)
        return None
    return descriptor


def ended(descriptor: int, seconds: float) -> bool:
    """Waits until the held process has ended, a zombie included; False where it goes on."""
    poller = select.poll()
    poller.register(descriptor, select.POLLIN)
    return bool(poller.poll(max(0.0, seconds) * 1000))


def send(descriptor: int, number: int) -> None:
    """Signals the held process; raises `Failure` where this user may not."""
    try:
        signal.pidfd_send_signal(descriptor, number)
    except ProcessLookupError:
        return
    except PermissionError:
        raise Failure("this user may not signal that process") from None


def stop(descriptor: int, grace: float, until: float) -> bool:
    """SIGTERM, and after `grace` seconds SIGKILL; whether it ended before `until` (time.time)."""
    send(descriptor, signal.SIGTERM)
    if ended(descriptor, min(grace, until - time.time())):
        return True
    send(descriptor, signal.SIGKILL)
    return ended(descriptor, max(1.0, min(10.0, until - time.time())))


def signal_process(request: Request) -> dict[str, Any]:
    """`process.signal {pid, start_ticks, signal, grace?, name?, uid?}`.

    With `grace` (seconds) it waits so long for the end, and then kills. `name` and `uid`, where
    given, must be the process's own.
    """
    args = request.args
    pid = whole_argument(args, "pid", 1, 1 << 22)
    ticks = whole_argument(args, "start_ticks", 0, 1 << 62)
    name = text_argument(args, "signal", 8)
    if name not in SIGNALS:
        raise Refusal(f"signal must be one of {', '.join(sorted(SIGNALS))}")
    _check_spared(pid)
    found = read_process(pid)
    if found is None or found.start_ticks != ticks:
        return {"changed": False, "ended": True}
    for field, own in (("name", found.name), ("uid", found.uid)):
        if args.get(field) is not None and args[field] != own:
            raise Refusal(f"process {pid} has the {field} {own!r}, not {args[field]!r}")
    if not any(found.arguments) and not found.program:
        raise Refusal(f"process {pid} belongs to the kernel")
    descriptor = hold(pid, ticks)
    if descriptor is None:
        return {"changed": False, "ended": True}
    try:
        return _deliver(descriptor, name, args, request.deadline / 1e6)
    finally:
        os.close(descriptor)


def _deliver(descriptor: int, name: str, args: dict[str, Any], until: float) -> dict[str, Any]:
    if args.get("grace") is None:
        send(descriptor, getattr(signal, f"SIG{name}"))
        return {"changed": True, "ended": ended(descriptor, 0.2)}
    grace = whole_argument(args, "grace", 0, MAX_GRACE)
    if not stop(descriptor, grace, until):
        raise Failure("the process did not end, not even killed")
    return {"changed": True, "ended": True}


def _check_spared(pid: int) -> None:
    """Raises `Refusal` for init, the hands themselves and all above them."""
    spared, current = {1}, os.getpid()
    while current > 1 and current not in spared:
        spared.add(current)
        process = read_process(current)
        current = process.parent if process else 1
    if pid in spared:
        raise Refusal(f"process {pid} is init, Wakil itself or what started it")
