"""A stranger's row is data: never code, never a crash without a sentence."""

from __future__ import annotations

import pickle
import zlib
from pathlib import Path

import pytest
from sqlalchemy import LargeBinary, insert, select, update

from engine.core.decisions import Decision
from engine.core.errors import StoreError
from engine.core.facts import Fact
from engine.core.runs import Approval, Run, Step, Trigger
from engine.store.agents import AgentEvent
from engine.store.snapshots import Snapshot
from engine.store.store import Store
from engine.store.tables import metadata
from engine.store.types import JsonText

SERIALISED = [
    (table.name, column.name)
    for table in metadata.sorted_tables
    for column in table.columns
    if isinstance(column.type, JsonText | LargeBinary)
]


class Canary:
    """What a pickle would do, were it ever read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def fill(store: Store) -> None:
    data = {"text": "t", "severity": "warning"}
    decision = Decision(1, "a", "b", "alert", {}, data, "f", place=0)
    starts = Decision(1, "a", "b", "run", {}, {"playbook": "p"}, "f", place=1)
    run = Run("r", "p", "queued", {}, Trigger(firing="f", place=1), "c")
    store.decisions.record([decision, starts], commit="c", arrived=1, runs=[run])
    store.runs.add_run(run)
    store.runs.save_step(Step("r", "steps.0", "n", "steps", "running"))
    store.runs.add_approval(Approval("a", "r", "run", "?", "admin", "d", "waiting", 1, None))
    store.audit.append(1, "wakil", "x")
    store.snapshots.save("engine", Snapshot(1, 1, 1, {}))
    store.memory("logs").set("k", 1)
    store.agent_events.add(AgentEvent(1, "logs", "failed", {}))
    store.settings.set("k", 1)
    store.journal.append([Fact("cpu", 1, None, {})])


def read_everything(store: Store) -> list[str]:
    """Every way of reading; the sentences of those that could not."""
    readers = [
        lambda: store.decisions.list(),
        lambda: store.decisions.unsent(),
        lambda: store.alerts.open(),
        lambda: store.runs.get_run("r"),
        lambda: store.runs.steps_of("r"),
        lambda: store.runs.list_approvals(),
        lambda: store.audit.verify(),
        lambda: store.snapshots.load("engine"),
        lambda: store.memory("logs").get("k"),
        lambda: store.agent_events.list("logs"),
        lambda: store.settings.get("k"),
        lambda: store.journal.read(),
        lambda: list(store.journal.replay()),
    ]
    said = []
    for read in readers:
        try:
            read()
        except StoreError as error:
            said.append(error.message)
    return said


@pytest.mark.parametrize(("table", "column"), SERIALISED, ids=".".join)
def test_a_poisoned_column_is_never_code(tmp_path: Path, table: str, column: str):
    canary = tmp_path / "canary"
    poison = pickle.dumps(Canary(canary))
    store = Store.open(tmp_path / "wakil.db")
    fill(store)
    assert read_everything(store) == []
    binary = isinstance(metadata.tables[table].c[column].type, LargeBinary)
    raw = poison if binary else poison.decode("latin-1")
    with store.database.write() as connection:
        connection.exec_driver_sql(f'UPDATE {table} SET "{column}" = ?', (raw,))
    store.close()
    store = Store.open(tmp_path / "wakil.db")
    said = read_everything(store)
    store.close()
    assert not canary.exists()
    assert said
    assert all("damaged" in sentence for sentence in said)


@pytest.mark.parametrize(
    "body", [b"", b"[]", zlib.compress(b"7"), zlib.compress(b'{"places": [1]}'), b"\x80\x04."]
)
def test_a_damaged_block_names_its_place(tmp_path: Path, body: bytes):
    store = Store.open(tmp_path / "wakil.db")
    store.journal.append([Fact("cpu", 1, None, {}), Fact("cpu", 2, None, {})])
    store.journal.compact()
    facts = metadata.tables["facts"]
    with store.database.write() as connection:
        assert connection.execute(select(facts.c.kind)).scalars().all() == ["cpu"]
        connection.execute(update(facts).values(body=body))
    with pytest.raises(StoreError, match="damaged from place 1 to 2"):
        store.journal.read()
    store.close()


def test_a_deep_value_is_a_sentence(tmp_path: Path):
    store = Store.open(tmp_path / "wakil.db")
    settings = metadata.tables["settings"]
    with store.database.write() as connection:
        row = {"key": "deep", "value": None}
        connection.execute(insert(settings).values(row))
        deep = "[" * 200_000
        connection.exec_driver_sql("UPDATE settings SET value = ?", (deep,))
    with pytest.raises(StoreError, match="not JSON"):
        store.settings.get("deep")
    store.close()


def test_a_damaged_run_keeps_no_other_from_going_on(tmp_path: Path, caplog):
    store = Store.open(tmp_path / "wakil.db")
    for name in ("one", "two", "three"):
        store.runs.add_run(Run(name, "p", "queued", {}, Trigger(), "c"))
    with store.database.write() as connection:
        connection.exec_driver_sql("UPDATE runs SET inputs = '\x80\x04.' WHERE id = 'two'")
    for _ in range(3):
        assert [run.id for run in store.runs.unfinished_runs()] == ["one", "three"]
    assert len(caplog.messages) == 1
    assert "run two cannot be read" in caplog.messages[0]
    store.close()
