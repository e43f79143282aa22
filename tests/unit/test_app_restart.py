"""A saved state that cannot be used costs nothing that the journal holds."""

from __future__ import annotations

import json
import logging
import zlib
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from support.wakil import write_files

from engine.app.intake import SNAPSHOT_NAME
from engine.app.loading import load_bundle
from engine.app.restart import restore
from engine.core.facts import Fact
from engine.core.values import SECOND, parse_instant
from engine.lang.model import Bundle
from engine.rules.engine import Engine
from engine.store.snapshots import Snapshot
from engine.store.store import Store
from engine.store.tables import snapshots as table

START = parse_instant("2026-01-01T00:00:00Z") or 0
RULES = """
name: disks
rules:
  - {name: full, when: disk.used_percent > 90, then: [{alert: full}]}
  - {name: slowly, when: disk.used_percent > 90, for: 5m, then: [{alert: stays full}]}
"""


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return load_bundle(write_files(tmp_path / "content", {"policies/disks.yaml": RULES}), {})


@pytest.fixture
def store(tmp_path: Path, bundle: Bundle) -> Any:
    """One alert before the snapshot, one after it; a `for` under way since the first."""
    with_data = tmp_path / "data"
    with_data.mkdir()
    store = Store.open(with_data / "wakil.db", keys=with_data)
    engine = Engine(bundle, now=START)
    for mount, at in (("/a", START), ("/b", START + 60 * SECOND)):
        fact = Fact("disk", at, "box", {"mount": mount, "used_percent": 95}, arrived=at)
        position = store.journal.append([fact])
        if mount == "/a":
            engine.feed(fact, at)
            store.snapshots.save(SNAPSHOT_NAME, Snapshot(1, position, at, engine.snapshot()))
    engine.close()
    yield store
    store.close()


def _spoil(store: Store, **values: Any) -> None:
    with store.database.write() as connection:
        connection.execute(update(table).values(**values))


def _packed(state: Any) -> bytes:
    return zlib.compress(json.dumps(state).encode())


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({}, None),
        ({"body": b"not zlib"}, "damaged"),
        ({"body": _packed([])}, "damaged"),
        ({"body": _packed({"version": 1, "clock": START})}, "damaged"),
        ({"body": _packed({"version": 99, "clock": START})}, "version 99"),
        ({"version": 7}, "version 7"),
    ],
    ids=["good", "bytes", "list", "incomplete", "newer", "version"],
)
def test_what_stands_after_a_restart_is_the_same(
    bundle: Bundle,
    store: Store,
    caplog: pytest.LogCaptureFixture,
    values: dict[str, Any],
    why: str | None,
) -> None:
    if values:
        _spoil(store, **values)
    with caplog.at_level(logging.WARNING):
        restored = restore(bundle, store, START + 120 * SECOND)
    assert [(d.rule, d.key["disk.mount"]) for d in restored.decisions] == [("full", "/b")]
    assert restored.position == store.journal.position()
    decided = restored.engine.tick(START + 360 * SECOND)
    assert [(d.at - START, d.rule) for d in decided] == [
        (300 * SECOND, "slowly"),
        (360 * SECOND, "slowly"),
    ]
    restored.engine.close()
    said = [record.getMessage() for record in caplog.records]
    if why is None:
        assert said == []
    else:
        (line,) = said
        assert why in line
        assert "the engine's saved state cannot be used" in line
        assert "from its beginning" in line
