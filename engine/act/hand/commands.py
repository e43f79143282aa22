"""Running programs: an absolute program, a fixed list of arguments, nothing of a shell."""

from __future__ import annotations

import ctypes
import os
import pwd
import re
import resource
import selectors
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from engine.act.hand.charter import Charter
from engine.act.hand.protocol import MAX_OUTPUT, Failure, Refusal, Request, text_argument

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
MAX_SLOT = 1024
_SLOT = re.compile(r"\{([a-zA-Z_][a-zA-Z0-9_]*)\}")
_FREED = re.compile(r"freed ([0-9.]+)([BKMGT]) of archived journals")
_UNITS = {"B": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a program ended; outputs are cut at 64 KiB each."""

    exit_code: int
    stdout: str
    stderr: str


def clean_environment(user: str | None = None) -> dict[str, str]:
    """All that a child gets to see of the environment."""
    entry = pwd.getpwnam(user) if user else _own_entry()
    home, name = (entry.pw_dir, entry.pw_name) if entry else ("/", str(os.geteuid()))
    return {"PATH": PATH, "LANG": "C.UTF-8", "HOME": home, "USER": name, "LOGNAME": name}


def _own_entry() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwuid(os.geteuid())
    except KeyError:
        return None


def run_bounded(
    argv: Sequence[str], until: float, *, cwd: str = "/", user: str | None = None
) -> Outcome:
    """Runs a program to its end or to `until` (time.time), when its process group is killed.

    Raises `Failure` where it cannot be started or is cut off. To be called in a process of one
    thread only: the child's limits are set between fork and exec.
    """
    seconds = until - time.time()
    if seconds <= 0:
        raise Failure("the deadline has passed")
    try:
        child = subprocess.Popen(  # the program is absolute, and from the list
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=cwd,
            env=clean_environment(user),
            start_new_session=True,
            preexec_fn=_limits(seconds, user),
        )
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise Failure(f"{argv[0]} cannot be run: {error}") from None
    with child:
        outputs, in_time = _drain(child, until)
        if not in_time:
            _kill_group(child)
            said = _text(outputs[1])[-500:].strip()
            raise Failure(f"{argv[0]} was cut off at its deadline" + (f": {said}" if said else ""))
    return Outcome(child.returncode, _text(outputs[0]), _text(outputs[1]))


def _limits(seconds: float, user: str | None) -> Callable[[], None]:
    """What the child does to itself before it becomes the program."""
    parent, entry = os.getpid(), pwd.getpwnam(user) if user else None
    prctl = ctypes.CDLL(None).prctl
    cpu = int(seconds * (os.cpu_count() or 1)) + 10

    def apply() -> None:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        _lower(resource.RLIMIT_NOFILE, 4096)
        _lower(resource.RLIMIT_CPU, cpu)
        os.umask(0o022)
        if entry is not None:
            os.initgroups(entry.pw_name, entry.pw_gid)
            os.setgid(entry.pw_gid)
            os.setuid(entry.pw_uid)
        prctl(_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    return apply


def _lower(what: int, most: int) -> None:
    hard = resource.getrlimit(what)[1]
    limit = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(what, (limit, limit))


def _drain(child: subprocess.Popen[bytes], until: float) -> tuple[list[bytearray], bool]:
    """Reads both outputs as they come, keeps the first 64 KiB; whether it ended in time.

    What the program leaves running behind it may hold the outputs open: half a second after its
    end they are let go.
    """
    outputs = [bytearray(), bytearray()]
    with selectors.DefaultSelector() as selector:
        for index, pipe in enumerate((child.stdout, child.stderr)):
            if pipe is not None:
                os.set_blocking(pipe.fileno(), False)
                selector.register(pipe, selectors.EVENT_READ, outputs[index])
        ended_at: float | None = None
        while selector.get_map():
            now = time.time()
            if ended_at is None and child.poll() is not None:
                ended_at = now
            if ended_at is not None and now > ended_at + 0.5:
                break
            if ended_at is None and now >= until:
                return outputs, False
            for key, _ in selector.select(0.05):
                piece = os.read(key.fd, 65536)
                if not piece:
                    selector.unregister(key.fileobj)
                key.data.extend(piece[: MAX_OUTPUT - len(key.data)])
    try:
        child.wait(max(0.0, until - time.time()))
    except subprocess.TimeoutExpired:
        return outputs, False
    return outputs, True


def _kill_group(child: subprocess.Popen[bytes]) -> None:
    for number, seconds in ((signal.SIGTERM, 2.0), (signal.SIGKILL, 5.0)):
        try:
            os.killpg(child.pid, number)
            child.wait(seconds)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _text(output: bytearray) -> str:
    return output.decode("utf-8", "replace").replace("\0", "\ufffd")


def execute(charter: Charter, request: Request) -> dict[str, Any]:
    """`exec {command, params}`, in an open charter also `{argv, cwd}`."""
    args, until = request.args, request.deadline / 1e6
    if args.get("argv") is not None:
        argv, cwd, user = _open_command(charter, args)
    else:
        name = text_argument(args, "command", 200)
        command = charter.commands.get(name)
        if command is None:
            raise Refusal(f"no command {name!r} is declared in actions.commands")
        argv = fill(command["argv"], command.get("params") or {}, args.get("params") or {})
        cwd, user = command.get("cwd") or "/", command.get("user")
        until = min(until, time.time() + command.get("timeout", until))
    outcome = run_bounded(argv, until, cwd=cwd, user=user)
    return {
        "changed": True,
        "exit_code": outcome.exit_code,
        "stdout": outcome.stdout,
        "stderr": outcome.stderr,
    }


def _open_command(charter: Charter, args: dict[str, Any]) -> tuple[list[str], str, None]:
    if not charter.open:
        raise Refusal("argv is for local content without `actions`; name a declared command")
    argv = args["argv"]
    if not isinstance(argv, list) or not 1 <= len(argv) <= 256:
        raise Refusal("argv must be a list of 1 to 256 arguments")
    words = [scalar_text(f"argv[{place}]", value, 8192) for place, value in enumerate(argv)]
    if not words[0].startswith("/"):
        found = shutil.which(words[0], path=PATH) if "/" not in words[0] else None
        if found is None:
            raise Refusal(f"{words[0]!r} is not an absolute path nor a program in {PATH}")
        words[0] = found
    cwd = args.get("cwd") or "/"
    if not isinstance(cwd, str) or not cwd.startswith("/"):
        raise Refusal("cwd must be an absolute path")
    return words, cwd, None


def fill(argv: Sequence[str], patterns: dict[str, str], params: dict[str, Any]) -> list[str]:
    """The arguments with their slots filled: one scalar a slot, its pattern matched in full,
    never with a leading `-`; as many arguments as were declared. Raises `Refusal`."""
    if not isinstance(params, dict):
        raise Refusal("params must be an object")
    for name in params:
        if name not in patterns:
            raise Refusal(f"the command has no parameter {name!r}")
    texts: dict[str, str] = {}
    for name, pattern in patterns.items():
        if name not in params:
            raise Refusal(f"the command needs the parameter {name!r}")
        text = scalar_text(name, params[name], MAX_SLOT)
        if text.startswith("-"):
            raise Refusal(f"{name} must not begin with '-'")
        if not re.fullmatch(pattern, text):
            raise Refusal(f"{name} does not match its pattern {pattern!r}")
        texts[name] = text
    return [_SLOT.sub(lambda slot: texts.get(slot[1], slot[0]), word) for word in argv]


def scalar_text(name: str, value: object, longest: int) -> str:
    """One scalar as text; raises `Refusal` for lists, objects, null, NUL and what is too long."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if not isinstance(value, str):
        raise Refusal(f"{name} must be one text or number")
    if "\0" in value or len(value) > longest:
        raise Refusal(f"{name} must have no NUL and at most {longest} characters")
    return value


def vacuum_journal(request: Request) -> dict[str, Any]:
    """`journal.vacuum {bytes}`: archived journals beyond so many bytes go (journalctl(1))."""
    limit = request.args.get("bytes")
    if type(limit) is not int or not 0 < limit < 1 << 50:
        raise Refusal("bytes must be a whole number above 0")
    program = shutil.which("journalctl", path=PATH)
    if program is None:
        return {"changed": False, "freed_bytes": 0, "journal": False}
    outcome = run_bounded([program, f"--vacuum-size={limit}"], request.deadline / 1e6)
    if outcome.exit_code:
        raise Failure(f"journalctl: {(outcome.stderr or outcome.stdout).strip()[-500:]}")
    freed = sum(
        int(float(number) * _UNITS[unit])
        for number, unit in _FREED.findall(outcome.stdout + outcome.stderr)
    )
    return {"changed": freed > 0, "freed_bytes": freed, "journal": True}
