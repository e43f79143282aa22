"""The process table as /proc shows it (proc(5)): one small read a process, so that looking at
hundreds of them every few seconds costs next to nothing.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
_STAT = 4096
"""Bytes that hold any /proc/PID/stat: a name of 64 bytes at most, and numbers."""
STATES = {
    "R": "running",
    "S": "sleeping",
    "D": "waiting",
    "T": "stopped",
    "t": "traced",
    "Z": "zombie",
    "X": "dead",
    "I": "idle",
}


@dataclass(slots=True)
class ProcessEntry:
    """One process at one instant. Treated as immutable."""

    pid: int
    name: str
    state: str
    cpu_ticks: int
    start_ticks: int
    memory_bytes: int

    @property
    def alive(self) -> bool:
        """False for a zombie: it takes signals, and is nothing any more."""
        return self.state not in ("zombie", "dead")


def read_process(pid: int) -> ProcessEntry | None:
    """The process of that id; None where there is none."""
    try:
        descriptor = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
        try:
            data = os.read(descriptor, _STAT)
        finally:
            os.close(descriptor)
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None
    begin, end = data.index(b"("), data.rindex(b")")
    rest = data[end + 2 :].split()
    return ProcessEntry(
        pid=pid,
        name=data[begin + 1 : end].decode("utf-8", "replace"),
        state=STATES.get(rest[0].decode(), "unknown"),
        cpu_ticks=int(rest[11]) + int(rest[12]),
        start_ticks=int(rest[19]),
        memory_bytes=int(rest[21]) * PAGE,
    )


def all_processes() -> Iterator[ProcessEntry]:
    """Every process that is there at the moment."""
    for name in os.listdir("/proc"):  # noqa: PTH208 - names only, many, often
        if name.isdigit() and (process := read_process(int(name))) is not None:
            yield process


def full_name(process: ProcessEntry) -> str:
    """Its program's name, also where the kernel cut it off after 15 characters."""
    if len(process.name) < 15:
        return process.name
    try:
        first = Path(f"/proc/{process.pid}/cmdline").read_bytes()[:4096].split(b"\0")[0]
    except OSError:
        return process.name
    name = os.path.basename(first).decode("utf-8", "replace")  # noqa: PTH119 - bytes
    return name if name.startswith(process.name) else process.name


def owner(pid: int) -> str:
    """Name of the user it belongs to, the number where he has no name; empty once it is gone."""
    try:
        return user_name(Path(f"/proc/{pid}").stat().st_uid)
    except OSError:
        return ""


@lru_cache(1024)
def user_name(uid: int) -> str:
    """The name of a user id, the number as text where it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def uptime() -> float:
    """Seconds since boot, on the clock of `start_ticks`."""
    return float(Path("/proc/uptime").read_text().split()[0])
