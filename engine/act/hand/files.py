"""Files: pruning old ones to a trash or for good, truncating one, opening a log to read.

Everything is opened beneath an allowed root without following a link; what is removed is a name
in a directory held open, so that renaming directories meanwhile leads nowhere else.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from engine.act.hand.charter import Charter
from engine.act.hand.paths import check_regular, open_beneath, open_directory, open_regular
from engine.act.hand.protocol import Failure, Refusal, Request, text_argument, whole_argument
from engine.act.hand.trash import Trash, expire, has_room

MAX_DEPTH = 32
MAX_FILES = 10_000
MAX_SEEN = 1_000_000


@dataclass(frozen=True, slots=True)
class Order:
    """Which files a prune is about."""

    path: str
    pattern: str
    before: float
    """Unix seconds: files last changed before go."""
    until: float


@dataclass(frozen=True, slots=True)
class Found:
    """A file to be pruned: its directory held open (valid until the next one is asked for)."""

    directory: int
    folder: str
    """The directory's absolute path as it was walked."""
    name: str
    size: int


def _order(request: Request) -> Order:
    args = request.args
    pattern = text_argument(args, "pattern", 255)
    if "/" in pattern:
        raise Refusal("pattern is of a file's name and has no '/'")
    seconds = whole_argument(args, "older_than", 0, 1 << 40)
    path = text_argument(args, "path")
    return Order(path, pattern, time.time() - seconds, request.deadline / 1e6)


def plan_prune(charter: Charter, request: Request) -> dict[str, Any]:
    """`files.plan {path, pattern, older_than}`: what a prune would do; changes nothing."""
    order = _order(request)
    count = total = 0
    for found in _old_files(charter, order):
        count, total = count + 1, total + found.size
    return {"count": count, "bytes": total, "trash": _trashable(charter, order, total)}


def prune(charter: Charter, request: Request) -> dict[str, Any]:
    """`files.prune {path, pattern, older_than, delete}` (older_than in seconds).

    Takes regular files with one name, whose name fits the shell pattern, in the folder and all
    folders beneath it on the same filesystem. They move to the trash where that has room
    (`has_room`); else, and only where `delete` is true, they are deleted.
    """
    order = _order(request)
    total = sum(found.size for found in _old_files(charter, order))
    if not _trashable(charter, order, total):
        if request.args.get("delete") is not True:
            raise Refusal("the trash has no room for them, and deleting was not asked for")
        return _delete(charter, order)
    expire(charter.trash, time.time())
    with Trash.create(charter.trash, request.key) as trash:
        count = freed = 0
        for found in _old_files(charter, order):
            if trash.take(found.directory, found.folder, found.name):
                count, freed = count + 1, freed + found.size
    return _pruned(count, freed, trash.path, order)


def _delete(charter: Charter, order: Order) -> dict[str, Any]:
    count = freed = 0
    for found in _old_files(charter, order):
        try:
            os.unlink(found.name, dir_fd=found.directory)
        except FileNotFoundError:
            continue
        count, freed = count + 1, freed + found.size
    return _pruned(count, freed, None, order)


def _pruned(count: int, freed: int, trash: str | None, order: Order) -> dict[str, Any]:
    more = count >= MAX_FILES or time.time() >= order.until - 1
    reply = {"freed_bytes": freed, "count": count, "trash": trash, "more": more}
    return {"changed": count > 0, **reply}


def _trashable(charter: Charter, order: Order, size: int) -> bool:
    root, rest = charter.root_of(order.path)
    directory = open_directory(root, rest)
    try:
        return has_room(charter.trash, os.fstat(directory).st_dev, size)
    finally:
        os.close(directory)


def _old_files(charter: Charter, order: Order) -> Iterator[Found]:
    """Walks down from the path; bounded in depth, in number and by the deadline."""
    root, rest = charter.root_of(order.path)
    spared = [  # Wakil's own data
        os.stat(os.path.dirname(path)) for path in (charter.state, charter.pause)
    ]
    top = open_directory(root, rest)
    waiting: list[tuple[int, str, int]] = [(top, os.path.normpath(order.path), 0)]
    taken = seen = 0
    try:
        while waiting:
            directory, folder, depth = waiting.pop()
            try:
                for name in sorted(os.listdir(directory)):
                    seen += 1
                    if taken >= MAX_FILES or seen > MAX_SEEN or time.time() >= order.until - 1:
                        return
                    found = os.stat(name, dir_fd=directory, follow_symlinks=False)
                    if stat.S_ISDIR(found.st_mode):
                        own = any(os.path.samestat(found, each) for each in spared)
                        inner = None if own else _descend(directory, name, depth)
                        if inner is not None:
                            waiting.append((inner, f"{folder}/{name}", depth + 1))
                    elif _is_old(found, name, order):
                        taken += 1
                        yield Found(directory, folder, name, _size(found))
            except FileNotFoundError:
                continue
            finally:
                os.close(directory)
    finally:
        for directory, _, _ in waiting:
            os.close(directory)


def _descend(directory: int, name: str, depth: int) -> int | None:
    if depth >= MAX_DEPTH:
        return None
    try:
        return open_beneath(directory, name, os.O_RDONLY | os.O_DIRECTORY, one_filesystem=True)
    except (OSError, Refusal):  # gone, a link by now, another filesystem, not ours to read
        return None


def _is_old(found: os.stat_result, name: str, order: Order) -> bool:
    return (
        stat.S_ISREG(found.st_mode)
        and found.st_nlink == 1
        and found.st_mtime < order.before
        and fnmatchcase(name, order.pattern)
    )


def _size(found: os.stat_result) -> int:
    """What removing it frees: a sparse file holds less than its length."""
    held = found.st_blocks * 512
    return min(found.st_size, held) if held else found.st_size


def truncate(charter: Charter, request: Request) -> dict[str, Any]:
    """`files.truncate {path}`: one regular file becomes empty and keeps its name."""
    path = text_argument(request.args, "path")
    root, rest = charter.root_of(path)
    descriptor = open_regular(root, rest, os.O_WRONLY)
    try:
        found = os.fstat(descriptor)
        check_regular(found, path)
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)
    return {"changed": found.st_size > 0, "freed_bytes": _size(found)}


def restore(charter: Charter, request: Request) -> dict[str, Any]:
    """`files.restore {from}`: moves a prune's files back; what has come in their place stays."""
    trash = Trash.find(charter.trash, text_argument(request.args, "from"))
    count = kept = 0
    with trash:
        for entry in trash.entries():
            root, rest = charter.root_of(entry.folder)
            try:
                directory = open_directory(root, rest)
            except FileNotFoundError:
                kept += 1
                continue
            try:
                restored = trash.give_back(entry, directory)
            finally:
                os.close(directory)
            count, kept = count + restored, kept + (not restored)
            if time.time() >= request.deadline / 1e6:
                raise Failure(
                    f"restored {count} files until the deadline; the rest is in {trash.path}"
                )
    if not kept:
        trash.remove()
    return {"changed": count > 0, "count": count, "kept": kept}


def open_log(charter: Charter, request: Request) -> int:
    """`log.open {root, path}`: a read-only descriptor of a regular file."""
    root = text_argument(request.args, "root")
    path = text_argument(request.args, "path")
    whole = f"{root.rstrip('/')}/{path}"
    if not root.startswith("/") or ".." in whole.split("/"):
        raise Refusal(f"{whole!r} must be an absolute path without '..'")
    charter.check_log(os.path.normpath(whole))
    return open_regular(root, path, os.O_RDONLY)
