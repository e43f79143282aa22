"""Alerts: one a firing, raised and resolved by decisions, acknowledged by people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, insert, select, update

from engine.core.decisions import Decision
from engine.core.errors import NotFound
from engine.core.values import Json, format_instant
from engine.store.database import Database
from engine.store.paging import Page, decode_cursor, encode_cursor, within
from engine.store.tables import alerts as table

AlertStatus = Literal["open", "acknowledged", "resolved"]


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert; its id is its firing's. Times in microseconds UTC."""

    firing: str
    ruleset: str
    rule: str
    key: Mapping[str, Json]
    text: str
    severity: str
    tell: str
    status: AlertStatus
    opened: int
    updated: int
    resolved: int | None = None
    resolved_reason: str | None = None
    acknowledged: int | None = None
    acknowledged_by: str | None = None
    stale: bool = False
    labels: Mapping[str, str] | None = None

    def to_json(self) -> dict[str, Json]:
        return {
            "id": self.firing,
            "firing": self.firing,
            "ruleset": self.ruleset,
            "rule": self.rule,
            "key": dict(self.key),
            "text": self.text,
            "severity": self.severity,
            "tell": self.tell,
            "status": self.status,
            "opened": format_instant(self.opened),
            "updated": format_instant(self.updated),
            "resolved": _instant(self.resolved),
            "resolved_reason": self.resolved_reason,
            "acknowledged": _instant(self.acknowledged),
            "acknowledged_by": self.acknowledged_by,
            "stale": self.stale,
            "labels": dict(self.labels or {}),
        }


class Alerts:
    """The record of alerts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def acknowledge(self, firing: str, by: str, at: int) -> Alert:
        """Someone has seen it; again by another changes nothing. Raises `NotFound`.

        A resolved alert is returned as it is.
        """
        with self._database.write() as connection:
            alert = self._required(connection, firing)
            if alert.status == "open":
                connection.execute(
                    update(table)
                    .where(table.c.firing == firing)
                    .values(status="acknowledged", acknowledged=at, acknowledged_by=by, updated=at)
                )
            return self._required(connection, firing)

    def resolve(self, firing: str, at: int, reason: str | None = None) -> Alert | None:
        """Closes an alert; None where there is none that is open."""
        with self._database.write() as connection:
            return resolve_alert(connection, firing, at, reason)

    def mark_stale(self, firing: str, stale: bool) -> Alert:
        """Its facts have grown old, or are fresh again. Raises `NotFound`."""
        with self._database.write() as connection:
            connection.execute(update(table).where(table.c.firing == firing).values(stale=stale))
            return self._required(connection, firing)

    def get(self, firing: str) -> Alert | None:
        with self._database.read() as connection:
            return find_alert(connection, firing)

    def open(self) -> tuple[Alert, ...]:
        """All that are not resolved, newest first."""
        statement = (
            select(table).where(table.c.status != "resolved").order_by(table.c.number.desc())
        )
        with self._database.read() as connection:
            return tuple(_alert(row) for row in connection.execute(statement))

    def list(
        self, *, status: str | None = None, limit: int = 100, cursor: str | None = None
    ) -> Page[Alert]:
        """Newest first. Raises `CursorError`."""
        limit, before = within(limit), decode_cursor(cursor)
        statement = select(table).order_by(table.c.number.desc()).limit(limit + 1)
        if status is not None:
            statement = statement.where(table.c.status == status)
        if before is not None:
            statement = statement.where(table.c.number < before)
        with self._database.read() as connection:
            rows = connection.execute(statement).all()
        items = [_alert(row) for row in rows[:limit]]
        return Page(items, encode_cursor(rows[limit - 1].number) if len(rows) > limit else None)

    @staticmethod
    def _required(connection: Connection, firing: str) -> Alert:
        alert = find_alert(connection, firing)
        if alert is None:
            raise NotFound(f"there is no alert {firing}")
        return alert


def find_alert(connection: Connection, firing: str) -> Alert | None:
    """The alert of a firing, within a transaction."""
    row = connection.execute(select(table).where(table.c.firing == firing)).first()
    return None if row is None else _alert(row)


def raise_alert(connection: Connection, decision: Decision) -> Alert:
    """Opens the alert an `alert` decision asks for; a further one of its firing changes its words,
    and where the severity rises, one that was acknowledged is open again."""
    severity = str(decision.data.get("severity", "warning"))
    words: dict[str, Any] = {
        "text": str(decision.data.get("text", "")),
        "severity": severity,
        "tell": str(decision.data.get("tell", "always")),
        "updated": decision.at,
    }
    before = find_alert(connection, decision.firing)
    if before is None:
        words |= {
            "firing": decision.firing,
            "ruleset": decision.ruleset,
            "rule": decision.rule,
            "key": dict(decision.key),
            "status": "open",
            "opened": decision.at,
            "stale": False,
            "labels": dict(decision.labels),
        }
        connection.execute(insert(table).values(words))
    else:
        if before.status == "resolved" or _rank(severity) > _rank(before.severity):
            words |= {"status": "open", "resolved": None, "resolved_reason": None}
        connection.execute(update(table).where(table.c.firing == decision.firing).values(words))
    alert = find_alert(connection, decision.firing)
    assert alert is not None
    return alert


def _rank(severity: str) -> int:
    return ("info", "warning", "critical").index(severity)


def resolve_alert(connection: Connection, firing: str, at: int, reason: str | None) -> Alert | None:
    """Closes an alert within a transaction; None where there is none that is open."""
    changed = connection.execute(
        update(table)
        .where(table.c.firing == firing, table.c.status != "resolved")
        .values(status="resolved", resolved=at, resolved_reason=reason, updated=at, stale=False)
    )
    return find_alert(connection, firing) if changed.rowcount else None


def _instant(value: int | None) -> str | None:
    return None if value is None else format_instant(value)


def _alert(row: Any) -> Alert:
    return Alert(
        firing=row.firing,
        ruleset=row.ruleset,
        rule=row.rule,
        key=row.key,
        text=row.text,
        severity=row.severity,
        tell=row.tell,
        status=row.status,
        opened=row.opened,
        updated=row.updated,
        resolved=row.resolved,
        resolved_reason=row.resolved_reason,
        acknowledged=row.acknowledged,
        acknowledged_by=row.acknowledged_by,
        stale=row.stale,
        labels=row.labels,
    )
