"""Small durable facts about this installation: the pause switch, the host's name, marks."""

from __future__ import annotations

from sqlalchemy import delete, select

from engine.core.values import Json
from engine.store.database import Database
from engine.store.tables import settings as table


class SystemSettings:
    """JSON values by key."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, key: str, default: Json = None) -> Json:
        with self._database.read() as connection:
            found = connection.execute(select(table.c.value).where(table.c.key == key)).first()
        if found is None:
            return default
        value: Json = found[0]
        return value

    def set(self, key: str, value: Json) -> None:
        with self._database.write() as connection:
            self._database.upsert(connection, table, {"key": key, "value": value}, ["key"])

    def remove(self, key: str) -> None:
        with self._database.write() as connection:
            connection.execute(delete(table).where(table.c.key == key))
