"""Following one file from a remembered position, through rotation and truncation.

A position is the file's device and inode, an offset, and a fingerprint of the file's first bytes:
an inode number is given again, and a file that was emptied may have grown past the offset.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from engine.core.values import Json

FINGERPRINT = 256
PIECE = 256 * 1024
"""Bytes read of one file in one round: also the longest line."""
MAX_BEHIND = 64 * 1024 * 1024

Open = Callable[[str], int]
"""A read-only descriptor of a path; raises what opening it raises."""


@dataclass(slots=True)
class Position:
    """How far a file has been read."""

    device: int
    inode: int
    offset: int
    head: str
    """Hash of the first bytes, and how many they were: `16:ab12…`."""

    def to_json(self) -> dict[str, Json]:
        return {
            "device": self.device,
            "inode": self.inode,
            "offset": self.offset,
            "head": self.head,
        }


def _head(descriptor: int, length: int) -> str:
    data = os.pread(descriptor, length, 0)
    return f"{len(data)}:{hashlib.sha256(data).hexdigest()[:16]}"


class Tail:
    """One followed path. `skipped` counts bytes passed over because there were too many."""

    def __init__(self, path: str, open_file: Open, position: Position | None) -> None:
        self.path = path
        self.position = position
        self.skipped = 0
        self._open = open_file
        self._descriptor: int | None = None

    def close(self) -> None:
        """Lets go of the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def skip_to_end(self) -> None:
        """Begins at the file's present end."""
        self._reopen(at_end=True)

    def read(self) -> Iterator[bytes]:
        """The whole lines that have come since, without their ends; at most `PIECE` bytes."""
        if self._descriptor is None:
            self._resume()
        yield from self._lines()
        if self._moved() and not self._pending():
            yield from self._rest()
            self._reopen()
            yield from self._lines()

    def _resume(self) -> None:
        """After a start: the remembered file may have been rotated to `.1` meanwhile."""
        known = self.position
        self._reopen()
        if known is None or self._is(known):
            self.position = known or self.position
            return
        present, self._descriptor = self._descriptor, None
        fresh = self.position
        try:
            self._descriptor = self._open(f"{self.path}.1")
        except Exception:  # gone, or not ours to read: begin with the present file
            self._descriptor, self.position = present, fresh
            return
        if self._is(known):
            self.position = known
            if present is not None:
                os.close(present)
            return
        os.close(self._descriptor)
        self._descriptor, self.position = present, fresh

    def _is(self, known: Position) -> bool:
        """Whether the open file is the remembered one, and holds what was read of it."""
        if self._descriptor is None:
            return False
        found = os.fstat(self._descriptor)
        length = int(known.head.partition(":")[0])
        return (
            (found.st_dev, found.st_ino) == (known.device, known.inode)
            and found.st_size >= known.offset
            and _head(self._descriptor, length) == known.head
        )

    def _reopen(self, at_end: bool = False) -> None:
        descriptor = self._open(self.path)
        self.close()
        self._descriptor = descriptor
        found = os.fstat(descriptor)
        offset = found.st_size if at_end else 0
        head = _head(descriptor, min(FINGERPRINT, offset))
        self.position = Position(found.st_dev, found.st_ino, offset, head)

    def _moved(self) -> bool:
        """Whether the path names another file by now."""
        if self.position is None:
            return False
        try:
            found = os.stat(self.path, follow_symlinks=False)  # noqa: PTH116 - as an instant's look
        except OSError:
            return False
        return (found.st_dev, found.st_ino) != (self.position.device, self.position.inode)

    def _pending(self) -> bool:
        """Whether the open file still holds lines that have not been read."""
        if self._descriptor is None or self.position is None:
            return False
        left = os.pread(self._descriptor, PIECE, self.position.offset)
        return b"\n" in left or len(left) == PIECE

    def _rest(self) -> Iterator[bytes]:
        """What a file that was rotated away ends with, if not with the end of a line."""
        if self._descriptor is not None and self.position is not None:
            rest = os.pread(self._descriptor, PIECE, self.position.offset)
            if rest:
                yield rest

    def _lines(self) -> Iterator[bytes]:
        descriptor, position = self._descriptor, self.position
        if descriptor is None or position is None:
            return
        size = os.fstat(descriptor).st_size
        if size == position.offset:
            return
        length = int(position.head.partition(":")[0])
        if size < position.offset or _head(descriptor, length) != position.head:
            position.offset, position.head = 0, _head(descriptor, 0)
        if size - position.offset > MAX_BEHIND:
            self.skipped += size - PIECE - position.offset
            position.offset = size - PIECE
        data = os.pread(descriptor, PIECE, position.offset)
        end = data.rfind(b"\n") + 1
        if not end and len(data) == PIECE:  # one line without an end: taken in pieces
            end = len(data)
        position.offset += end
        if length < FINGERPRINT:
            position.head = _head(descriptor, min(FINGERPRINT, position.offset))
        if end:
            yield from data[:end].removesuffix(b"\n").split(b"\n")
