"""The system's journal, by journalctl(1): entries after a cursor, vacuuming."""

from __future__ import annotations

import os
import selectors
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.core.errors import ActionError
from engine.core.ports import ActionContext, ActionType
from engine.core.values import parse_size

MAX_BYTES = 4 * 1024 * 1024
_SECONDS = 5.0
_PLACES = ("/var/log/journal", "/run/log/journal")
_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}


def journalctl() -> str | None:
    """The program, None where this machine keeps no journal."""
    if not any(Path(place).is_dir() for place in _PLACES):
        return None
    return shutil.which("journalctl", path=_ENVIRONMENT["PATH"])


def read_entries(program: str, cursor: str | None) -> list[bytes]:
    """Entries after the cursor, oldest first, as JSON lines; without one the very last entry.

    At most 4 MiB and five seconds: what is left comes in the next round, after the cursor of the
    last one taken.
    """
    since = [f"--after-cursor={cursor}"] if cursor else ["--lines=1"]
    command = [program, "--output=json", "--no-pager", "--quiet", *since]
    return _bounded(command)


def _bounded(command: Sequence[str]) -> list[bytes]:
    data, until = bytearray(), time.monotonic() + _SECONDS
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env=_ENVIRONMENT,
    ) as child, selectors.DefaultSelector() as selector:  # fmt: skip
        if child.stdout is None:
            return []
        selector.register(child.stdout, selectors.EVENT_READ)
        while len(data) < MAX_BYTES and (left := until - time.monotonic()) > 0:
            if not selector.select(left):
                break
            piece = os.read(child.stdout.fileno(), 65536)
            if not piece:
                break
            data += piece
        child.kill()
    end = data.rfind(b"\n") + 1
    return bytes(data[:end]).splitlines()


def _vacuum(context: ActionContext, inputs: Mapping[str, Any]) -> dict[str, Any]:
    size = inputs["max_size"]
    limit = size if isinstance(size, int) else parse_size(size)
    if not limit:
        raise ActionError("max_size must be a size such as 500 MiB")
    reply = context.order("journal.vacuum", {"bytes": limit})
    freed = reply["freed_bytes"]
    context.say(f"{freed} bytes freed" if reply["journal"] else "this machine keeps no journal")
    return {"freed_bytes": freed}


VACUUM = ActionType(
    name="journal.vacuum",
    description="Delete the oldest archived journals until the rest is no larger than a size.",
    inputs={
        "type": "object",
        "properties": {
            "max_size": {
                "type": ["string", "integer"],
                "pattern": "^[1-9][0-9]{0,11} ?(KiB|MiB|GiB|TiB)$",
                "minimum": 1,
                "x-is": "a size such as 500 MiB",
            }
        },
        "required": ["max_size"],
        "additionalProperties": False,
    },
    outputs={
        "type": "object",
        "properties": {"freed_bytes": {"type": "integer"}},
        "required": ["freed_bytes"],
    },
    example={"uses": "journal.vacuum", "with": {"max_size": "500 MiB"}},
    perform=_vacuum,
    check=lambda context, inputs: "unknown",
    idempotent=True,
    by_hands=True,
)
