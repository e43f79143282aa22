"""The engine's whole state, kept so that a restart goes on where the journal stood."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass

from sqlalchemy import delete, select

from engine.core.errors import StoreError
from engine.core.values import Json
from engine.store.database import Database
from engine.store.tables import snapshots as table
from engine.store.types import dump_json


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`position`: the place in the journal of the last fact that `state` has seen."""

    version: int
    position: int
    at: int
    state: Json


class Snapshots:
    """One snapshot a name, replaced whole in one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, name: str, snapshot: Snapshot) -> None:
        body = zlib.compress(dump_json(snapshot.state).encode(), 3)
        row = {
            "name": name,
            "version": snapshot.version,
            "position": snapshot.position,
            "at": snapshot.at,
            "body": body,
        }
        with self._database.write() as connection:
            self._database.upsert(connection, table, row, ["name"])

    def load(self, name: str) -> Snapshot | None:
        """None where there is none. Raises `StoreError` for a damaged one."""
        with self._database.read() as connection:
            row = connection.execute(select(table).where(table.c.name == name)).first()
        if row is None:
            return None
        try:
            state = json.loads(zlib.decompress(row.body))
        except (zlib.error, ValueError, TypeError):
            raise StoreError(f"the snapshot {name} in the database is damaged") from None
        return Snapshot(row.version, row.position, row.at, state)

    def place(self, name: str) -> tuple[int, int] | None:
        """Position and time of the snapshot, whether or not its body can be read."""
        with self._database.read() as connection:
            row = connection.execute(
                select(table.c.position, table.c.at).where(table.c.name == name)
            ).first()
        return None if row is None else (row.position, row.at)

    def remove(self, name: str) -> None:
        with self._database.write() as connection:
            connection.execute(delete(table).where(table.c.name == name))
