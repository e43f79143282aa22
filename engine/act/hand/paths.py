"""Opening what lies beneath a root, links never followed, whoever renames what meanwhile.

openat2(2) with RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS and RESOLVE_NO_MAGICLINKS, by system call
number because neither Python 3.11 nor older C libraries wrap it. A kernel before 5.6 has no
openat2: there the hands refuse, for no sequence of checks without it withstands a race.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat

from engine.act.hand.protocol import Refusal

_OPENAT2 = 437
_NO_XDEV, _NO_MAGICLINKS, _NO_SYMLINKS, _BENEATH = 0x01, 0x02, 0x04, 0x08
_TRIES = 1000
"""The kernel says EAGAIN where somebody renames while it looks; not for ever."""
_libc = ctypes.CDLL(None, use_errno=True)


class _How(ctypes.Structure):
    _fields_ = [
        ("flags", ctypes.c_uint64),
        ("mode", ctypes.c_uint64),
        ("resolve", ctypes.c_uint64),
    ]


def open_beneath(
    directory: int, path: str, flags: int, *, mode: int = 0, one_filesystem: bool = False
) -> int:
    """A descriptor of `path` beneath the directory descriptor, no link anywhere on the way.

    Raises `Refusal` where a link or `..` stands in the way, OSError as open(2) does.
    """
    resolve = _BENEATH | _NO_SYMLINKS | _NO_MAGICLINKS | (_NO_XDEV if one_filesystem else 0)
    how = _How(flags | os.O_CLOEXEC, mode, resolve)
    name = _name(path)
    for _ in range(_TRIES):
        found = _libc.syscall(_OPENAT2, directory, name, ctypes.byref(how), ctypes.sizeof(how))
        if found >= 0:
            return int(found)
        number = ctypes.get_errno()
        if number in (errno.EINTR, errno.EAGAIN):
            continue
        if number == errno.ELOOP:
            raise Refusal(f"{path} leads through a symbolic link")
        if number == errno.ENOSYS:
            raise Refusal("this kernel lacks openat2 (Linux 5.6): files cannot be handled safely")
        if number == errno.EXDEV and not one_filesystem:
            raise Refusal(f"{path} leads out of its root")
        raise OSError(number, os.strerror(number), path)
    raise OSError(errno.EAGAIN, "renamed too often to be opened", path)


def _name(path: str) -> bytes:
    """The path as the kernel takes it; raises `Refusal` where no file can have that name."""
    try:
        name = os.fsencode(path)
    except UnicodeEncodeError:
        raise Refusal(f"{path!r} is not a path") from None
    if b"\0" in name:  # the kernel would read up to it and open something else
        raise Refusal(f"{path!r} is not a path")
    return name


def open_root(root: str) -> int:
    """A descriptor of an allowed root itself, which may not be reached through links either."""
    slash = os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        return open_beneath(slash, root.strip("/") or ".", os.O_PATH | os.O_DIRECTORY)
    finally:
        os.close(slash)


def open_directory(root: str, rest: str) -> int:
    """A readable descriptor of a directory beneath `root`; raises `Refusal`, OSError."""
    top = open_root(root)
    try:
        return open_beneath(top, rest, os.O_RDONLY | os.O_DIRECTORY)
    finally:
        os.close(top)


def open_regular(root: str, rest: str, flags: int) -> int:
    """A descriptor of a regular file with one link beneath `root`; never blocks on a pipe.

    Raises `Refusal` where it is anything else, OSError as open(2) does.
    """
    top = open_root(root)
    try:
        descriptor = open_beneath(top, rest, flags | os.O_NONBLOCK | os.O_NOCTTY)
    finally:
        os.close(top)
    try:
        check_regular(os.fstat(descriptor), rest)
    except Refusal:
        os.close(descriptor)
        raise
    return descriptor


def check_regular(found: os.stat_result, name: str) -> None:
    """Raises `Refusal` unless it is a regular file with exactly one name."""
    if not stat.S_ISREG(found.st_mode):
        raise Refusal(f"{name} is not a regular file")
    if found.st_nlink != 1:
        raise Refusal(f"{name} has {found.st_nlink} hard links")
