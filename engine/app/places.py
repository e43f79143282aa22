"""Where things are: content, data, the machine's settings; and who may hold them."""

from __future__ import annotations

import fcntl
import json
import os
import stat
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import policies
from engine.app.planted import refuse_planted, uid_of
from engine.core.errors import ContentError, SettingsError, WakilError
from engine.core.values import SECOND

SHIPPED = Path(policies.__file__).resolve().parent.parent
"""The directory that holds the shipped `policies/ playbooks/ configs/ schema/`."""
MACHINE_SETTINGS = Path("/etc/wakil/wakil.yaml")


class DataLocked(WakilError):
    """Another Wakil holds the data directory."""

    code = "data-locked"


def content_directory(given: str | None, environment: Mapping[str, str], cwd: Path) -> Path:
    """`--content`, `WAKIL_CONTENT`, else where we stand if it holds `policies/`, else the shipped.

    Raises ContentError where what was named is not a directory of content.
    """
    named = given or environment.get("WAKIL_CONTENT")
    if named:
        path = (cwd / named).resolve()
        if not path.is_dir():
            raise ContentError(f"{path} is not a directory; 'wakil init {named}' makes one")
        return path
    return cwd.resolve() if (cwd / "policies").is_dir() else SHIPPED


def data_directory(given: str | None, environment: Mapping[str, str], content: Path) -> Path:
    """`--data`, `WAKIL_DATA`, else `var/` in the content directory; with the shipped content of an
    installed Wakil the system's state directory (as root) or the user's."""
    named = given or environment.get("WAKIL_DATA")
    if named:
        return Path(named).expanduser().resolve()
    if content != SHIPPED or (SHIPPED / "setup.cfg").exists():
        return content / "var"
    if os.geteuid() == 0:
        return Path("/var/lib/wakil")
    state = environment.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(state) / "wakil"


def machine_settings_file(given: str | None, environment: Mapping[str, str]) -> Path | None:
    """`--config`, `WAKIL_CONFIG`, else /etc/wakil/wakil.yaml where it exists."""
    named = given or environment.get("WAKIL_CONFIG")
    if named:
        path = Path(named).resolve()
        if not path.is_file():
            raise SettingsError(f"the settings file {path} does not exist")
        return path
    return MACHINE_SETTINGS if MACHINE_SETTINGS.is_file() else None


def make_private_directory(path: Path) -> None:
    """Makes the data directory, for its owner alone."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"cannot make the data directory {path}: {error.strerror}; choose one with --data"
        ) from None
    if not os.access(path, os.W_OK | os.X_OK):
        raise SettingsError(f"cannot write to the data directory {path}; choose one with --data")


def hand_over(data: Path, user: str) -> Path:
    """Gives the data directory to the user the server becomes; returns the hands' own directory
    beside it, which stays root's: in `data` that user could put anything in its place.

    Only files with one name change hands: a second name, put there by a server of before, may be
    of any file of the machine.
    """
    uid = uid_of(user)
    own = data.with_name(f"{data.name}-hands")
    refuse_planted(data.parent, inside=False)
    if own.is_symlink():
        raise ContentError(f"{own} is a link: the hands keep their own things there; remove it")
    own.mkdir(mode=0o700, exist_ok=True)
    refuse_planted(own)
    directory = os.open(data, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        for name in os.listdir(directory):  # noqa: PTH208 - of what is held open
            _give_file(directory, name, uid)
        os.fchown(directory, uid, -1)
    finally:
        os.close(directory)
    return own


def _give_file(directory: int, name: str, uid: int) -> None:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    try:
        descriptor = os.open(name, flags, dir_fd=directory)
    except OSError:  # a link, a socket: nothing that the server needs
        return
    try:
        found = os.fstat(descriptor)
        if stat.S_ISREG(found.st_mode) and found.st_nlink == 1:
            os.fchown(descriptor, uid, -1)
    finally:
        os.close(descriptor)


class DataLock:
    """The lock on a data directory: one Wakil at a time. Freed by the kernel when we die."""

    def __init__(self, data: Path) -> None:
        self._path = data / "lock"
        self._descriptor: int | None = None

    def take(self, patience: int = 0) -> None:
        """Waits up to `patience` microseconds for one that is ending; raises DataLocked."""
        deadline = time.monotonic() + patience / SECOND
        while True:
            try:
                self._take()
            except DataLocked:
                if time.monotonic() >= deadline:
                    raise
                time.sleep(0.1)
            else:
                return

    def _take(self) -> None:
        descriptor = os.open(
            self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600
        )
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
            os.close(descriptor)
            raise SettingsError(f"{self._path} is not a plain file of its own: remove it")
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 32).decode("ascii", "replace").strip()
            os.close(descriptor)
            raise DataLocked(
                f"another Wakil (process {holder or 'unknown'}) uses {self._path.parent}; "
                "stop it or choose another directory with --data"
            ) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        self._descriptor = descriptor

    def free(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


@dataclass(frozen=True, slots=True)
class ServerFile:
    """`server.json`: how commands on this machine find the running server."""

    url: str
    pid: int
    token: str
    own: bool = True
    """Whether root or we wrote it: else a token of ours is not for whoever did."""

    @staticmethod
    def path(data: Path) -> Path:
        return data / "server.json"

    def write(self, data: Path) -> None:
        """Replaces the file, for its owner alone; never through a link."""
        target = self.path(data)
        draft = target.with_suffix(f".{os.getpid()}")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        descriptor = os.open(draft, flags, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump({"url": self.url, "pid": self.pid, "token": self.token}, file)
        draft.replace(target)

    @classmethod
    def read(cls, data: Path) -> ServerFile | None:
        """None where no server left one, or the one that did is gone."""
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            with os.fdopen(os.open(cls.path(data), flags), encoding="utf-8") as file:
                own = os.fstat(file.fileno()).st_uid in (0, os.geteuid())
                body = json.loads(file.read(65_536))
            found = cls(str(body["url"]), int(body["pid"]), str(body["token"]), own)
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return found if _alive(found.pid) else None

    @classmethod
    def remove(cls, data: Path) -> None:
        cls.path(data).unlink(missing_ok=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
