"""Runs, their steps and the questions they ask: `engine.core.ports.RunStore` on the database."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, func, select, update

from engine.core.errors import NotFound, Refused, StoreError
from engine.core.runs import ENDED, Approval, ApprovalStatus, Run, Step
from engine.core.values import Json
from engine.store.database import Database
from engine.store.paging import Page, decode_cursor, encode_cursor, within
from engine.store.rows import (
    approval_from_row,
    approval_row,
    run_from_row,
    run_row,
    step_from_row,
    step_row,
)
from engine.store.tables import approvals, runs, steps

_log = logging.getLogger(__name__)


class Runs:
    """Every call is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._damaged: set[str] = set()

    # ── runs ──────────────────────────────────────────────────────────────────────────────────

    def add_run(self, run: Run) -> bool:
        """False where a run of that id exists: a run starts once."""
        with self._database.write() as connection:
            return self._database.insert_new(connection, runs, run_row(run), ["id"])

    def get_run(self, run: str) -> Run | None:
        with self._database.read() as connection:
            return _find_run(connection, run)

    def update_run(self, run: str, **changes: Any) -> Run:
        """Changes fields of a run. Raises `NotFound`, and `TypeError` for no such field."""
        with self._database.write() as connection:
            before = _find_run(connection, run, lock=True)
            if before is None:
                raise NotFound(f"there is no run {run}")
            after = replace(before, **changes)
            connection.execute(update(runs).where(runs.c.id == run).values(run_row(after)))
        return after

    def runs_since(self, playbook: str | None, since: int) -> Sequence[Run]:
        """Runs created at `since` or later, of one playbook or all, oldest first; dry runs too."""
        statement = select(runs).where(runs.c.created >= since).order_by(runs.c.number)
        if playbook is not None:
            statement = statement.where(runs.c.playbook == playbook)
        return self._runs(statement)

    def unfinished_runs(self) -> Sequence[Run]:
        """Runs that have not ended, oldest first. One whose row is damaged is left out and logged:
        it must not keep the others from going on."""
        open_ = runs.c.status.not_in(ENDED)
        try:
            return self._runs(select(runs).where(open_).order_by(runs.c.number))
        except StoreError:
            with self._database.read() as connection:
                ids = connection.scalars(select(runs.c.id).where(open_).order_by(runs.c.number))
                return [run for each in ids.all() if (run := self._sound(each)) is not None]

    def _sound(self, run: str) -> Run | None:
        try:
            return self.get_run(run)
        except StoreError as error:
            if run not in self._damaged:
                self._damaged.add(run)
                _log.error("run %s cannot be read and is left as it stands: %s", run, error)
            return None

    def runs_of_firing(self, firing: str) -> Sequence[Run]:
        """Runs that a firing started, oldest first."""
        return self._runs(select(runs).where(runs.c.firing == firing).order_by(runs.c.number))

    def runs_of_firings(self, firings: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
        """The ids of the runs that each firing started."""
        statement = (
            select(runs.c.firing, runs.c.id)
            .where(runs.c.firing.in_(firings))
            .order_by(runs.c.number)
        )
        found: dict[str, tuple[str, ...]] = {}
        with self._database.read() as connection:
            for firing, run in connection.execute(statement):
                found[firing] = (*found.get(firing, ()), run)
        return found

    def count_runs(self, statuses: Sequence[str]) -> int:
        """How many runs have one of these statuses."""
        statement = select(func.count()).select_from(runs).where(runs.c.status.in_(statuses))
        with self._database.read() as connection:
            return connection.execute(statement).scalar_one()

    def list_runs(
        self,
        *,
        playbook: str | None = None,
        status: str | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page[Run]:
        """Newest first. Raises `CursorError`."""
        limit, before = within(limit), decode_cursor(cursor)
        statement = select(runs).order_by(runs.c.number.desc()).limit(limit + 1)
        if playbook is not None:
            statement = statement.where(runs.c.playbook == playbook)
        if status is not None:
            statement = statement.where(runs.c.status == status)
        if before is not None:
            statement = statement.where(runs.c.number < before)
        with self._database.read() as connection:
            rows = connection.execute(statement).all()
        items = [run_from_row(row) for row in rows[:limit]]
        return Page(items, encode_cursor(rows[limit - 1].number) if len(rows) > limit else None)

    def _runs(self, statement: Any) -> tuple[Run, ...]:
        with self._database.read() as connection:
            return tuple(run_from_row(row) for row in connection.execute(statement))

    # ── steps ─────────────────────────────────────────────────────────────────────────────────

    def save_step(self, step: Step) -> None:
        """Adds or replaces the record of (run, path, attempt)."""
        with self._database.write() as connection:
            self._database.upsert(connection, steps, step_row(step), ["run", "path", "attempt"])

    def steps_of(self, run: str) -> tuple[Step, ...]:
        """A run's steps in the order they were first recorded."""
        statement = select(steps).where(steps.c.run == run).order_by(steps.c.number)
        with self._database.read() as connection:
            return tuple(step_from_row(row) for row in connection.execute(statement))

    def steps_of_runs(self, ids: Sequence[str]) -> Mapping[str, tuple[Step, ...]]:
        """The steps of each of these runs, in the order they were first recorded."""
        statement = select(steps).where(steps.c.run.in_(ids)).order_by(steps.c.number)
        found: dict[str, tuple[Step, ...]] = {}
        with self._database.read() as connection:
            for row in connection.execute(statement):
                found[row.run] = (*found.get(row.run, ()), step_from_row(row))
        return found

    # ── approvals ─────────────────────────────────────────────────────────────────────────────

    def add_approval(self, approval: Approval) -> bool:
        """False where one of that id exists."""
        with self._database.write() as connection:
            return self._database.insert_new(connection, approvals, approval_row(approval), ["id"])

    def get_approval(self, approval: str) -> Approval | None:
        with self._database.read() as connection:
            return _find_approval(connection, approval)

    def answer_approval(
        self, approval: str, status: ApprovalStatus, answer: Mapping[str, Json] | None
    ) -> Approval:
        """Adds an answer and sets the status, once: what is no longer waiting is `Refused`.

        Raises `NotFound`.
        """
        with self._database.write() as connection:
            before = _find_approval(connection, approval, lock=True)
            if before is None:
                raise NotFound(f"there is no approval {approval}")
            if before.status != "waiting":
                raise Refused(f"approval {approval} is {before.status} already")
            answers = before.answers if answer is None else (*before.answers, dict(answer))
            connection.execute(
                update(approvals)
                .where(approvals.c.id == approval, approvals.c.status == "waiting")
                .values(status=status, answers=[dict(each) for each in answers])
            )
        return replace(before, status=status, answers=answers)

    def approvals_of(self, run: str) -> tuple[Approval, ...]:
        """A run's questions, oldest first."""
        statement = select(approvals).where(approvals.c.run == run).order_by(approvals.c.number)
        with self._database.read() as connection:
            return tuple(approval_from_row(row) for row in connection.execute(statement))

    def list_approvals(
        self, *, status: str | None = None, limit: int = 100, cursor: str | None = None
    ) -> Page[Approval]:
        """Newest first. Raises `CursorError`."""
        limit, before = within(limit), decode_cursor(cursor)
        statement = select(approvals).order_by(approvals.c.number.desc()).limit(limit + 1)
        if status is not None:
            statement = statement.where(approvals.c.status == status)
        if before is not None:
            statement = statement.where(approvals.c.number < before)
        with self._database.read() as connection:
            rows = connection.execute(statement).all()
        items = [approval_from_row(row) for row in rows[:limit]]
        return Page(items, encode_cursor(rows[limit - 1].number) if len(rows) > limit else None)


def _find_run(connection: Connection, run: str, *, lock: bool = False) -> Run | None:
    statement = select(runs).where(runs.c.id == run)
    row = connection.execute(statement.with_for_update() if lock else statement).first()
    return None if row is None else run_from_row(row)


def _find_approval(connection: Connection, approval: str, *, lock: bool = False) -> Approval | None:
    statement = select(approvals).where(approvals.c.id == approval)
    row = connection.execute(statement.with_for_update() if lock else statement).first()
    return None if row is None else approval_from_row(row)
