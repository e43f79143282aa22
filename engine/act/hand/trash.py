"""The trash: one folder per prune, its files numbered, a manifest saying where each came from."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
import shutil
import stat
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from types import TracebackType

from engine.act.hand.protocol import Refusal

_NAME = re.compile(r"[0-9a-f]{24}")
_MANIFEST = "manifest"
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Entry:
    """One file in the trash: its number there, and what it was."""

    number: int
    folder: str
    name: str
    mode: int
    uid: int
    gid: int
    mtime_ns: int


def has_room(trash: str, device: int, size: int) -> bool:
    """Whether the trash is on another filesystem than `device` with room for `size` bytes, a
    twentieth of it (at most 1 GiB) left free after that."""
    os.makedirs(trash, mode=0o700, exist_ok=True)
    if os.stat(trash).st_dev == device:
        return False
    room = os.statvfs(trash)
    spare = min(room.f_blocks * room.f_frsize // 20, 1 << 30)
    return room.f_bavail * room.f_frsize >= size + spare


class Trash:
    """One prune's folder, held open; a context manager."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        file = os.open(_MANIFEST, flags, 0o600, dir_fd=self._directory)
        self._manifest = io.FileIO(file, "r+")
        self._count = 0

    @classmethod
    def create(cls, root: str, key: str) -> Trash:
        """A new folder, named by the order that fills it."""
        path = os.path.join(root, hashlib.sha256(key.encode()).hexdigest()[:24])
        os.mkdir(path, 0o700)
        return cls(path)

    @classmethod
    def find(cls, root: str, given: str) -> Trash:
        """The folder that a prune reported; raises `Refusal` for any other path."""
        head, name = os.path.split(given)
        if (head and head != root.rstrip("/")) or not _NAME.fullmatch(name):
            raise Refusal(f"{given} is not a folder of the trash in {root}")
        try:
            return cls(os.path.join(root, name))
        except FileNotFoundError:
            raise Refusal(f"{given} is not in the trash any more") from None

    def __enter__(self) -> Trash:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._manifest.close()
        os.close(self._directory)

    def take(self, directory: int, folder: str, name: str) -> bool:
        """Moves a file in: copied, on disk, noted, and only then its old name goes.

        False where it is not any more what it was a moment ago; it stays where it is.
        """
        try:
            source = os.open(name, _READ, dir_fd=directory)
        except OSError:
            return False
        with open(source, "rb") as file:
            found = os.fstat(source)
            if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
                return False
            number = self._count
            self._count += 1
            target = os.open(str(number), _CREATE, 0o600, dir_fd=self._directory)
            with open(target, "wb") as out:
                shutil.copyfileobj(file, out, 1 << 20)
                out.flush()
                os.fsync(target)
        entry = Entry(
            number, folder, name, stat.S_IMODE(found.st_mode),
            found.st_uid, found.st_gid, found.st_mtime_ns,
        )  # fmt: skip
        self._manifest.write(json.dumps(asdict(entry)).encode() + b"\n")
        os.fsync(self._manifest.fileno())
        with contextlib.suppress(FileNotFoundError):
            now = os.stat(name, dir_fd=directory, follow_symlinks=False)
            if (now.st_dev, now.st_ino, now.st_size, now.st_mtime_ns) == (
                found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns,
            ):  # fmt: skip
                os.unlink(name, dir_fd=directory)
                return True
        return False

    def entries(self) -> Iterator[Entry]:
        """What the manifest lists, as far as it is still here."""
        self._manifest.seek(0)
        for line in self._manifest.read().splitlines():
            entry = Entry(**json.loads(line))
            with contextlib.suppress(FileNotFoundError):
                os.stat(str(entry.number), dir_fd=self._directory, follow_symlinks=False)
                yield entry

    def give_back(self, entry: Entry, directory: int) -> bool:
        """Moves a file back beneath its old name; False where that name is taken."""
        try:
            target = os.open(entry.name, _CREATE, 0o600, dir_fd=directory)
        except FileExistsError:
            return False
        source = os.open(str(entry.number), _READ, dir_fd=self._directory)
        with open(source, "rb") as file, open(target, "wb") as out:
            shutil.copyfileobj(file, out, 1 << 20)
            out.flush()
            if os.geteuid() == 0:
                os.fchown(target, entry.uid, entry.gid)
            os.fchmod(target, entry.mode)
            os.utime(target, ns=(entry.mtime_ns, entry.mtime_ns))
            os.fsync(target)
        os.unlink(str(entry.number), dir_fd=self._directory)
        return True

    def remove(self) -> None:
        """Takes the emptied folder away."""
        shutil.rmtree(self.path)
