"""The audit chain tells truncation, rewriting and retention apart; retention deletes in pieces."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from engine.core.errors import StoreError
from engine.core.facts import Fact
from engine.core.runs import Approval, Run, Step, Trigger
from engine.core.values import DAY
from engine.store.store import Store


def filled(store: Store, count: int = 5) -> Store:
    for number in range(count):
        store.audit.append(number, "user:amal", "run.start", f"r{number}", {"x": "\0 وكيل"})
    return store


def execute(store: Store, statement: str) -> None:
    with store.database.write() as connection:
        connection.exec_driver_sql(statement)


def test_a_whole_chain_is_good(store: Store):
    assert store.audit.verify().good
    filled(store)
    found = store.audit.verify()
    assert (found.good, found.entries) == (True, 5)
    page = store.audit.list(limit=3)
    assert [entry.target for entry in page.items] == ["r4", "r3", "r2"]
    assert [entry.target for entry in store.audit.list(cursor=page.next).items] == ["r1", "r0"]


@pytest.mark.parametrize(
    ("statement", "entry", "reason"),
    [
        ("UPDATE audit SET actor = 'user:eve' WHERE id = 3", 3, "changed"),
        ("UPDATE audit SET detail = '{}' WHERE id = 2", 2, "changed"),
        ("UPDATE audit SET at = 99 WHERE id = 5", 5, "changed"),
        ("UPDATE audit SET mac = 'ff' WHERE id = 4", 4, "changed"),
        ("DELETE FROM audit WHERE id = 3", 3, "missing"),
        ("DELETE FROM audit WHERE id = 1", 1, "missing"),
        ("DELETE FROM audit WHERE id = 5", 5, "missing at the end"),
        ("DELETE FROM audit", 1, "missing at the end"),
    ],
)
def test_a_change_is_found(store: Store, statement: str, entry: int, reason: str):
    execute(filled(store), statement)
    found = store.audit.verify()
    assert (found.good, found.entry) == (False, entry)
    assert reason in found.reason


def test_a_cut_end_stays_visible_when_the_chain_goes_on(store: Store):
    execute(filled(store), "DELETE FROM audit WHERE id >= 4")
    store.audit.append(9, "user:eve", "run.start")
    assert not store.audit.verify().good
    assert store.audit.verify().entry == 4


def test_another_key_does_not_fit(store: Store, database: str, tmp_path):
    filled(store)
    other = tmp_path / "other"
    other.mkdir()
    (other / "audit.key").write_text("0" * 64)
    (other / "audit.head").write_bytes((tmp_path / "audit.head").read_bytes())
    opened = Store.open(database, keys=other)
    assert not opened.audit.verify().good
    opened.close()


def test_a_missing_head_is_told(store: Store, tmp_path):
    filled(store)
    (tmp_path / "audit.head").unlink()
    assert "head" in store.audit.verify().reason


def test_a_crash_before_the_head_was_written_is_no_cut(store: Store, tmp_path):
    filled(store, 4)
    head = (tmp_path / "audit.head").read_bytes()
    store.audit.append(9, "user:amal", "run.start")
    (tmp_path / "audit.head").write_bytes(head)
    assert store.audit.verify().good


def test_retention_leaves_a_sealed_checkpoint(store: Store):
    filled(store)
    assert store.audit.forget(before=3, limit=100) == 3
    found = store.audit.verify()
    assert (found.good, found.entries) == (True, 2)
    store.audit.append(9, "user:amal", "run.start")
    assert store.audit.verify().good
    execute(store, "UPDATE settings SET value = replace(value, '\"id\":3', '\"id\":4')")
    execute(store, "DELETE FROM audit WHERE id = 4")
    assert "checkpoint" in store.audit.verify().reason


def test_all_may_be_forgotten(store: Store):
    filled(store)
    assert store.audit.forget(before=99, limit=2) == 2
    assert store.audit.forget(before=99, limit=9) == 3
    assert store.audit.verify().good
    assert store.audit.append(9, "user:amal", "run.start") == 6
    assert store.audit.verify().good


def test_entries_made_at_once_form_one_chain(store: Store):
    with ThreadPoolExecutor(6) as threads:
        list(threads.map(lambda n: store.audit.append(n, "wakil", "x"), range(30)))
    found = store.audit.verify()
    assert (found.good, found.entries) == (True, 30)


def test_a_damaged_key_is_a_sentence(tmp_path):
    (tmp_path / "audit.key").write_text("short")
    with pytest.raises(StoreError, match="damaged; restore it"):
        Store.open(tmp_path / "wakil.db")


def test_retention_deletes_what_is_old_and_nothing_else(store: Store):
    for day in range(10):
        store.journal.append([Fact("cpu", day * DAY, "h", {"percent": day})])
        for id_, status in ((f"done{day}", "succeeded"), (f"open{day}", "running")):
            ended = day * DAY if status == "succeeded" else None
            run = Run(id_, "p", status, {}, Trigger(), "c", created=day * DAY, ended=ended)
            store.runs.add_run(run)
        store.runs.save_step(Step(f"done{day}", "steps.0", "n", "steps", "succeeded"))
        store.runs.add_approval(
            Approval(f"a{day}", f"done{day}", "run", "?", "admin", "d", "approved", 1, None)
        )
        store.audit.append(day * DAY, "wakil", "x")
    keep = {"facts": 4 * DAY, "runs": 5 * DAY, "audit": 2 * DAY, "decisions": DAY}
    assert store.retention.prune(keep, 9 * DAY, lambda: True) == 0
    store.retention.prune(keep, 9 * DAY, lambda: False)
    assert [fact.data["percent"] for _, fact in store.journal.replay()] == [5, 6, 7, 8, 9]
    finished = store.runs.list_runs(status="succeeded").items
    assert [run.id for run in finished] == [f"done{day}" for day in (9, 8, 7, 6, 5, 4)]
    assert len(store.runs.unfinished_runs()) == 10
    assert store.runs.steps_of("done3") == ()
    assert len(store.runs.steps_of("done4")) == 1
    assert store.runs.approvals_of("done0") == ()
    assert (store.audit.verify().good, store.audit.verify().entries) == (True, 3)
    with pytest.raises(ValueError, match="nothing is kept"):
        store.retention.prune({"other": 1}, 9 * DAY, lambda: False)
