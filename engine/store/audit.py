"""Who did what: a chain in which every entry seals the ones before it.

Each entry's MAC is HMAC-SHA256, under a key that lies outside the database, over the MAC before
it and its own content. The newest entry's place and MAC are also written beside the key, so that
cutting the end off shows; retention leaves a sealed checkpoint in front of what it kept.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, delete, insert, select
from sqlalchemy import text as sql

from engine.core.values import Json, format_instant
from engine.store.audit_key import Head, load_key, read_head, write_head
from engine.store.database import Database
from engine.store.paging import Page, decode_cursor, encode_cursor, within
from engine.store.tables import audit as table
from engine.store.tables import settings
from engine.store.types import dump_json

_CHECKPOINT: Final = "audit.checkpoint"
_START: Final = Head(0, "0" * 64)


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """`actor`: `user:NAME`, `token:NAME`, `rule:SET/RULE`, `wakil`; `action`: `run.start` …"""

    id: int
    at: int
    actor: str
    action: str
    target: str
    detail: Mapping[str, Any]

    def to_json(self) -> dict[str, Json]:
        return {
            "id": self.id,
            "at": format_instant(self.at),
            "actor": self.actor,
            "action": self.action,
            "target": self.target,
            "detail": dict(self.detail),
        }


@dataclass(frozen=True, slots=True)
class Verification:
    """`entry` is the place of the first entry that does not fit; None where all do."""

    good: bool
    entries: int
    entry: int | None = None
    reason: str = ""


class Audit:
    """Appends to and verifies the chain."""

    def __init__(self, database: Database, keys: Path) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._head = keys / "audit.head"
        self._key = load_key(keys / "audit.key", self._head)

    def append(
        self,
        at: int,
        actor: str,
        action: str,
        target: str = "",
        detail: Mapping[str, Json] | None = None,
    ) -> int:
        """Adds an entry; returns its place. Secrets never belong in `detail`."""
        with self._lock:
            with self._database.write() as connection:
                if self._database.path is None:
                    connection.execute(sql("LOCK TABLE audit IN EXCLUSIVE MODE"))
                before, mac = self._newest(connection)
                entry = AuditEntry(
                    id=before + 1,
                    at=at,
                    actor=_clean(actor),
                    action=_clean(action),
                    target=_clean(target),
                    detail=dict(detail or {}),
                )
                mac = self._seal(mac, entry)
                row = {
                    "id": entry.id,
                    "at": at,
                    "actor": entry.actor,
                    "action": entry.action,
                    "target": entry.target,
                    "detail": entry.detail,
                    "mac": mac,
                }
                connection.execute(insert(table).values(row))
            # After the commit: a crash in between leaves a head one behind, never one ahead.
            write_head(self._head, Head(entry.id, mac))
        return entry.id

    def verify(self) -> Verification:
        """Walks the whole chain."""
        head = read_head(self._head)
        with self._database.read() as connection:
            place, mac = self._checkpoint(connection)
            if place < 0:
                return Verification(False, 0, None, "the checkpoint's seal does not fit")
            at_head = mac if head is not None and place >= head.id else None
            count = 0
            for row in connection.execute(select(table).order_by(table.c.id)):
                entry = _entry(row)
                if entry.id != place + 1:
                    return Verification(False, count, place + 1, "entries are missing")
                mac = self._seal(mac, entry)
                if not hmac.compare_digest(mac, row.mac):
                    return Verification(False, count, entry.id, "the entry was changed")
                place, count = entry.id, count + 1
                if head is not None and place == head.id:
                    at_head = mac
        if head is None:
            return Verification(False, count, None, "the head beside the key cannot be read")
        if at_head is None:
            return Verification(False, count, place + 1, "entries are missing at the end")
        return Verification(True, count)

    def list(self, *, limit: int = 100, cursor: str | None = None) -> Page[AuditEntry]:
        """Newest first. Raises `CursorError`."""
        limit, before = within(limit), decode_cursor(cursor)
        statement = select(table).order_by(table.c.id.desc()).limit(limit + 1)
        if before is not None:
            statement = statement.where(table.c.id < before)
        with self._database.read() as connection:
            rows = connection.execute(statement).all()
        items = [_entry(row) for row in rows[:limit]]
        return Page(items, encode_cursor(items[-1].id) if len(rows) > limit else None)

    def forget(self, before: int, limit: int) -> int:
        """Deletes the oldest entries made before `before`, at most `limit`; seals the cut."""
        with self._database.write() as connection:
            rows = connection.execute(
                select(table).where(table.c.at < before).order_by(table.c.id).limit(limit)
            ).all()
            kept = connection.execute(
                select(table.c.id).where(table.c.at >= before).order_by(table.c.id).limit(1)
            ).scalar()
            gone = [row for row in rows if kept is None or row.id < kept]
            if not gone:
                return 0
            last = gone[-1]
            seal = {"id": last.id, "mac": last.mac, "seal": self._seal_cut(last.id, last.mac)}
            connection.execute(delete(table).where(table.c.id <= last.id))
            row = {"key": _CHECKPOINT, "value": seal}
            self._database.upsert(connection, settings, row, ["key"])
        return len(gone)

    def _newest(self, connection: Connection) -> tuple[int, str]:
        row = connection.execute(
            select(table.c.id, table.c.mac).order_by(table.c.id.desc()).limit(1)
        ).first()
        place, mac = (row.id, row.mac) if row is not None else self._checkpoint(connection)
        head = read_head(self._head)
        # Where the end was cut off, the chain goes on behind the gap, which then stays visible.
        return (head.id, head.mac) if head is not None and head.id > place else (place, mac)

    def _checkpoint(self, connection: Connection) -> tuple[int, str]:
        """Where the chain begins; place -1 where the checkpoint was forged."""
        value = connection.execute(
            select(settings.c.value).where(settings.c.key == _CHECKPOINT)
        ).scalar()
        if value is None:
            return _START.id, _START.mac
        place, mac, seal = value["id"], value["mac"], value["seal"]
        good = hmac.compare_digest(self._seal_cut(place, mac), seal)
        return (place, mac) if good else (-1, _START.mac)

    def _seal(self, before: str, entry: AuditEntry) -> str:
        content = [before, entry.id, entry.at, entry.actor, entry.action, entry.target]
        return self._mac(dump_json([*content, json.dumps(entry.detail, sort_keys=True)]))

    def _seal_cut(self, place: int, mac: str) -> str:
        return self._mac(dump_json(["cut", place, mac]))

    def _mac(self, content: str) -> str:
        return hmac.new(self._key, content.encode(), hashlib.sha256).hexdigest()


def _clean(value: str) -> str:
    return value.encode("utf-8", "replace").decode("utf-8").replace("\0", "\ufffd")


def _entry(row: Any) -> AuditEntry:
    return AuditEntry(row.id, row.at, row.actor, row.action, row.target, row.detail)
