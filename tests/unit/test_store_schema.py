"""Opening, migrating, protecting the database; the column types."""

from __future__ import annotations

import sqlite3
import stat
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, MetaData, Table, func, insert, select, text
from sqlalchemy.exc import StatementError

from engine.core.errors import StoreError
from engine.store import schema
from engine.store.store import Store
from engine.store.tables import metadata
from engine.store.types import Instant, JsonText, NanoDollars


def test_migrations_make_exactly_the_tables(store: Store):
    with store.database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, metadata) == []


def test_head_is_the_newest_migration():
    scripts = ScriptDirectory(str(Path(schema.__file__).parent / "migrations"))
    assert scripts.get_current_head() == schema.HEAD
    known = {script.revision for script in scripts.walk_revisions()}
    assert known == set(schema.KNOWN)


def test_a_database_opens_again(database: str, tmp_path: Path):
    for wanted in (None, 1):
        store = Store.open(database, keys=tmp_path)
        assert store.settings.get("opened") == wanted
        store.settings.set("opened", 1)
        store.close()


def test_a_newer_schema_is_refused_in_a_sentence(database: str, tmp_path: Path):
    store = Store.open(database, keys=tmp_path)
    with store.database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    store.close()
    with pytest.raises(StoreError, match=r"schema 9999, made by a newer Wakil.*restore the copy"):
        Store.open(database, keys=tmp_path)


def test_an_sqlite_database_is_copied_before_a_migration(tmp_path: Path, monkeypatch):
    path = tmp_path / "wakil.db"
    store = Store.open(path)
    store.settings.set("kept", "yes")
    with store.database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    store.close()
    monkeypatch.setattr(schema, "KNOWN", ("0000", "0001"))
    monkeypatch.setattr(schema, "_upgrade", lambda database: None)
    Store.open(path).close()
    copy = tmp_path / "wakil.db-before-0001"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    connection = sqlite3.connect(copy)
    assert connection.execute("SELECT value FROM settings").fetchall() == [('"yes"',)]
    connection.close()


def test_files_are_their_owners_alone(tmp_path: Path):
    path = tmp_path / "data" / "wakil.db"
    store = Store.open(path)
    store.settings.set("a", 1)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    store.close()
    assert {"wakil.db", "wakil.db-wal", "audit.key", "audit.head"} <= set(modes)
    assert set(modes.values()) == {0o600}


def test_a_planted_link_is_not_followed(tmp_path: Path):
    target = tmp_path / "target"
    (tmp_path / "wakil.db").symlink_to(target)
    with pytest.raises(StoreError, match="cannot be opened"):
        Store.open(tmp_path / "wakil.db")
    assert not target.exists()


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("mysql://u:s3cret@h/x", "mysql is not supported; use sqlite or postgresql"),
        ("sqlite://", "SQLite needs a file"),
        ("postgresql://u:s3cret@/x?host=/nowhere", "the database cannot be used"),
        ("://", "not a URL"),
    ],
)
def test_a_wrong_database_is_one_clear_sentence(url: str, sentence: str, tmp_path: Path):
    with pytest.raises(StoreError, match=sentence) as caught:
        Store.open(url, keys=tmp_path)
    assert "s3cret" not in caught.value.message
    assert "\n" not in caught.value.message


def test_a_file_that_is_no_database(tmp_path: Path):
    path = tmp_path / "wakil.db"
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(StoreError, match="the database cannot be used: file is not a database"):
        Store.open(path)


def test_readers_see_one_state_while_someone_writes(tmp_path: Path):
    store = Store.open(tmp_path / "wakil.db")
    store.settings.set("n", 0)
    with store.database.write() as writing:
        writing.execute(text("UPDATE settings SET value = '1' WHERE key = 'n'"))
        assert store.settings.get("n") == 0
    assert store.settings.get("n") == 1
    store.close()


def test_many_writers_wait_for_each_other(store: Store):
    def write(thread: int) -> None:
        for number in range(20):
            store.settings.set(f"{thread}.{number}", number)

    threads = [threading.Thread(target=write, args=(each,)) for each in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(
        store.settings.get(f"{thread}.{number}") == number
        for thread in range(6)
        for number in range(20)
    )


ledger = Table(
    "ledger_types",
    MetaData(),
    Column("at", Instant, primary_key=True),
    Column("cost", NanoDollars, nullable=False),
    Column("labels", JsonText),
)


def test_money_and_time_are_exact(store: Store):
    nano = 10_008_000
    with store.database.write() as connection:
        ledger.create(connection)
        rows = [{"at": 2**62 + n, "cost": nano, "labels": {"n": n}} for n in range(1000)]
        connection.execute(insert(ledger), rows)
        total = connection.execute(select(func.sum(ledger.c.cost))).scalar_one()
        assert int(total) == 1000 * nano
        row = connection.execute(select(ledger).where(ledger.c.at == 2**62 + 7)).one()
        assert (row.cost, row.labels) == (nano, {"n": 7})


@pytest.mark.parametrize("wrong", [1.5, True, "1"])
def test_money_is_never_a_float(store: Store, wrong: object):
    with store.database.write() as connection:
        ledger.create(connection)
        with pytest.raises((StatementError, TypeError), match="expected an int"):
            connection.execute(insert(ledger).values(at=1, cost=wrong))
