"""Deletes what has outlived its time, in pieces small enough not to hold anyone up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Column, ColumnElement, delete, or_, select

from engine.core.runs import ENDED
from engine.store.audit import Audit
from engine.store.database import Database
from engine.store.tables import agent_events, alerts, approvals, decisions, facts, runs, steps

PIECE = 500


class Retention:
    """Retention by record kind: `facts decisions runs audit` (settings: `retention`)."""

    def __init__(self, database: Database, audit: Audit) -> None:
        self._database = database
        self._audit = audit

    def prune(self, keep: Mapping[str, int], now: int, stop: Callable[[], bool]) -> int:
        """Deletes what is older than `keep[kind]` microseconds; returns how many rows went.

        Each piece is its own transaction; `stop` is asked between them.
        """
        deleted = 0
        for kind, age in keep.items():
            while not stop() and (piece := self._piece(kind, now - age)):
                deleted += piece
        return deleted

    def _piece(self, kind: str, before: int) -> int:
        if kind == "facts":
            return self._delete(facts.c.last, facts.c.latest < before)
        if kind == "decisions":
            return self._delete(decisions.c.id, decisions.c.at < before) + self._delete(
                alerts.c.number, (alerts.c.status == "resolved") & (alerts.c.updated < before)
            )
        if kind == "runs":
            return self._delete_runs(before)
        if kind == "audit":
            return self._audit.forget(before, PIECE)
        raise ValueError(f"nothing is kept under the name {kind}")

    def _delete_runs(self, before: int) -> int:
        ended = runs.c.status.in_(ENDED) & or_(runs.c.ended < before, runs.c.ended.is_(None))
        statement = select(runs.c.id).where(ended, runs.c.created < before).limit(PIECE)
        with self._database.write() as connection:
            gone = list(connection.execute(statement).scalars())
            connection.execute(delete(steps).where(steps.c.run.in_(gone)))
            connection.execute(delete(approvals).where(approvals.c.run.in_(gone)))
            connection.execute(delete(runs).where(runs.c.id.in_(gone)))
        return len(gone) + self._delete(agent_events.c.id, agent_events.c.at < before)

    def _delete(self, key: Column[Any], which: ColumnElement[bool]) -> int:
        table = key.table
        with self._database.write() as connection:
            keys = list(connection.execute(select(key).where(which).limit(PIECE)).scalars())
            if not keys:
                return 0
            return connection.execute(delete(table).where(key.in_(keys), which)).rowcount
