"""A row in either database never becomes code: the real program over poisoned ones."""

from __future__ import annotations

import base64
import pickle
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import LargeBinary
from support.wakil import RunningWakil, until, write_files

from engine.store.tables import metadata
from engine.store.types import JsonText

RULES = """
name: disks
rules:
  - name: full
    when: disk.used_percent > 90
    for: 1h
    then: [{alert: full}]
  - name: asks
    when: disk.used_percent > 80
    then: [{alert: nearly}, {run: asks}]
"""
ASKS = """
name: asks
steps:
  - {uses: command.run, with: {argv: [/bin/echo, done]}}
  - {ask: {role: operator, message: Go on?}}
  - {uses: command.run, with: {argv: [/bin/echo, again]}}
"""


class Bomb:
    """Makes a file where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def wakil_columns(connection: sqlite3.Connection) -> list[tuple[str, str, bool]]:
    """Every serialised column of the store that has rows, and whether it holds bytes."""
    found = []
    for table in metadata.sorted_tables:
        (rows,) = connection.execute(f'SELECT count(*) FROM "{table.name}"').fetchone()
        for column in table.columns if rows else ():
            if isinstance(column.type, JsonText | LargeBinary):
                found.append((table.name, column.name, isinstance(column.type, LargeBinary)))
    return found


def runs_columns(connection: sqlite3.Connection) -> list[tuple[str, str, bool]]:
    """Every column of DBOS's tables that says nothing by itself: text that is not a name."""
    found = []
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    for (table,) in tables:
        names = [row[1] for row in connection.execute(f'PRAGMA table_info("{table}")')]
        (rows,) = connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()
        wanted = ("inputs", "output", "error", "message", "value", "context", "request")
        if rows:
            found += [(table, name, False) for name in names if name in wanted]
    return found


@pytest.fixture
def site(tmp_path: Path):
    """A stopped Wakil with an open alert, a counting `for`, an ended and a waiting run."""
    off = "".join(f"  {name}: {{enabled: false}}\n" for name in ("performance", "apps", "logs"))
    content = write_files(
        tmp_path / "content",
        {
            "policies/disks.yaml": RULES,
            "playbooks/asks.yaml": ASKS,
            "configs/agents.yaml": f"agents:\n{off}",
            "configs/wakil.yaml": "server: {host_name: box}\n",
        },
    )
    wakil = RunningWakil(content, tmp_path / "data")
    try:
        wakil.start()
        wakil.post("/facts", {"kind": "disk", "data": {"mount": "/", "used_percent": 95}})
        until(lambda: wakil.get("/approvals", status="waiting")["items"], what="the question")
        wakil.post("/system/pause", {"reason": "night"})
        wakil.kill()
        yield wakil
    finally:
        wakil.stop()


STATE = {"settings", "snapshots", "facts"}
"""Tables that a start reads."""


@pytest.mark.parametrize(
    ("database", "spared"),
    [("wakil.db", set()), ("wakil.db", STATE), ("runs.db", set())],
    ids=["store", "store but its state", "runs"],
)
def test_every_serialised_column_poisoned_is_never_code(site, tmp_path, database, spared):
    canary = tmp_path / "canary"
    bomb = pickle.dumps(Bomb(canary))
    with sqlite3.connect(site.data / database) as connection:
        columns = (wakil_columns if database == "wakil.db" else runs_columns)(connection)
        assert len(columns) >= (8 if database == "wakil.db" else 3)
        for table, column, binary in columns:
            if table in spared:
                continue
            text = base64.b64encode(bomb).decode() if database == "runs.db" else bomb.decode("l1")
            value = bomb if binary else text
            connection.execute(f'UPDATE "{table}" SET "{column}" = ?', (value,))
        if database == "runs.db":
            for table in ("workflow_status", "operation_outputs"):
                connection.execute(f"UPDATE {table} SET serialization = 'py_pickle'")
    connection.close()
    said = site.log.read_text()
    try:
        site.start()
    except AssertionError:
        assert not spared
        assert site.process.returncode == 1
        assert "damaged" in site.log.read_text()
    else:
        with site.client() as client:
            for path in (
                "/system/status",
                "/alerts",
                "/decisions",
                "/runs",
                "/approvals",
                "/facts",
                "/tokens",
            ):
                answer = client.get(f"/api/v1{path}")
                assert answer.is_success or "damaged" in answer.json()["detail"], answer.text
        assert site.stop() == 0
    assert not canary.exists()
    new = site.log.read_text()[len(said) :]
    # DBOS logs the traceback of a run whose own row is damaged; nothing else may break.
    errors = [
        line for line in new.splitlines() if " ERROR " in line and " ERROR dbos: " not in line
    ]
    assert all("damaged" in line for line in errors), errors


def test_a_poisoned_switch_alone_leaves_automation_paused(site, tmp_path):
    with sqlite3.connect(site.data / "wakil.db") as connection:
        changed = connection.execute("UPDATE settings SET value = '\x80\x04.' WHERE key = 'pause'")
        assert changed.rowcount == 1
    connection.close()
    (site.data / "paused").unlink()
    site.start()
    assert site.get("/system/status")["automation"]["paused"]
    run = site.post("/playbooks/asks/run", {"inputs": {}})
    assert run["status"] in ("queued", "waiting")
    assert site.get(f"/runs/{run['id']}")["steps"] == []
