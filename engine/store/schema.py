"""Brings a database to this program's schema: first tables, later migrations, never backwards."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError

from engine.core.errors import StoreError
from engine.store.database import Database

HEAD: Final = "0001"
"""The newest revision this program knows; known without importing Alembic, for a quick start."""
KNOWN: Final = ("0001",)


def migrate(database: Database) -> None:
    """Upgrades to `HEAD`. An SQLite file with content is copied first (`…-before-0002`).

    Raises `StoreError` for a schema newer than this program, and for a database that cannot be
    reached.
    """
    try:
        current = _revision(database)
        if current == HEAD:
            return
        if current is not None and current not in KNOWN:
            raise StoreError(
                f"the database has schema {current}, made by a newer Wakil; this one knows "
                f"schemas up to {HEAD}: install the newer Wakil, or restore the copy that was "
                "made before the upgrade"
            )
        if current is not None and database.path is not None:
            _copy(database.path, f"-before-{HEAD}")
        _upgrade(database)
    except DBAPIError as error:
        reason = str(error.orig).strip().splitlines() or ["no reason given"]
        raise StoreError(f"the database cannot be used: {reason[0]}") from None


def _revision(database: Database) -> str | None:
    with database.read() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _copy(path: Path, suffix: str) -> Path:
    """A consistent copy beside the database, through SQLite's own backup, for its owner only."""
    copy = path.with_name(path.name + suffix)
    copy.unlink(missing_ok=True)
    os.close(os.open(copy, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    return copy


def _upgrade(database: Database) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option(
        "script_location", str(Path(__file__).parent / "migrations").replace("%", "%%")
    )
    with database.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
