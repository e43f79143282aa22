"""The fact journal: order, durability, packing, reading, on both databases."""

from __future__ import annotations

import math
import os
import random
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from engine.core.facts import Fact
from engine.core.values import SECOND
from engine.store.blocks import Marker, pack_block, pack_commit, unpack_block, unpack_commit
from engine.store.store import Store


def cpu(second: int, host: str | None = "web-1", **data) -> Fact:
    at = second * SECOND
    return Fact("cpu", at, host, data or {"percent": second % 7}, arrived=at + 3)


def disk(second: int, host: str = "web-1") -> Fact:
    data = {"mount": "/", "used_percent": 90.5}
    return Fact("disk", second * SECOND, host, data, gone=second % 2 == 0, arrived=1)


def test_facts_come_back_in_order_before_and_after_packing(store: Store):
    facts = [cpu(1), disk(2), cpu(3, None), cpu(0, "db-1", percent=None, note="\0\ud800 وكيل")]
    assert store.journal.append(facts[:2]) == 2
    assert store.journal.append(facts[2:]) == 4
    assert [fact for _, fact in store.journal.replay()] == facts
    assert store.journal.compact() == 4
    assert store.journal.compact() == 0
    assert [fact for _, fact in store.journal.replay()] == facts
    assert store.journal.append([cpu(9)]) == 5
    assert [place for place, _ in store.journal.replay(after=3)] == [4, 5]
    assert store.journal.read().items == [cpu(9), *reversed(facts)]


def test_reading_by_kind_host_and_time_in_pages(store: Store):
    facts = [
        make(second, host)
        for second in range(30)
        for host in ("web-1", "web-2")
        for make in (cpu, disk)
    ]
    for start in range(0, len(facts), 7):
        store.journal.append(facts[start : start + 7])
        if start in (14, 63):
            store.journal.compact()
    since, until = 5 * SECOND, 20 * SECOND
    wanted = [
        fact
        for fact in reversed(facts)
        if fact.kind == "disk" and fact.host == "web-2" and since <= fact.at <= until
    ]
    found, cursor = [], None
    while True:
        page = store.journal.read(
            kind="disk", host="web-2", since=since, until=until, limit=5, cursor=cursor
        )
        found += page.items
        cursor = page.next
        if cursor is None:
            break
        store.journal.compact()
    assert found == wanted
    replayed = [fact for _, fact in store.journal.replay(since=since, until=until)]
    assert replayed == [fact for fact in facts if since <= fact.at <= until]


def test_a_page_does_not_look_through_everything(store: Store, monkeypatch):
    monkeypatch.setattr("engine.store.journal.MOST_SCANNED", 6)
    for second in range(0, 20, 2):
        store.journal.append([cpu(second), cpu(second + 1, "rare" if second == 4 else "web-1")])
    found, cursor, pages = [], None, 0
    while pages == 0 or cursor is not None:
        page = store.journal.read(host="rare", cursor=cursor)
        found, cursor, pages = [*found, *page.items], page.next, pages + 1
    assert found == [cpu(5, "rare")]
    assert pages == 4


def test_a_replay_of_some_kinds(store: Store):
    store.journal.mark("start", 1)
    for packed in (True, False):
        store.journal.append([cpu(1), disk(2), cpu(3)])
        if packed:
            store.journal.compact()
    entries = [entry for _, entry in store.journal.replay(kinds=("disk", "memory"))]
    assert entries == [disk(2), disk(2)]


def test_markers_stand_among_the_facts_and_are_not_facts(store: Store):
    store.journal.mark("start", 5, {"commit": "abc"})
    store.journal.append([cpu(1)])
    store.journal.mark("reload", 7)
    store.journal.compact()
    entries = [entry for _, entry in store.journal.replay()]
    assert entries == [Marker("start", 5, {"commit": "abc"}), cpu(1), Marker("reload", 7, {})]
    assert store.journal.read().items == [cpu(1)]


def test_many_appending_at_once_lose_nothing(store: Store):
    def append(number: int) -> int:
        return store.journal.append([cpu(number * 10 + index) for index in range(3)])

    with ThreadPoolExecutor(8) as threads:
        lasts = list(threads.map(append, range(60)))
    assert sorted(lasts) == list(range(3, 181, 3))
    by_place = dict(store.journal.replay())
    for number, last in enumerate(lasts):
        assert [by_place[last - 2 + index].at for index in range(3)] == [
            (number * 10 + index) * SECOND for index in range(3)
        ]


def test_an_error_reaches_whoever_appended(store: Store):
    store.journal.append([cpu(1)])
    unfit = Fact("cpu", 1, None, {"percent": object()})
    try:
        store.journal.append([unfit])
    except TypeError:
        pass
    else:
        raise AssertionError("an object is no JSON")
    assert store.journal.append([cpu(2)]) == 2


KILLED = """
import sys
from engine.core.facts import Fact
from engine.store.store import Store
store = Store.open(sys.argv[1])
number = 0
while True:
    number += 1
    print(store.journal.append([Fact("cpu", number, "h", {"n": number})]), flush=True)
    if number % 50 == 0:
        store.journal.compact()
"""


def test_what_was_acknowledged_survives_kill_9(tmp_path):
    path = tmp_path / "wakil.db"
    process = subprocess.Popen([sys.executable, "-c", KILLED, path], stdout=subprocess.PIPE)
    wanted = random.Random(5).randrange(60, 160)
    acknowledged = 0
    for line in process.stdout:
        acknowledged = int(line)
        if acknowledged == wanted:
            os.kill(process.pid, signal.SIGKILL)
    process.stdout.close()
    process.wait()
    store = Store.open(path)
    entries = list(store.journal.replay())
    store.close()
    assert len(entries) >= acknowledged >= wanted
    assert [(place, fact.data["n"]) for place, fact in entries] == [
        (number, number) for number in range(1, len(entries) + 1)
    ]


def test_a_day_of_500_series_packs_into_less_than_100_mb():
    noise = random.Random(1)
    facts = []
    for tick in range(12 * 10):
        for host in range(10):
            data = {f"series_{index}": round(noise.gauss(40, 5), 1) for index in range(5)}
            facts.append(Fact("cpu", tick * 5 * SECOND, f"web-{host}", data))
    values = len(facts) * 5
    packed = len(pack_block(list(enumerate(facts, 1))))
    assert packed / values * (500 * 86_400 / 5) < 100_000_000


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
any_facts = st.lists(
    st.builds(
        Fact,
        kind=st.just("event"),
        at=st.integers(-(2**62), 2**62),
        host=st.none() | st.text(max_size=5),
        data=st.dictionaries(st.text(max_size=5), json_values, max_size=4),
        gone=st.booleans(),
        arrived=st.integers(0, 2**62),
    ),
    min_size=1,
    max_size=12,
)


@given(any_facts)
def test_packing_changes_nothing(facts):
    entries = list(enumerate(facts, 7))
    assert unpack_commit(7, pack_commit(facts)) == entries
    assert unpack_block("event", pack_block(entries)) == entries


def test_non_finite_numbers_are_kept():
    facts = [(1, Fact("event", 1, None, {"a": math.inf, "b": -math.inf, "c": 10**400}))]
    assert unpack_block("event", pack_block(facts)) == facts
