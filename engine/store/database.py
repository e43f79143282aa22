"""A connection pool that behaves alike on SQLite and PostgreSQL.

SQLite: WAL, full fsync, foreign access refused by file mode, one writer at a time inside this
process (a lock is fair where SQLite's busy handler is not), `BEGIN IMMEDIATE` for writers.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from engine.core.errors import StoreError

BUSY_SECONDS = 15


class Database:
    """Transactions on one database. `write()` commits at its end, `read()` sees one snapshot."""

    def __init__(self, engine: Engine, path: Path | None) -> None:
        self.engine = engine
        self.path = path
        """The SQLite file; None on PostgreSQL."""
        self._writing = engine.execution_options(writes=True)
        self._writer: AbstractContextManager[Any] = (
            nullcontext() if path is None else threading.Lock()
        )

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction that may write; never nested."""
        with self._writer, self._writing.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One transaction that only reads."""
        with self.engine.connect() as connection:
            yield connection

    def upsert(
        self,
        connection: Connection,
        table: Table,
        row: dict[str, Any],
        index: Sequence[str],
    ) -> None:
        """Inserts `row`, or overwrites the one with the same values in the columns `index`."""
        rest = {name: value for name, value in row.items() if name not in index}
        insert = sqlite.insert if self.path is not None else postgresql.insert
        statement = insert(table).values(row)
        connection.execute(statement.on_conflict_do_update(index_elements=list(index), set_=rest))

    def insert_new(
        self, connection: Connection, table: Table, row: dict[str, Any], index: Sequence[str]
    ) -> bool:
        """Inserts `row`; False where one with the same values in `index` is there already."""
        insert = sqlite.insert if self.path is not None else postgresql.insert
        statement = insert(table).values(row).on_conflict_do_nothing(index_elements=list(index))
        return connection.execute(statement.returning(table.c[index[0]])).first() is not None

    def close(self) -> None:
        """Closes every connection."""
        self.engine.dispose()


def open_database(target: str | Path) -> Database:
    """Opens a path or URL (`sqlite:///…`, `postgresql://…`). Raises `StoreError`."""
    url = _url_of(target)
    if url.get_backend_name() == "sqlite":
        return _open_sqlite(url)
    if url.get_backend_name() == "postgresql":
        engine = create_engine(
            url.set(drivername="postgresql+psycopg"),
            pool_size=10,
            max_overflow=40,
            pool_pre_ping=True,
            hide_parameters=True,
        )
        return Database(engine, None)
    raise StoreError(
        f"database: {url.get_backend_name()} is not supported; use sqlite or postgresql://…"
    )


def _url_of(target: str | Path) -> URL:
    if isinstance(target, Path) or "://" not in target:
        return URL.create("sqlite", database=str(target))
    try:
        return make_url(target)
    except ArgumentError:
        raise StoreError(
            "database: not a URL; use a path, or postgresql://user@host/name"
        ) from None


def _open_sqlite(url: URL) -> Database:
    if not url.database or url.database == ":memory:":
        raise StoreError("database: SQLite needs a file, because what is acknowledged is on disk")
    path = Path(url.database)
    _make_private(path)
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        pool_size=20,
        max_overflow=100,
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
        hide_parameters=True,
    )
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return Database(engine, path)


def _make_private(path: Path) -> None:
    """Creates the file for its owner only, so that SQLite's own files beside it are so too."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(path, flags, 0o600)
    except OSError as error:
        raise StoreError(f"database {path} cannot be opened: {error.strerror}") from None
    try:
        if os.fstat(descriptor).st_uid == os.geteuid():
            os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)


def _configure(connection: Any, record: object) -> None:
    # The driver must not begin transactions by itself: it would do so late and deferred.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout={BUSY_SECONDS * 1000}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "trusted_schema=OFF",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
