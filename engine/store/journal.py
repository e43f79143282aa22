"""The fact journal: everything that arrived, in order, on disk before it is acknowledged.

Commits are shared: whoever appends while another commit is being written waits for it, and then
one of those waiting writes for all. Each minute the commits are packed into blocks by kind.
"""

from __future__ import annotations

import threading
import zlib
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, delete, func, insert, select

from engine.core.errors import StoreError
from engine.core.facts import Fact
from engine.core.values import Json
from engine.store.blocks import (
    MARKER,
    Entry,
    Marker,
    MarkerKind,
    pack_block,
    pack_commit,
    unpack_block,
    unpack_commit,
)
from engine.store.database import Database
from engine.store.paging import Page, decode_cursor, encode_cursor, within
from engine.store.tables import facts as table

SPAN = 20_000
"""At most so many facts are packed together."""
MOST_SCANNED = 200_000
"""A page looks through no more facts than this for those that fit, then gives its cursor."""


class _Commit:
    """Facts of one caller, waiting for the disk."""

    def __init__(self, facts: Sequence[Fact]) -> None:
        self.facts = facts
        self.last = 0
        self.done = False
        self.error: BaseException | None = None


class Journal:
    """Appends, reads and packs facts. Places count from 1 without gaps."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[_Commit] = []
        self._waiting_lock = threading.Lock()
        self._writer = threading.Lock()

    # ── writing ───────────────────────────────────────────────────────────────────────────────

    def append(self, facts: Sequence[Fact]) -> int:
        """Writes facts; returns when they are on disk, with the last one's place."""
        if not facts:
            return self.position()
        commit = _Commit(facts)
        with self._waiting_lock:
            self._waiting.append(commit)
        with self._writer:
            if not commit.done:
                self._write_waiting()
        if commit.error is not None:
            raise commit.error
        return commit.last

    def mark(self, kind: MarkerKind, at: int, data: dict[str, Json] | None = None) -> int:
        """Notes a start, stop or reload among the facts; `data` says which content, version …"""
        return self.append([Fact(MARKER + kind, at, None, data or {}, arrived=at)])

    def position(self) -> int:
        """The place of the last fact; 0 for an empty journal."""
        with self._database.read() as connection:
            return connection.execute(select(func.max(table.c.last))).scalar() or 0

    def _write_waiting(self) -> None:
        with self._waiting_lock:
            commits, self._waiting = self._waiting, []
        facts = [fact for commit in commits for fact in commit.facts]
        try:
            last = self._write(facts)
        except BaseException as error:
            for commit in commits:
                commit.error, commit.done = error, True
            raise
        for commit in reversed(commits):
            commit.last, commit.done = last, True
            last -= len(commit.facts)

    def _write(self, facts: Sequence[Fact]) -> int:
        body = pack_commit(facts)
        times = [fact.at for fact in facts]
        with self._database.write() as connection:
            before = connection.execute(select(func.max(table.c.last))).scalar() or 0
            connection.execute(
                insert(table).values(
                    first=before + 1,
                    kind="",
                    last=before + len(facts),
                    count=len(facts),
                    earliest=min(times),
                    latest=max(times),
                    body=body,
                )
            )
        return before + len(facts)

    # ── packing ───────────────────────────────────────────────────────────────────────────────

    def compact(self) -> int:
        """Packs all commits written so far; returns how many facts were packed."""
        packed = 0
        while entries := self._unpacked():
            self._pack(entries)
            packed += len(entries)
        return packed

    def _unpacked(self) -> list[Entry]:
        entries: list[Entry] = []
        statement = (
            select(table.c.first, table.c.body)
            .where(table.c.kind == "")
            .order_by(table.c.first)
            .limit(2000)
        )
        with self._database.read() as connection:
            for first, body in connection.execute(statement):
                entries.extend(unpack_commit(first, body))
                if len(entries) >= SPAN:
                    break
        return entries

    def _pack(self, entries: Sequence[Entry]) -> None:
        by_kind: dict[str, list[Entry]] = defaultdict(list)
        for entry in entries:
            by_kind[entry[1].kind].append(entry)
        first, last = entries[0][0], entries[-1][0]
        rows = [
            {
                "first": first,
                "kind": kind,
                "last": last,
                "count": len(of_kind),
                "earliest": min(fact.at for _, fact in of_kind),
                "latest": max(fact.at for _, fact in of_kind),
                "body": pack_block(of_kind),
            }
            for kind, of_kind in by_kind.items()
        ]
        with self._database.write() as connection:
            connection.execute(
                delete(table).where(table.c.kind == "", table.c.first.between(first, last))
            )
            connection.execute(insert(table), rows)

    # ── reading ───────────────────────────────────────────────────────────────────────────────

    def read(
        self,
        *,
        kind: str | None = None,
        host: str | None = None,
        since: int | None = None,
        until: int | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page[Fact]:
        """Facts, the last to arrive first. `since` and `until` bound their own time, inclusive.

        Where few of very many fit, a page may be short, even empty, and yet have a `next`.
        Raises `CursorError`.
        """
        limit = within(limit)
        before = decode_cursor(cursor)
        found: list[Entry] = []
        scanned = 0
        for span in self._spans_backwards(kind, since, until, before):
            for place, fact in reversed(span):
                if (before is None or place < before) and _fits(fact, kind, host, since, until):
                    found.append((place, fact))
                    if len(found) > limit:
                        shown = found[:limit]
                        return Page([fact for _, fact in shown], encode_cursor(shown[-1][0]))
            # A span packed meanwhile may reach into what was seen already.
            before = min(span[0][0], before or span[0][0])
            scanned += len(span)
            if scanned >= MOST_SCANNED:
                return Page([fact for _, fact in found], encode_cursor(before))
        return Page([fact for _, fact in found], None)

    def replay(
        self,
        *,
        after: int = 0,
        since: int | None = None,
        until: int | None = None,
        kinds: Collection[str] = (),
    ) -> Iterator[tuple[int, Fact | Marker]]:
        """Facts and markers with their places, in the order they arrived, from `after` on.

        `since` and `until` bound their own time, inclusive; `kinds` names the only fact kinds
        wanted (none for all, markers included).
        """
        while span := self._span_after(after, since, until, kinds):
            for place, fact in span[1]:
                wanted = not kinds or fact.kind in kinds
                if wanted and place > after and _in_time(fact, since, until):
                    yield place, _shown(fact)
            after = span[0]

    def _span_after(
        self, after: int, since: int | None, until: int | None, kinds: Collection[str]
    ) -> tuple[int, list[Entry]] | None:
        of_kinds = [table.c.kind.in_(["", *kinds])] if kinds else []
        where = [table.c.last > after, *of_kinds, *_overlapping(since, until)]
        with self._database.read() as connection:
            first = connection.execute(
                select(table.c.first).where(*where).order_by(table.c.last).limit(1)
            ).scalar()
            if first is None:
                return None
            rows = connection.execute(select(table).where(table.c.first == first, *of_kinds)).all()
        return rows[0].last, _merged(rows)

    def _spans_backwards(
        self, kind: str | None, since: int | None, until: int | None, before: int | None
    ) -> Iterator[list[Entry]]:
        kinds = [table.c.kind.in_([kind, ""])] if kind is not None else []
        while True:
            where = [*kinds, *_overlapping(since, until)]
            if before is not None:
                where.append(table.c.first < before)
            with self._database.read() as connection:
                first = connection.execute(
                    select(table.c.first).where(*where).order_by(table.c.last.desc()).limit(1)
                ).scalar()
                if first is None:
                    return
                rows = connection.execute(select(table).where(table.c.first == first, *kinds)).all()
            yield _merged(rows)
            before = first


def _overlapping(since: int | None, until: int | None) -> list[ColumnElement[bool]]:
    bounds: list[ColumnElement[bool]] = []
    if since is not None:
        bounds.append(table.c.latest >= since)
    if until is not None:
        bounds.append(table.c.earliest <= until)
    return bounds


def _merged(rows: Sequence[Any]) -> list[Entry]:
    """The facts of one span's rows, in order. Raises `StoreError` for a damaged row."""
    entries: list[Entry] = []
    for row in rows:
        try:
            entries.extend(
                unpack_commit(row.first, row.body)
                if row.kind == ""
                else unpack_block(row.kind, row.body)
            )
        except (zlib.error, ValueError, TypeError, KeyError, IndexError):
            raise StoreError(
                f"the fact journal is damaged from place {row.first} to {row.last}"
            ) from None
    entries.sort(key=lambda entry: entry[0])
    return entries


def _in_time(fact: Fact, since: int | None, until: int | None) -> bool:
    return (since is None or fact.at >= since) and (until is None or fact.at <= until)


def _fits(
    fact: Fact, kind: str | None, host: str | None, since: int | None, until: int | None
) -> bool:
    if fact.kind.startswith(MARKER) or (kind is not None and fact.kind != kind):
        return False
    return (host is None or fact.host == host) and _in_time(fact, since, until)


def _shown(fact: Fact) -> Fact | Marker:
    if not fact.kind.startswith(MARKER):
        return fact
    kind: Any = fact.kind.removeprefix(MARKER)
    return Marker(kind, fact.at, fact.data)
