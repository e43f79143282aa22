"""Limits: what queues, what is refused, by which key."""

from __future__ import annotations

import pytest
from support.runs import MemoryRuns, playbook

from engine.core.runs import Run, Trigger
from engine.core.values import HOUR, MINUTE
from engine.playbook.limits import admit


@pytest.fixture
def store():
    return MemoryRuns()


def add(store, name, status="queued", host="web-1", created=0, **inputs):
    run = Run(name, "test", status, inputs, Trigger(), "c1", host=host, created=created)
    store.add_run(run)
    return run


def test_concurrency_queues_one_a_key_and_refuses_the_next(store):
    book = playbook(limits=[{"per": ["host"], "concurrency": 1}])
    first, second, third = (add(store, name) for name in "abc")
    other = add(store, "d", host="web-2")
    assert admit(store, book, first).answer == "go"
    assert admit(store, book, second).answer == "wait"
    refused = admit(store, book, third)
    assert refused.answer == "refuse"
    assert refused.reason == "another run of test is waiting already for host web-1"
    assert admit(store, book, other).answer == "go"

    store.update_run("a", status="succeeded")
    assert admit(store, book, second).answer == "go"


def test_every_limit_must_agree(store):
    book = playbook(limits=[{"per": ["inputs.mount"], "concurrency": 1}, {"concurrency": 2}])
    runs = [add(store, str(n), mount=f"/{n}") for n in range(4)]
    assert [admit(store, book, run).answer for run in runs] == ["go", "go", "wait", "refuse"]


def test_so_many_runs_in_a_period(store):
    book = playbook(limits=[{"per": ["host"], "runs": 2, "period": "1h"}])
    add(store, "a", "succeeded", created=0)
    add(store, "b", "failed", created=10 * MINUTE)
    add(store, "x", "refused", created=11 * MINUTE)
    add(store, "y", "observed", created=12 * MINUTE)
    add(store, "z", "succeeded", created=12 * MINUTE, host="web-2")
    third = add(store, "c", created=20 * MINUTE)
    assert admit(store, book, third).answer == "refuse"
    assert admit(store, book, third).reason == (
        "test may run 2 times in 1h for host web-1, and has"
    )
    later = add(store, "d", created=HOUR + 1)
    store.update_run("c", status="refused")
    assert admit(store, book, later).answer == "go"


def test_the_same_is_said_of_the_same_run_whatever_comes_after(store):
    book = playbook(limits=[{"concurrency": 1, "runs": 1, "period": "1h"}])
    first = add(store, "a")
    for name in "bcd":
        add(store, name)
    assert admit(store, book, first).answer == "go"


def test_without_limits_everything_goes(store):
    runs = [add(store, str(n)) for n in range(20)]
    assert {admit(store, playbook(), run).answer for run in runs} == {"go"}
