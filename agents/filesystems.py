"""Which mounts are filesystems that can fill up, and how full they are."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_DISKS = frozenset(
    {"bcachefs", "btrfs", "exfat", "ext2", "ext3", "ext4", "f2fs", "fuseblk", "jfs", "msdos"}
    | {"ntfs", "ntfs3", "ramfs", "reiserfs", "tmpfs", "ubifs", "ufs", "vfat", "xfs", "zfs"}
)
"""Local ones that hold what people write. Those of the network are left out: looking at one
whose server is gone never returns. Images (squashfs, iso9660) are always full."""
_SYSTEM = ("/run", "/dev", "/sys", "/proc")
_ESCAPES = {"\\040": " ", "\\011": "\t", "\\012": "\n", "\\134": "\\"}


def filesystems() -> Iterator[dict[str, Any]]:
    """The facts of kind `disk`: each filesystem once, under its shortest mount point."""
    seen: set[int] = set()
    for mount, device, fstype in sorted(_mounts()):
        try:
            found = os.stat(mount)  # noqa: PTH116 - beside statvfs, which pathlib lacks
            room = os.statvfs(mount)
        except OSError:
            continue
        if found.st_dev in seen or not room.f_blocks or not Path(mount).is_dir():
            continue
        seen.add(found.st_dev)
        yield _disk(mount, device, fstype, room)


def _mounts() -> Iterator[tuple[str, str, str]]:
    """Mount point, device and type from /proc/self/mounts (fstab(5)); the last on a point wins."""
    found = {}
    for line in Path("/proc/self/mounts").read_text("utf-8", "surrogateescape").splitlines():
        device, mount, fstype, *_ = line.split(" ")
        for escape, character in _ESCAPES.items():
            mount = mount.replace(escape, character)
        found[mount] = (device, fstype)
    for mount, (device, fstype) in found.items():
        inside = any(mount == top or mount.startswith(f"{top}/") for top in _SYSTEM)
        wanted = fstype in _DISKS or (mount == "/" and fstype in ("overlay", "aufs"))
        if wanted and not (inside and fstype in ("tmpfs", "ramfs")):
            yield mount.encode("utf-8", "replace").decode(), device, fstype


def _disk(mount: str, device: str, fstype: str, room: os.statvfs_result) -> dict[str, Any]:
    """As df(1) counts: of what an ordinary user could ever have, how much is used."""
    used = room.f_blocks - room.f_bfree
    usable = used + room.f_bavail
    disk = {
        "mount": mount,
        "device": device,
        "fstype": fstype,
        "used_percent": round(100 * used / usable, 2) if usable else 100.0,
        "free_bytes": room.f_bavail * room.f_frsize,
        "total_bytes": room.f_blocks * room.f_frsize,
        "read_only": bool(room.f_flag & os.ST_RDONLY),
    }
    if room.f_files:
        used_inodes = room.f_files - room.f_ffree
        disk["inodes_used_percent"] = round(100 * used_inodes / room.f_files, 2)
    return disk
