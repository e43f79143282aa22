"""What the machine says of a service: systemd of its units, a pid file of its process."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from agents.checks import State
from agents.proc import TICKS, read_process, uptime

_PROPERTIES = "LoadState,ActiveState,SubState,NRestarts,StateChangeTimestampMonotonic"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_TIMEOUT = 10
_ROOT = 0


@dataclass(frozen=True, slots=True)
class Unit:
    """One service as it was found; what its manager does not tell is None."""

    state: State
    since_seconds: float | None = None
    restarts: int | None = None
    process: tuple[int, int] | None = None
    """Process id and start, in clock ticks since boot."""


def systemd_states(names: Sequence[str]) -> dict[str, Unit]:
    """All units by one call of systemctl(1); unknown where the machine has no systemd."""
    unknown = dict.fromkeys(names, Unit("unknown"))
    program = shutil.which("systemctl", path=_PATH)
    if not names or program is None or not Path("/run/systemd/system").is_dir():
        return unknown
    try:
        done = subprocess.run(
            [program, "show", f"--property={_PROPERTIES}", "--", *names],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT,
            check=False,
            env={"PATH": _PATH, "LANG": "C.UTF-8"},
        )
    except subprocess.TimeoutExpired:
        return unknown
    blocks = done.stdout.decode("utf-8", "replace").strip("\n").split("\n\n")
    if done.returncode or len(blocks) != len(names):
        return unknown
    now = time.clock_gettime(time.CLOCK_MONOTONIC)
    return {name: parse_unit(block, now) for name, block in zip(names, blocks, strict=True)}


def parse_unit(block: str, now: float) -> Unit:
    """One block of `systemctl show`; `now` on the monotonic clock, seconds."""
    said = dict(line.partition("=")[::2] for line in block.splitlines())
    changed = said.get("StateChangeTimestampMonotonic", "")
    since = max(0.0, now - int(changed) / 1e6) if changed.isdigit() and int(changed) else None
    restarts = said.get("NRestarts", "")
    return Unit(_state(said), since, int(restarts) if restarts.isdigit() else None)


def _state(said: dict[str, str]) -> State:
    if said.get("LoadState") != "loaded":
        return "unknown"
    if said.get("SubState") == "auto-restart":
        return "failed"
    states: dict[str, State] = {
        "active": "running",
        "reloading": "running",
        "refreshing": "running",
        "failed": "failed",
        "inactive": "stopped",
        "activating": "stopped",
        "deactivating": "stopped",
        "maintenance": "stopped",
    }
    return states.get(said.get("ActiveState", ""), "unknown")


def pid_file_state(path: str) -> Unit:
    """Running where the file names a living process that its owner could have meant.

    Unknown where the file cannot be read, is a link, or no ordinary file.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags)
    except (FileNotFoundError, NotADirectoryError):
        return Unit("stopped")
    except OSError:
        return Unit("unknown")
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            return Unit("unknown")
        text = os.read(descriptor, 64).strip()
    finally:
        os.close(descriptor)
    if not re.fullmatch(rb"[1-9][0-9]{0,6}", text):
        return Unit("stopped")
    process = read_process(int(text))
    if process is None or not process.alive:
        return Unit("stopped")
    try:
        uid = Path(f"/proc/{process.pid}").stat().st_uid
    except OSError:
        return Unit("stopped")
    if found.st_uid not in (_ROOT, uid):
        return Unit("unknown")
    age = max(0.0, uptime() - process.start_ticks / TICKS)
    return Unit("running", age, process=(process.pid, process.start_ticks))
