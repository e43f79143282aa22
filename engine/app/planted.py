"""What root does not take from others: content, data and settings that they could have planted."""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from engine.core.errors import ContentError, SettingsError

_READ: Final = ("policies", "policies/tests", "playbooks", "configs", "schema", "schema/facts")


def refuse_planted(path: Path, user: str | None = None, *, inside: bool = True) -> None:
    """As root, only what belongs to root (or to `user`), with all folders above it and what is
    `inside` it: others could make root act.

    Raises ContentError naming what it is and its owner.
    """
    if os.geteuid() != 0 or not os.path.lexists(path):
        return
    trusted = {0} if user is None else {0, uid_of(user)}
    for above in reversed(path.parents):
        _refuse(above, above.stat(), {0}, sticky=True)
    _refuse(path, path.lstat(), trusted)
    for inner in _files_in(path) if inside else ():
        _refuse(inner, inner.lstat(), trusted)


def refuse_planted_content(root: Path) -> None:
    """As root, only content all of whose files are root's. Raises ContentError."""
    if os.geteuid() != 0:
        return
    refuse_planted(root, inside=False)
    for folder in _READ:
        if (root / folder).is_dir():
            for inner in (root / folder, *_files_in(root / folder)):
                _refuse(inner, inner.lstat(), {0})


def uid_of(user: str) -> int:
    """A user's number. Raises SettingsError."""
    try:
        return pwd.getpwnam(user).pw_uid
    except KeyError:
        raise SettingsError(f"server.user: there is no user {user!r} on this machine") from None


def _files_in(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from sorted(path.iterdir())


def _refuse(path: Path, found: os.stat_result, trusted: set[int], *, sticky: bool = False) -> None:
    """`sticky`: anyone may add to a folder like /tmp, but not put another in an entry's place."""
    open_to_all = bool(found.st_mode & stat.S_IWOTH) and not stat.S_ISLNK(found.st_mode)
    if sticky and found.st_mode & stat.S_ISVTX:
        open_to_all = False
    if found.st_uid not in trusted or open_to_all:
        whose = "anyone may write to it" if open_to_all else f"it belongs to user {found.st_uid}"
        raise ContentError(
            f"{path}: {whose}, and Wakil runs as root: give it to root, or run Wakil as that user"
        )
