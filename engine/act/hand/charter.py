"""The list that bounds the hands: what may be acted on, compiled by the server before it drops
its rights, read at start and at a SIGHUP, never changed by a request.
"""

from __future__ import annotations

import json
import os
import stat
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from engine.act.hand.protocol import Refusal

MAX_CHARTER = 4 * 1024 * 1024

ACTION_OF = {
    "exec": "command.run",
    "process.signal": "process.terminate",
}
"""The action's name that a verb stands for in `actions.allow`, where it differs."""

DEFAULT_RATES = {
    "service.*": (120, 60),
    "process.signal": (60, 60),
    "files.*": (300, 60),
    "journal.vacuum": (30, 60),
    "exec": (1200, 60),
}
"""By pattern of verbs: at most so many acts in so many seconds."""


@dataclass(frozen=True, slots=True)
class Charter:
    """What may be done; see `engine.act.charter`, which compiles it from settings and content."""

    state: str
    """The hands' own directory: ledger, marks of what was started."""
    trash: str
    pause: str
    """While this file exists, or cannot be looked at, nothing is done."""
    open: bool = False
    """Local content without `actions`: whatever this user may do is allowed."""
    allow: tuple[str, ...] = ()
    services: dict[str, dict[str, Any]] = field(default_factory=dict)
    commands: dict[str, dict[str, Any]] = field(default_factory=dict)
    paths: tuple[str, ...] = ()
    logs: tuple[str, ...] = ()
    """Shell patterns of absolute paths that may be opened for reading."""
    rates: dict[str, tuple[int, int]] = field(default_factory=lambda: dict(DEFAULT_RATES))

    def check_verb(self, verb: str) -> None:
        """Raises `Refusal` unless `actions.allow` covers the verb's action."""
        action = ACTION_OF.get(verb, verb)
        if not self.open and not any(fnmatchcase(action, pattern) for pattern in self.allow):
            raise Refusal(f"{action} is not in actions.allow")

    def service(self, name: str) -> dict[str, Any]:
        """The declared service; raises `Refusal`."""
        try:
            return self.services[name]
        except KeyError:
            raise Refusal(f"no service {name!r} is declared in agents.yaml") from None

    def root_of(self, path: str) -> tuple[str, str]:
        """The allowed root above an absolute path, and the rest; raises `Refusal`."""
        if not path.startswith("/") or ".." in path.split("/"):
            raise Refusal(f"{path!r} must be an absolute path without '..'")
        clean = os.path.normpath(path)
        roots = ("/",) if self.open else self.paths
        for root in sorted(roots, key=len, reverse=True):
            if clean == root or clean.startswith(root.rstrip("/") + "/"):
                return root, clean[len(root) :].strip("/") or "."
        raise Refusal(f"{clean} is not beneath any of actions.paths")

    def check_log(self, path: str) -> None:
        """Raises `Refusal` unless the path is one that an agent was allowed to read."""
        if not self.open and not any(match_path(path, pattern) for pattern in self.logs):
            raise Refusal(f"{path} is not among the logs that may be read")


def match_path(path: str, pattern: str) -> bool:
    """Whether a path fits a shell pattern, component by component: `*` never crosses a slash."""
    parts, patterns = path.split("/"), pattern.split("/")
    return len(parts) == len(patterns) and all(map(fnmatchcase, parts, patterns))


def load(path: str) -> Charter:
    """Reads the charter from a file that only this user (or root) can have written.

    Raises `Refusal` where the file is anybody else's to write or is not a charter.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_uid not in (0, os.geteuid()):
            raise Refusal(f"{path} must be a file of this user")
        if found.st_mode & 0o022:
            raise Refusal(f"{path} must not be writable by others")
        data = file.read(MAX_CHARTER + 1)
    if len(data) > MAX_CHARTER:
        raise Refusal(f"{path} is longer than {MAX_CHARTER} bytes")
    return parse(json.loads(data))


def parse(data: dict[str, Any]) -> Charter:
    """A charter from its JSON form."""
    values = dict(data)
    for name in ("allow", "paths", "logs"):
        values[name] = tuple(values.get(name, ()))
    rates = values.get("rates") or DEFAULT_RATES
    values["rates"] = {name: (int(rate[0]), int(rate[1])) for name, rate in rates.items()}
    for name in ("state", "trash", "pause"):
        if not Path(values[name]).is_absolute():
            raise Refusal(f"{name} must be an absolute path")
    return Charter(**values)
