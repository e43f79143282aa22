"""The trash: one folder per prune, its files numbered, a manifest saying where each came from."""

from __future__ import annotations

import contextlib
import errno
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
KEPT = 7 * 86400.0
"""Seconds that a prune can be taken back."""
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
    """Whether `size` bytes of the filesystem `device` may be kept in the trash.

    On another filesystem a twentieth of it (at most 1 GiB) must be left free after that. On the
    same one moving frees nothing: it is done only while a fifth is free anyway, since what is
    short of room must be given room.
    """
    os.makedirs(trash, mode=0o700, exist_ok=True)
    room = os.statvfs(trash)
    total, free = room.f_blocks * room.f_frsize, room.f_bavail * room.f_frsize
    if os.stat(trash).st_dev == device:
        return free >= total // 5
    return free >= size + min(total // 20, 1 << 30)


def expire(trash: str, now: float) -> None:
    """Empties folders that nobody came back for in a week."""
    with os.scandir(trash) as folders:
        for folder in folders:
            old = folder.stat(follow_symlinks=False).st_mtime < now - KEPT
            if old and _NAME.fullmatch(folder.name) and folder.is_dir(follow_symlinks=False):
                shutil.rmtree(folder.path, ignore_errors=True)


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
        """Moves a file in: noted first, on disk, and only then its old name goes.

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
            entry = Entry(
                self._count, folder, name, stat.S_IMODE(found.st_mode),
                found.st_uid, found.st_gid, found.st_mtime_ns,
            )  # fmt: skip
            self._count += 1
            if _same_filesystem(found, os.fstat(self._directory)):
                self._note(entry)
                return self._rename_in(entry, directory, found)
            target = os.open(str(entry.number), _CREATE, 0o600, dir_fd=self._directory)
            with open(target, "wb") as out:
                shutil.copyfileobj(file, out, 1 << 20)
                out.flush()
                os.fsync(target)
        self._note(entry)
        if not _is_still(directory, name, found):
            os.unlink(str(entry.number), dir_fd=self._directory)
            return False
        os.unlink(name, dir_fd=directory)
        return True

    def _note(self, entry: Entry) -> None:
        self._manifest.write(json.dumps(asdict(entry)).encode() + b"\n")
        os.fsync(self._manifest.fileno())

    def _rename_in(self, entry: Entry, directory: int, found: os.stat_result) -> bool:
        """On one filesystem; what somebody put in the file's place meanwhile goes back."""
        number = str(entry.number)
        try:
            os.rename(entry.name, number, src_dir_fd=directory, dst_dir_fd=self._directory)
        except FileNotFoundError:
            return False
        if _is_still(self._directory, number, found):
            return True
        with contextlib.suppress(OSError):
            os.link(
                number, entry.name,
                src_dir_fd=self._directory, dst_dir_fd=directory, follow_symlinks=False,
            )  # fmt: skip
            os.unlink(number, dir_fd=self._directory)
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
        number = str(entry.number)
        try:
            os.link(
                number, entry.name,
                src_dir_fd=self._directory, dst_dir_fd=directory, follow_symlinks=False,
            )  # fmt: skip
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno not in (errno.EXDEV, errno.EPERM, errno.EMLINK):
                raise
            if not self._copy_out(entry, directory):
                return False
        os.unlink(number, dir_fd=self._directory)
        return True

    def _copy_out(self, entry: Entry, directory: int) -> bool:
        """To another filesystem, or one without hard links."""
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
        return True

    def remove(self) -> None:
        """Takes the emptied folder away."""
        shutil.rmtree(self.path)


def _same_filesystem(one: os.stat_result, other: os.stat_result) -> bool:
    return one.st_dev == other.st_dev


def _is_still(directory: int, name: str, found: os.stat_result) -> bool:
    """Whether that name stands for the very file that was looked at, unchanged."""
    try:
        now = os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return False
    fields = ("st_dev", "st_ino", "st_size", "st_mtime_ns", "st_nlink", "st_mode")
    return all(getattr(now, field) == getattr(found, field) for field in fields)
