"""The files of a content directory: regular files of bounded size, read once, in order of name."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine.core.errors import ContentError, Position, Problem
from engine.lang.yaml import MAX_BYTES

FOLDERS: Final = ("policies", "playbooks", "configs", "schema")
_SUFFIXES: Final = {
    "policies": ".yaml",
    "policies/tests": ".yaml",
    "playbooks": ".yaml",
    "configs": ".yaml",
    "schema/facts": ".schema.json",
}


@dataclass(frozen=True, slots=True)
class ContentFile:
    """One file: its path within the directory, and what stood in it; `owner` is a user id."""

    name: str
    data: bytes
    owner: int

    @property
    def stem(self) -> str:
        """The file's name without folder and suffix."""
        return self.name.rsplit("/", 1)[-1].split(".", 1)[0]


@dataclass(frozen=True, slots=True)
class ContentFiles:
    """All files of a directory that Wakil reads, and those it cannot."""

    root: Path
    files: tuple[ContentFile, ...]
    problems: tuple[Problem, ...]
    owners: frozenset[int]
    """Who may change them: owners of the files and of the folders they lie in."""

    def under(self, folder: str) -> tuple[ContentFile, ...]:
        """The files directly in a folder."""
        return tuple(file for file in self.files if file.name.rpartition("/")[0] == folder)

    def config(self, name: str) -> ContentFile | None:
        """`configs/NAME.yaml`."""
        return next((file for file in self.files if file.name == f"configs/{name}.yaml"), None)


def read_files(root: Path) -> ContentFiles:
    """Reads a content directory. Raises ContentError where it is none.

    Links are not followed: what they point at is not part of the content.
    """
    try:
        entry = root.stat()
    except OSError as error:
        raise ContentError(f"cannot read {root}: {error.strerror}") from None
    if not stat.S_ISDIR(entry.st_mode):
        raise ContentError(f"{root} is not a directory")
    if not any((root / folder).is_dir() for folder in FOLDERS):
        raise ContentError(
            f"{root} holds no content: none of policies/, playbooks/, configs/, schema/; "
            "'wakil init DIR' makes a directory to start from"
        )
    owners = {entry.st_uid}
    files: list[ContentFile] = []
    problems: list[Problem] = []
    for folder, suffix in _SUFFIXES.items():
        path = root / folder
        if _is_linked(root, folder):
            message = "is a symbolic link; content holds regular files only"
            problems.append(Problem(Position(folder), message, "file"))
            continue
        for found in _listed(path, folder, problems):
            name = f"{folder}/{found}"
            if not found.endswith(suffix):
                problems.extend(_misnamed(root, name, suffix))
                continue
            file = _read(root / name, name)
            if isinstance(file, Problem):
                problems.append(file)
            else:
                files.append(file)
                owners.add(file.owner)
        if path.is_dir():
            owners.add(path.stat().st_uid)
    files.sort(key=lambda file: file.name)
    return ContentFiles(root, tuple(files), tuple(problems), frozenset(owners))


def _is_linked(root: Path, folder: str) -> bool:
    parts = folder.split("/")
    return any((root / "/".join(parts[: end + 1])).is_symlink() for end in range(len(parts)))


def _listed(path: Path, folder: str, problems: list[Problem]) -> Iterator[str]:
    try:
        names = sorted(found.name for found in path.iterdir())
    except FileNotFoundError:
        return
    except OSError as error:
        problems.append(Problem(Position(folder), f"cannot be read: {error.strerror}", "file"))
        return
    yield from (name for name in names if not name.startswith("."))


def _misnamed(root: Path, name: str, suffix: str) -> list[Problem]:
    """What looks like content and is not read for its suffix, or for its folder, alone."""
    message = None
    wrong = ".yml" if suffix == ".yaml" else ".json"
    if name.endswith(wrong):
        message = f"is not read: name it {name.removesuffix(wrong)}{suffix}"
    elif name not in _SUFFIXES and any((root / name).glob(f"*{suffix}")):
        message = f"is not read: files of {name.rpartition('/')[0]}/ lie directly in it"
    return [] if message is None else [Problem(Position(name), message, "file", "warning")]


def _read(path: Path, name: str) -> ContentFile | Problem:
    place = Position(name)
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        if error.errno == errno.ELOOP:
            message = "is a symbolic link; content holds regular files only"
            return Problem(place, message, "file")
        return Problem(place, f"cannot be read: {error.strerror}", "file")
    try:
        entry = os.fstat(descriptor)
        if not stat.S_ISREG(entry.st_mode):
            return Problem(place, "is not a regular file", "file")
        with os.fdopen(descriptor, "rb", closefd=False) as stream:
            data = stream.read(MAX_BYTES + 1)
    finally:
        os.close(descriptor)
    if len(data) > MAX_BYTES:
        size = max(entry.st_size, len(data))
        return Problem(place, f"the file has {size:,} bytes; at most 1 MB is read", "too-large")
    return ContentFile(name, data, entry.st_uid)
