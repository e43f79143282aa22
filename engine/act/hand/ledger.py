"""The ledger of acts: what was begun, and what came of it, on disk before and after.

One JSON line each, `{"k": key, "d": digest}` before the act and `{"k": key, "r": reply}` after
it, both fsynced. An order seen before is answered from here; one begun and never finished is
unknown for ever and is not repeated.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
from dataclasses import dataclass
from typing import Any

from engine.act.hand.protocol import Refusal, Request, Unknown

MAX_BYTES = 64 * 1024 * 1024


@dataclass(slots=True)
class _Entry:
    digest: str
    offset: int = -1
    """Where the line with its reply begins; -1 while there is none."""


def digest(request: Request) -> str:
    """What the key stands for: an attempt is of one act only."""
    said = json.dumps([request.verb, request.args], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:32]


class Ledger:
    """Durable record of acts. One process at a time holds it (a lock on the file)."""

    def __init__(self, path: str, max_bytes: int = MAX_BYTES) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._entries: dict[str, _Entry] = {}
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        self._file = os.open(path, flags, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._file)
            raise Refusal(f"{path} is held by other hands") from None
        self._size = 0
        self._load()
        self._sync_directory()

    def close(self) -> None:
        """Gives the file up."""
        os.close(self._file)

    def recall(self, request: Request) -> dict[str, Any] | None:
        """The recorded reply of this very order, None where it is new.

        Raises `Unknown` where it was begun and not finished, `Refusal` where the same attempt
        was another act.
        """
        entry = self._entries.get(request.key)
        if entry is None:
            return None
        if entry.digest != digest(request):
            raise Refusal("this attempt of the step was a different act already")
        if entry.offset < 0:
            raise Unknown("this act was begun and never finished; its effect is not known")
        return dict(self._line_at(entry.offset)["r"])

    def begin(self, request: Request) -> None:
        """On disk before anything is done; raises `Refusal` where it cannot be."""
        found = digest(request)
        try:
            self._append({"k": request.key, "d": found})
        except OSError as error:
            raise Refusal(f"nothing is done unrecorded: {self._path}: {error.strerror}") from None
        self._entries[request.key] = _Entry(found)

    def finish(self, request: Request, reply: dict[str, Any]) -> None:
        """What came of it, on disk before the server hears of it. Raises OSError; the act then
        counts as begun and never finished."""
        offset = self._append({"k": request.key, "r": reply})
        self._entries[request.key].offset = offset
        if self._size > self._max_bytes:
            self._compact()

    def _append(self, record: dict[str, Any]) -> int:
        line = json.dumps(record).encode() + b"\n"
        offset = self._size
        left = memoryview(line)
        try:
            while left:
                left = left[os.write(self._file, left) :]
            os.fsync(self._file)
        except OSError:
            os.ftruncate(self._file, offset)  # half a line would spoil the next one
            raise
        self._size += len(line)
        return offset

    def _load(self) -> None:
        """Reads what is there; a last line torn by a crash is cut off."""
        size = os.fstat(self._file).st_size
        with open(os.dup(self._file), "rb") as lines:
            lines.seek(0)
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                with contextlib.suppress(ValueError, KeyError, TypeError):
                    self._take(json.loads(line))
                self._size += len(line)
        if self._size < size:
            os.ftruncate(self._file, self._size)

    def _take(self, record: dict[str, Any]) -> None:
        if "d" in record:
            self._entries[record["k"]] = _Entry(record["d"])
        else:
            self._entries[record["k"]].offset = self._size

    def _line_at(self, offset: int) -> dict[str, Any]:
        with open(os.dup(self._file), "rb") as lines:
            lines.seek(offset)
            return dict(json.loads(lines.readline()))

    def _compact(self) -> None:
        """Keeps the youngest half; whatever is older than that no run comes back for."""
        kept: list[bytes] = []
        room = self._max_bytes // 2
        for key, entry in reversed(self._entries.items()):
            lines = [json.dumps({"k": key, "d": entry.digest}).encode()]
            if entry.offset >= 0:
                lines.append(json.dumps(self._line_at(entry.offset)).encode())
            room -= sum(map(len, lines))
            if room < 0:
                break
            kept.append(b"\n".join(lines) + b"\n")
        fresh = f"{self._path}.new"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(fresh)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        file = os.open(fresh, flags, 0o600)
        fcntl.flock(file, fcntl.LOCK_EX)
        with open(os.dup(file), "wb") as out:
            out.writelines(reversed(kept))
        os.fsync(file)
        os.replace(fresh, self._path)
        self._sync_directory()
        os.close(self._file)
        self._file, self._size, self._entries = file, 0, {}
        self._load()

    def _sync_directory(self) -> None:
        directory = os.open(os.path.dirname(self._path), os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
