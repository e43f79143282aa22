"""A row in the database never becomes code: every serialised column poisoned, then a restart."""

from __future__ import annotations

import base64
import pickle
import sqlite3

import pytest
from support.runners import Server, run

CANARY = "canary"


class Bomb:
    """Makes a file where it is unpickled."""

    def __init__(self, path) -> None:
        self.path = path

    def __reduce__(self):
        return (open, (self.path, "w"))


@pytest.fixture
def server(tmp_path):
    server = Server(tmp_path)
    yield server
    server.close()


def columns(connection):
    """Every (table, column) in which DBOS keeps something serialised."""
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type='table'")
    for (table,) in tables.fetchall():
        names = {row[1] for row in connection.execute(f'PRAGMA table_info("{table}")')}
        for column in ("inputs", "output", "error", "message", "value", "context", "request"):
            if column in names and names & {"workflow_uuid", "destination_uuid", "schedule_id"}:
                yield table, column, "serialization" in names


def test_the_bomb_goes_off_when_unpickled(tmp_path):
    pickle.loads(pickle.dumps(Bomb(str(tmp_path / CANARY)))).close()
    assert (tmp_path / CANARY).exists()


MARKS = {"r1": "py_pickle", "r2": "wakil_json", "r3": "portable_json", "r4": None}


@pytest.mark.parametrize(
    "column",
    [
        ("workflow_input", "inputs"),
        ("operation_outputs", "output"),
        ("operation_outputs", "error"),
    ],
    ids=lambda column: ".".join(column),
)
def test_a_poisoned_row_runs_nothing_and_its_run_ends_unknown(server, tmp_path, column):
    server.plans.add(steps=[{"uses": "a"}, {"ask": {}}, {"uses": "b"}])
    for name in MARKS:
        server.runner.start(run(name))
        server.until(name, "waiting")
    server.stop()

    bomb = base64.b64encode(pickle.dumps(Bomb(str(tmp_path / CANARY)))).decode()
    table, field = column
    marked = "workflow_status" if table == "workflow_input" else table
    with sqlite3.connect(tmp_path / "wakil.db") as connection:
        changed = connection.execute(f'UPDATE "{table}" SET "{field}" = ?', (bomb,))
        assert changed.rowcount >= len(MARKS)
        for name, mark in MARKS.items():
            connection.execute(
                f"UPDATE {marked} SET serialization = ? WHERE workflow_uuid = ?", (mark, name)
            )
    connection.close()

    server.start_up()
    assert {server.ended(name).status for name in MARKS} == {"unknown"}
    assert not (tmp_path / CANARY).exists()
    assert server.bench.diary.names == ["a"] * 4
    assert [alert.rule for alert in server.bench.alerts] == ["run-failed"] * 4


def test_every_other_column_poisoned_runs_nothing(server, tmp_path):
    server.plans.add(steps=[{"uses": "a"}])
    server.runner.start(run())
    server.ended("r1")
    server.bench.policy.is_paused = True
    server.runner.start(run("r2"))
    server.stop()

    bomb = base64.b64encode(pickle.dumps(Bomb(str(tmp_path / CANARY)))).decode()
    with sqlite3.connect(tmp_path / "wakil.db") as connection:
        connection.execute(
            "INSERT INTO notifications (destination_uuid, topic, message, serialization) "
            "VALUES ('r2', 't', ?, 'py_pickle')",
            (bomb,),
        )
        connection.execute(
            "INSERT INTO workflow_events (workflow_uuid, key, value, serialization) "
            "VALUES ('r2', 'k', ?, 'py_pickle')",
            (bomb,),
        )
        for table, column, marked in columns(connection):
            mark = ", serialization = 'py_pickle'" if marked else ""
            connection.execute(f'UPDATE "{table}" SET "{column}" = ?{mark}', (bomb,))
    connection.close()

    server.bench.policy.is_paused = False
    server.start_up()
    assert server.ended("r2").status == "unknown"
    assert server.store.runs.get_run("r1").status == "succeeded"
    assert not (tmp_path / CANARY).exists()
    assert server.bench.diary.names == ["a"]


def test_nothing_pickled_is_ever_written(server, tmp_path):
    server.plans.add(steps=[{"uses": "a", "with": {"p": {"secret": "vault:db#password"}}}])
    server.runner.start(run())
    server.ended("r1")
    with sqlite3.connect(tmp_path / "wakil.db") as connection:
        for table in ("workflow_status", "operation_outputs"):
            marks = connection.execute(f"SELECT DISTINCT serialization FROM {table}").fetchall()
            assert marks == [("wakil_json",)]
    connection.close()
