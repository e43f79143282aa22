"""A real PostgreSQL for tests: one server a test process, started when first asked for."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

BINARIES = Path("/usr/lib/postgresql")


def _newest_binaries() -> Path:
    found = sorted(BINARIES.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not found:
        raise RuntimeError(f"no PostgreSQL beneath {BINARIES}: install the package postgresql")
    return found[-1].parent


def _ordinary_user() -> dict[str, Any]:
    """PostgreSQL refuses to run as root: whom to run it as, for subprocess."""
    if os.geteuid() != 0:
        return {}
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = names.get("postgres") or names["nobody"]
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


class Server:
    """A running server; `new_database()` gives the URL of an empty database."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._numbers = itertools.count(1)
        binaries, who = _newest_binaries(), _ordinary_user()
        if who:
            os.chown(directory, who["user"], who["group"])
        data = directory / "data"
        initdb = [binaries / "initdb", "-D", data, "-U", "wakil", "-A", "trust", "-E", "UTF8"]
        subprocess.run(
            [*initdb, "--locale=C", "--no-sync"],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=directory,
            **who,
        )
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(directory),
            "fsync": "off",
            "shared_buffers": "16MB",
            "max_connections": "60",
        }
        options = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
        self._pg_ctl = [binaries / "pg_ctl", "-D", data, "-s", "-w"]
        self._who = who
        log = directory / "log"
        subprocess.run(
            [*self._pg_ctl, "-l", log, "-o", options, "start"], check=True, cwd=directory, **who
        )
        self._pid = int((data / "postmaster.pid").read_text().splitlines()[0])

    def new_database(self) -> str:
        name = f"test{next(self._numbers)}"
        url = f"postgresql://wakil@/postgres?host={self.directory}"
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
        return f"postgresql://wakil@/{name}?host={self.directory}"

    def stop(self) -> None:
        os.kill(self._pid, signal.SIGQUIT)
        subprocess.run(
            [*self._pg_ctl, "-m", "immediate", "stop"],
            check=False,
            cwd=self.directory,
            stderr=subprocess.DEVNULL,
            **self._who,
        )


@pytest.fixture(scope="session")
def postgres() -> Iterator[Callable[[], str]]:
    """Gives the URL of a new, empty PostgreSQL database at each call."""
    # A short path: a Unix socket's may have 107 bytes.
    directory = Path(tempfile.mkdtemp(prefix="wakil-pg-"))
    try:
        server = Server(directory)
        try:
            yield server.new_database
        finally:
            server.stop()
    finally:
        shutil.rmtree(directory, ignore_errors=True)
