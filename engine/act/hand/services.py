"""Services: systemd units, and programs known by a pid file and a start command."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import stat
import time
from typing import Any

from engine.act.hand.charter import Charter
from engine.act.hand.commands import PATH, clean_environment, run_bounded
from engine.act.hand.paths import check_regular, open_beneath
from engine.act.hand.processes import Process, ended, hold, read_process, stop
from engine.act.hand.protocol import Failure, HandError, Refusal, Request, text_argument

GRACE = 10.0
_SETTLE = 3.0
"""Seconds a started program has to write its pid file itself."""
_UNIT = re.compile(r"[A-Za-z0-9:_.@\\][A-Za-z0-9:_.@\\-]{0,254}")
_WORD = re.compile(r"[^\s;&|<>()'\"=]+")


def act_on_service(charter: Charter, request: Request) -> dict[str, Any]:
    """`service.start|stop|restart|state {id}`."""
    name = text_argument(request.args, "id", 200)
    service = charter.service(name)
    verb = request.verb.removeprefix("service.")
    until = request.deadline / 1e6
    if service["manager"] == "systemd":
        return _systemd(service.get("unit") or name, verb, until)
    if service["manager"] == "pidfile":
        return _PidFile(charter, name, service, until).act(verb)
    raise Refusal(
        f"{name} is only checked ({service['manager']}), so it cannot be started or stopped: "
        "declare it with manager systemd, or pidfile and a start command"
    )


def _systemd(unit: str, verb: str, until: float) -> dict[str, Any]:
    program = shutil.which("systemctl", path=PATH)
    if program is None or not os.path.isdir("/run/systemd/system"):
        raise Failure(f"this machine is not run by systemd, so {unit} cannot be managed by it")
    if not _UNIT.fullmatch(unit):
        raise Refusal(f"{unit!r} is not a unit's name")
    state = run_bounded([program, "is-active", "--", unit], until).stdout.strip()
    if verb == "state":
        return {"state": "running" if state == "active" else "stopped"}
    outcome = run_bounded([program, "--no-ask-password", verb, "--", unit], until)
    if outcome.exit_code:
        raise Failure(f"systemctl {verb} {unit}: {outcome.stderr.strip()[-500:]}")
    return {"changed": verb == "restart" or (state == "active") != (verb == "start")}


class _PidFile:
    """One service whose program writes its process id to a file."""

    def __init__(self, charter: Charter, name: str, service: dict[str, Any], until: float) -> None:
        self._name = name
        self._pid_file: str = service["pid_file"]
        self._start: list[str] = service.get("start") or []
        self._grace = float(service.get("grace", GRACE))
        self._until = until
        self._mark = os.path.join(charter.state, "started", name.replace("/", "_"))

    def act(self, verb: str) -> dict[str, Any]:
        running = self._running()
        if verb == "state":
            return {"state": "running" if running else "stopped"}
        changed = False
        if verb in ("stop", "restart") and running:
            self._stop(running)
            changed, running = True, None
        if verb in ("start", "restart") and running is None:
            return {"changed": True, "pid": self._launch()}
        return {"changed": changed, "pid": running.pid if running else None}

    def _running(self) -> Process | None:
        """The process that the pid file names, where its owner could have meant it."""
        found = read_pid_file(self._pid_file)
        if found is None:
            return None
        pid, owner = found
        process = read_process(pid)
        if process is not None and owner not in (0, process.uid):
            raise Refusal(
                f"{self._pid_file} belongs to user {owner} and names a process of user "
                f"{process.uid}: it is not followed"
            )
        return process

    def _stop(self, process: Process) -> None:
        self._check_program(process)
        descriptor = hold(process.pid, process.start_ticks)
        if descriptor is None:
            return
        try:
            if not stop(descriptor, self._grace, self._until):
                raise Failure(f"{self._name} did not stop, not even killed")
        finally:
            os.close(descriptor)

    def _check_program(self, process: Process) -> None:
        """Raises `Refusal` unless it is what we started, or its name is in the start command."""
        if self._noted() == [process.pid, process.start_ticks]:
            return
        said = {os.path.basename(word) for text in self._start for word in _WORD.findall(text)}
        short = {word[:15] for word in said}
        if self._start and not process.names() & (said | short):
            raise Refusal(
                f"{self._pid_file} names process {process.pid} ({process.name}), which is not "
                f"what {self._start[0]} starts: it is not touched"
            )

    def _launch(self) -> int:
        if not self._start:
            raise Refusal(f"{self._name} has no start command in agents.yaml")
        program = self._start[0]
        if not program.startswith("/"):
            found = None if "/" in program else shutil.which(program, path=PATH)
            if found is None:
                raise Refusal(
                    f"the start command of {self._name} must begin with a program's absolute path"
                )
            program = found
        self._remove_stale()
        begun = int(time.clock_gettime(time.CLOCK_BOOTTIME) * os.sysconf("SC_CLK_TCK"))
        descriptor, pid = start_detached([program, *self._start[1:]])
        try:
            process = self._await(descriptor, pid, begun)
        finally:
            os.close(descriptor)
        self._note(process)
        return process.pid

    def _await(self, descriptor: int, started: int, begun: int) -> Process:
        """Waits for the pid file to name a process born since `begun` (clock ticks since boot);
        writes it for a program that goes on in the foreground and writes none."""
        settled = time.time() + _SETTLE
        until = min(self._until, settled + 60)
        while (now := time.time()) < until:
            process = self._running()
            if process is not None and process.start_ticks >= begun:
                return process
            gone = ended(descriptor, 0)
            if gone and now > settled:
                break
            if not gone and now > settled:
                self._write_pid_file(started)
            time.sleep(0.02)
        raise Failure(
            f"{self._start[0]} was started, but {self._pid_file} names no living process of it"
        )

    def _write_pid_file(self, pid: int) -> None:
        directory, name = _open_parent(self._pid_file)
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
            file = os.open(name, flags, 0o644, dir_fd=directory)
        except FileExistsError:
            return
        finally:
            os.close(directory)
        with open(file, "w", encoding="ascii") as out:
            out.write(f"{pid}\n")

    def _remove_stale(self) -> None:
        """A pid file that names nobody goes first, as systemd does it: some programs refuse to
        start while it is there, and an old one must not be read as the new one's."""
        try:
            directory, name = _open_parent(self._pid_file)
        except FileNotFoundError:
            return
        try:
            found = os.stat(name, dir_fd=directory, follow_symlinks=False)
            check_regular(found, self._pid_file)
            os.unlink(name, dir_fd=directory)
        except FileNotFoundError:
            return
        finally:
            os.close(directory)

    def _noted(self) -> object:
        """Process id and start of what the hands started last, None where that is not known."""
        try:
            with open(self._mark, encoding="utf-8") as file:
                return json.load(file)
        except (OSError, ValueError):
            return None

    def _note(self, process: Process) -> None:
        os.makedirs(os.path.dirname(self._mark), mode=0o700, exist_ok=True)
        with open(self._mark, "w", encoding="utf-8") as file:
            json.dump([process.pid, process.start_ticks], file)


