"""What of the audit chain lies outside the database: its key, and its newest entry's seal."""

from __future__ import annotations

import json
import os
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path

from engine.core.errors import StoreError


@dataclass(frozen=True, slots=True)
class Head:
    """The place and MAC of the newest entry; place 0 before the first."""

    id: int
    mac: str


def read_head(path: Path) -> Head | None:
    """The head as last written; None where it is missing or damaged."""
    try:
        shown = json.loads(path.read_text())
        return Head(int(shown["id"]), str(shown["mac"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_head(path: Path, head: Head) -> None:
    """Replaces the head in one step; on disk when this returns."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".audit.head")
    with os.fdopen(descriptor, "w") as file:
        json.dump({"id": head.id, "mac": head.mac}, file)
        file.flush()
        os.fsync(descriptor)
    Path(name).replace(path)


def load_key(path: Path, head: Path) -> bytes:
    """Reads the key, or makes it with a first head, for its owner only and never through a link.

    Raises `StoreError`.
    """
    try:
        if not path.exists():
            _make_key(path)
            write_head(head, Head(0, "0" * 64))
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            key = file.read(256).strip()
    except OSError as error:
        raise StoreError(f"the audit key {path} cannot be used: {error.strerror}") from None
    if len(key) < 32:
        raise StoreError(f"the audit key {path} is damaged; restore it from its backup")
    return key


def _make_key(path: Path) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(32))
        file.flush()
        os.fsync(descriptor)
