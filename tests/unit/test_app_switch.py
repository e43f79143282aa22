"""The switch fails closed: whoever cannot tell takes automation as paused."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import OperationalError

from engine.app.switch import Switch
from engine.core.clock import SystemClock
from engine.core.errors import StoreError
from engine.store.store import Store


@pytest.fixture
def store(tmp_path):
    (tmp_path / "data").mkdir()
    store = Store.open(tmp_path / "data/wakil.db")
    yield store
    store.close()


@pytest.fixture
def switch(store, tmp_path):
    return Switch(store, tmp_path / "data", SystemClock())


def test_paused_and_resumed(switch, tmp_path):
    assert not switch.paused()
    switch.pause("user:amal", "night")
    assert switch.state() == {"by": "user:amal", "at": switch.state()["at"], "reason": "night"}
    assert (tmp_path / "data/paused").exists()
    switch.resume()
    assert not switch.paused()
    assert not (tmp_path / "data/paused").exists()


DAMAGED = [7, None, False, "", [], {}, {"by": 1, "at": "x", "reason": []}, "no", {"by": "a"}]


@pytest.mark.parametrize("value", DAMAGED, ids=repr)
def test_a_damaged_row_is_a_pause(switch, store, value):
    store.settings.set("pause", value)
    assert switch.state()["reason"] == "the switch is damaged"
    switch.resume()
    assert not switch.paused()


@pytest.mark.parametrize("text", ["\x80\x04.", "{", "[" * 100_000, ""])
def test_a_row_that_is_no_json_is_a_pause(switch, store, text):
    store.settings.set("pause", 1)
    with store.database.write() as connection:
        connection.exec_driver_sql("UPDATE settings SET value = ? WHERE key = 'pause'", (text,))
    assert switch.paused()


@pytest.mark.parametrize(
    "error", [StoreError("no"), OperationalError("no", None, Exception("gone"))], ids=str
)
def test_a_store_that_is_gone_is_a_pause(switch, store, monkeypatch, error):
    def fail(*_):
        raise error

    monkeypatch.setattr(store.settings, "get", fail)
    assert switch.state()["reason"] == "the switch cannot be read"


def test_a_flag_that_leads_nowhere_is_a_pause(switch, tmp_path):
    (tmp_path / "data/paused").symlink_to("nowhere")
    assert switch.paused()
    (tmp_path / "data/paused").unlink()
    assert not switch.paused()


def test_a_data_directory_that_is_gone_is_a_pause(switch, tmp_path):
    (tmp_path / "data").rename(tmp_path / "away")
    assert switch.paused()
