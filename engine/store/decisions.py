"""Decisions as recorded: with what they raise, resolve and start, all in one transaction.

A run that a decision starts goes into the outbox with it, and leaves it once the playbook engine
has it: so a crash in between neither loses a run nor starts one twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from engine.core.decisions import Because, Decision
from engine.core.facts import Fact
from engine.core.runs import Run
from engine.core.values import Json, format_instant, parse_instant
from engine.store.alerts import Alert, raise_alert, resolve_alert
from engine.store.database import Database
from engine.store.paging import Page, decode_cursor, encode_cursor, within
from engine.store.rows import run_from_json, run_to_json
from engine.store.tables import decisions as table
from engine.store.tables import outbox

PIECE = 500


@dataclass(frozen=True, slots=True)
class StoredDecision:
    """A decision with its number, the commit that made it, and when it was recorded."""

    id: int
    decision: Decision
    commit: str
    arrived: int

    def to_json(self) -> dict[str, Json]:
        """The documented form with `id`, `commit` and `arrived`."""
        return {
            "id": str(self.id),
            "commit": self.commit,
            "arrived": format_instant(self.arrived),
            **self.decision.to_json(),
        }


@dataclass(frozen=True, slots=True)
class Recorded:
    """What `record` wrote: only what was not there before."""

    decisions: tuple[StoredDecision, ...]
    alerts: tuple[Alert, ...]


class Decisions:
    """The record of decisions, and the outbox of runs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(
        self, decisions: Sequence[Decision], *, commit: str, arrived: int, runs: Sequence[Run] = ()
    ) -> Recorded:
        """Writes decisions, raises and resolves their alerts, and puts `runs` into the outbox.

        What is there already (the same firing, place, type and instant, as after a restart that
        judges the journal's end again) is left out, runs whose firing and place are so too.
        """
        if not decisions:
            return Recorded((), ())
        with self._database.write() as connection:
            known = _known(connection, {decision.firing for decision in decisions})
            fresh = [d for d in decisions if _identity(d) not in known]
            if not fresh:
                return Recorded((), ())
            rows = [_row(decision, commit, arrived) for decision in fresh]
            ids = connection.execute(
                insert(table).returning(table.c.id, sort_by_parameter_order=True), rows
            ).scalars()
            stored = tuple(
                StoredDecision(number, decision, commit, arrived)
                for number, decision in zip(ids, fresh, strict=True)
            )
            alerts = _apply(connection, fresh)
            places = {(decision.firing, decision.place) for decision in fresh}
            for run in runs:
                if (run.trigger.firing, run.trigger.place) in places:
                    row = {"run": run.id, "created": run.created, "body": run_to_json(run)}
                    self._database.insert_new(connection, outbox, row, ["run"])
        return Recorded(stored, alerts)

    def unsent(self) -> tuple[Run, ...]:
        """Runs in the outbox, oldest first: to be handed over (again) to the playbook engine."""
        with self._database.read() as connection:
            bodies = connection.execute(
                select(outbox.c.body).order_by(outbox.c.created, outbox.c.run)
            ).scalars()
            return tuple(run_from_json(body) for body in bodies)

    def sent(self, run: str) -> None:
        """The playbook engine has this run: it leaves the outbox."""
        with self._database.write() as connection:
            connection.execute(delete(outbox).where(outbox.c.run == run))

    def get(self, number: int) -> StoredDecision | None:
        with self._database.read() as connection:
            row = connection.execute(select(table).where(table.c.id == number)).first()
        return None if row is None else _stored(row)

    def of_firing(self, firing: str) -> tuple[StoredDecision, ...]:
        """All decisions of one firing, in the order they were made."""
        statement = select(table).where(table.c.firing == firing).order_by(table.c.id)
        with self._database.read() as connection:
            return tuple(_stored(row) for row in connection.execute(statement))

    def list(
        self,
        *,
        rule: str | None = None,
        type_: str | None = None,
        since: int | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page[StoredDecision]:
        """Newest first; `rule` as `rule` or `ruleset/rule`. Raises `CursorError`."""
        limit, before = within(limit), decode_cursor(cursor)
        statement = select(table).order_by(table.c.id.desc()).limit(limit + 1)
        if rule is not None:
            ruleset, slash, name = rule.rpartition("/")
            statement = statement.where(table.c.rule == name)
            if slash:
                statement = statement.where(table.c.ruleset == ruleset)
        if type_ is not None:
            statement = statement.where(table.c.decision == type_)
        if since is not None:
            statement = statement.where(table.c.at >= since)
        if before is not None:
            statement = statement.where(table.c.id < before)
        with self._database.read() as connection:
            rows = connection.execute(statement).all()
        items = [_stored(row) for row in rows[:limit]]
        return Page(items, encode_cursor(items[-1].id) if len(rows) > limit else None)


def _identity(decision: Decision) -> tuple[str, int, str, int]:
    return decision.firing, decision.place, decision.decision, decision.at


def _known(connection: Connection, firings: set[str]) -> set[tuple[str, int, str, int]]:
    known: set[tuple[str, int, str, int]] = set()
    ordered = sorted(firings)
    for start in range(0, len(ordered), PIECE):
        piece = ordered[start : start + PIECE]
        statement = select(table.c.firing, table.c.place, table.c.decision, table.c.at).where(
            table.c.firing.in_(piece)
        )
        known.update((row[0], row[1], row[2], row[3]) for row in connection.execute(statement))
    return known


def _apply(connection: Connection, decisions: Sequence[Decision]) -> tuple[Alert, ...]:
    changed: dict[str, Alert] = {}
    for decision in decisions:
        if decision.decision == "alert":
            changed[decision.firing] = raise_alert(connection, decision)
        elif decision.decision == "resolve":
            reason = decision.data.get("reason")
            resolved = resolve_alert(connection, decision.firing, decision.at, reason)
            if resolved is not None:
                changed[decision.firing] = resolved
    return tuple(changed.values())


def _row(decision: Decision, commit: str, arrived: int) -> dict[str, Any]:
    return {
        "at": decision.at,
        "arrived": arrived,
        "ruleset": decision.ruleset,
        "rule": decision.rule,
        "decision": decision.decision,
        "key": dict(decision.key),
        "data": dict(decision.data),
        "firing": decision.firing,
        "place": decision.place,
        "because": [reason.to_json() for reason in decision.because],
        "labels": dict(decision.labels),
        "mode": decision.mode,
        "commit": commit,
    }


def _stored(row: Any) -> StoredDecision:
    decision = Decision(
        at=row.at,
        ruleset=row.ruleset,
        rule=row.rule,
        decision=row.decision,
        key=row.key,
        data=row.data,
        firing=row.firing,
        because=tuple(_because(reason) for reason in row.because),
        place=row.place,
        labels=row.labels,
        mode=row.mode,
    )
    return StoredDecision(row.id, decision, row.commit, row.arrived)


def _because(shown: dict[str, Any]) -> Because:
    fact = shown["fact"]
    return Because(
        shown["condition"], shown["file"], shown["line"], None if fact is None else _fact(fact)
    )


def _fact(shown: dict[str, Any]) -> Fact:
    at = parse_instant(shown["at"])
    assert at is not None
    return Fact(shown["kind"], at, shown.get("host"), shown["data"], shown.get("gone", False), at)
