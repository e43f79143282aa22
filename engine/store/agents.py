"""What agents keep between collections, and what happened to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select

from engine.core.values import Json, format_instant
from engine.store.database import Database
from engine.store.paging import Page, decode_cursor, encode_cursor, within
from engine.store.tables import agent_events as events
from engine.store.tables import agent_memory as memory


class AgentMemory:
    """One agent's own small state (`engine.core.ports.Memory`)."""

    def __init__(self, database: Database, agent: str) -> None:
        self._database = database
        self._agent = agent

    def get(self, key: str) -> Json:
        """None where nothing was set."""
        with self._database.read() as connection:
            found = connection.execute(
                select(memory.c.value).where(memory.c.agent == self._agent, memory.c.key == key)
            ).first()
        if found is None:
            return None
        value: Json = found[0]
        return value

    def set(self, key: str, value: Json) -> None:
        row = {"agent": self._agent, "key": key, "value": value}
        with self._database.write() as connection:
            self._database.upsert(connection, memory, row, ["agent", "key"])


@dataclass(frozen=True, slots=True)
class AgentEvent:
    """Something that happened to an agent: `started`, `failed`, `recovered`, `stopped` …"""

    at: int
    agent: str
    event: str
    detail: Mapping[str, Any]

    def to_json(self) -> dict[str, Json]:
        return {
            "at": format_instant(self.at),
            "agent": self.agent,
            "event": self.event,
            "detail": dict(self.detail),
        }


class AgentEvents:
    """The record of agents' lives."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, event: AgentEvent) -> None:
        row = {
            "at": event.at,
            "agent": event.agent,
            "event": event.event,
            "detail": dict(event.detail),
        }
        with self._database.write() as connection:
            connection.execute(insert(events).values(row))

    def list(self, agent: str, *, limit: int = 100, cursor: str | None = None) -> Page[AgentEvent]:
        """Newest first. Raises `CursorError`."""
        limit, before = within(limit), decode_cursor(cursor)
        statement = select(events).where(events.c.agent == agent).order_by(events.c.id.desc())
        if before is not None:
            statement = statement.where(events.c.id < before)
        with self._database.read() as connection:
            rows = connection.execute(statement.limit(limit + 1)).all()
        items = [AgentEvent(row.at, row.agent, row.event, row.detail) for row in rows[:limit]]
        return Page(items, encode_cursor(rows[limit - 1].id) if len(rows) > limit else None)