def _open_parent(path: str) -> tuple[int, str]:
    """The directory of a path, reached without links, and the last name."""
    if path.startswith("/var/run/"):  # a link to /run on every system of today
        path = path.removeprefix("/var")
    head, name = os.path.split(path)
    slash = os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        return open_beneath(slash, head.strip("/") or ".", os.O_RDONLY | os.O_DIRECTORY), name
    finally:
        os.close(slash)


def read_pid_file(path: str) -> tuple[int, int] | None:
    """The process id in a pid file and the file's owner; None where there is no such file or
    no number in it.

    Raises `Refusal` for a link, a pipe, a file that anybody may write, process 1.
    """
    try:
        directory, name = _open_parent(path)
    except FileNotFoundError:
        return None
    try:
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY
        descriptor = open_beneath(directory, name, flags)
    except FileNotFoundError:
        return None
    finally:
        os.close(directory)
    try:
        found = os.fstat(descriptor)
        check_regular(found, path)
        if found.st_mode & stat.S_IWOTH:
            raise Refusal(f"{path} may be written by anybody: it is not trusted")
        text = os.read(descriptor, 64).strip()
    finally:
        os.close(descriptor)
    if not re.fullmatch(rb"[1-9][0-9]{0,6}", text):
        return None
    if int(text) == 1:
        raise Refusal(f"{path} names process 1, which no service is")
    return int(text), found.st_uid


def start_detached(argv: list[str]) -> tuple[int, int]:
    """Starts a program in a session of its own, child of init; returns its pidfd and id.

    Forked twice so that init reaps it, and so that it outlives the hands.
    """
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        _become(argv, write)
    os.close(write)
    with open(read, "rb") as pipe:
        told = pipe.readline()
        pid = int(told or 0)
        try:
            descriptor = os.pidfd_open(pid) if pid else -1
        except ProcessLookupError:
            descriptor = -1
        os.waitpid(child, 0)
        problem = pipe.read().decode("utf-8", "replace")
    if problem or not pid:
        if descriptor >= 0:
            os.close(descriptor)
        raise Failure(f"{argv[0]} cannot be started: {problem or 'no process'}")
    if descriptor < 0:
        raise Failure(f"{argv[0]} ended at once")
    return descriptor, pid


def _become(argv: list[str], write: int) -> None:
    """In the child: forks once more and becomes the program; never returns."""
    try:
        os.setsid()
        if pid := os.fork():
            os.write(write, f"{pid}\n".encode())
            os._exit(0)
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
        os.chdir("/")
        os.umask(0o022)
        for number in (signal.SIGPIPE, signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        os.execve(argv[0], argv, clean_environment())  # noqa: S606 - no shell is the point
    except (OSError, HandError, ValueError) as error:
        os.write(write, str(error).encode())
    finally:
        os._exit(127)
