"""Waiting and verifying: whose facts count, since when, and for how long."""

from __future__ import annotations

import pytest
from support.runs import Bench, StepClock, playbook

from engine.core.errors import ActionError
from engine.core.facts import Fact
from engine.core.runs import Trigger
from engine.core.values import MINUTE


def disk(bench, used, mount="/", host="web-1", at=None):
    at = bench.env.clock.now() if at is None else at
    return Fact("disk", at, host, {"mount": mount, "used_percent": used})


VERIFY = {"that": "disk.used_percent < 85", "within": "1m"}
OF_ROOT = Trigger(
    rule="disk/full",
    firing="f1",
    key={"host": "web-1", "mount": "/"},
    fact={"kind": "disk", "host": "web-1", "data": {"mount": "/", "used_percent": 95}},
    requester="rule:disk/full",
    severity="critical",
)


@pytest.fixture
def bench():
    """Its clock moves a minute at each collection, so that nothing waits for long."""
    clock = StepClock()
    bench = Bench(clock=clock)

    def pass_time():
        clock.at += MINUTE // 4

    bench.world.on_collect = pass_time
    bench.clock = clock
    return bench


def test_verified_when_a_later_fact_makes_it_true(bench):
    def collect():
        bench.world.facts = [disk(bench, 60)]

    bench.world.on_collect = collect
    run = bench.do(playbook(steps=[{"uses": "a"}], verify=VERIFY), OF_ROOT)
    assert run.status == "succeeded"
    assert bench.world.collected[0] == ["disk"]
    assert bench.steps()[-1] == ("verify", "succeeded")


def test_facts_from_before_the_last_step_ended_do_not_count(bench):
    bench.world.facts = [disk(bench, 60)]
    book = playbook(
        steps=[{"uses": "a", "rollback": {"uses": "undo"}}],
        verify=VERIFY,
        on_failure=[{"uses": "b"}],
    )
    run = bench.do(book, OF_ROOT)
    assert run.status == "failed"
    assert run.error == "not verified: disk.used_percent < 85 was not true within 1m"
    assert bench.diary.names == ["a", "undo", "b"]
    assert bench.alerts[0].data["severity"] == "critical"


def test_only_the_subject_of_the_trigger_is_looked_at(bench):
    bench.world.on_collect = lambda: setattr(
        bench.world,
        "facts",
        [disk(bench, 60), disk(bench, 99, mount="/srv"), disk(bench, 99, host="db")],
    )
    assert bench.do(playbook(verify=VERIFY), OF_ROOT).status == "succeeded"


def test_by_hand_an_input_that_names_the_subject_says_which(bench):
    def collect():
        bench.clock.at += MINUTE // 4
        bench.world.facts = [disk(bench, 60), disk(bench, 99, mount="/srv")]

    bench.world.on_collect = collect
    book = playbook(verify=VERIFY, inputs={"mount": {"type": "string"}})
    assert bench.do(book, mount="/").status == "succeeded"


def test_without_a_trigger_the_whole_target_host_is(bench):
    def collect():
        bench.clock.at += MINUTE // 4
        bench.world.facts = [disk(bench, 60), disk(bench, 99, mount="/srv")]

    bench.world.on_collect = collect
    assert bench.do(playbook(verify=VERIFY)).status == "failed"


def test_without_any_fact_nothing_is_verified(bench):
    assert bench.do(playbook(verify=VERIFY), OF_ROOT).status == "failed"


def test_a_run_of_a_state_rule_verifies_that_its_firing_resolved(bench):
    trigger = Trigger(**{**_fields(OF_ROOT), "resolves": True})
    bench.world.open = {"f1"}
    looks = []

    def collect():
        looks.append(1)
        if len(looks) == 3:
            bench.world.open = set()

    bench.world.on_collect = collect
    assert bench.do(playbook(steps=[{"uses": "a"}]), trigger).status == "succeeded"
    assert len(looks) == 3
    assert bench.world.collected[0] == ["disk"]


def test_a_firing_that_does_not_resolve_fails_the_run(bench):
    trigger = Trigger(**{**_fields(OF_ROOT), "resolves": True})
    bench.world.open = {"f1"}
    run = bench.do(playbook(steps=[{"uses": "a"}]), trigger)
    assert run.status == "failed"
    assert run.error == "not verified: disk/full did not resolve within 5m"


def test_a_run_of_an_event_rule_verifies_nothing_by_default(bench):
    bench.world.open = {"f1"}
    assert bench.do(playbook(steps=[{"uses": "a"}]), OF_ROOT).status == "succeeded"
    assert bench.world.collected == []


def test_wait_until_something_has_held(bench):
    values = iter([99, 60, 99, 60, 60, 60, 60, 60, 60])

    def collect():
        bench.clock.at += 6_000_000
        bench.world.facts = [disk(bench, next(values))]

    bench.world.on_collect = collect
    wait = {"that": "disk.used_percent < 85", "for": "20s", "within": "5m"}
    book = playbook(steps=[{"uses": "a"}, {"wait": wait}, {"uses": "b"}])
    assert bench.do(book, OF_ROOT).status == "succeeded"
    assert next(values) == 60
    assert len(bench.world.collected) == 8
    assert bench.diary.names == ["a", "b"]


def test_a_wait_that_is_not_met_fails_its_step(bench):
    wait = {"that": "disk.used_percent < 85", "for": "30s", "within": "2m"}
    run = bench.do(playbook(steps=[{"wait": wait}, {"uses": "b"}]), OF_ROOT)
    assert run.status == "failed"
    assert run.error == "steps.0: disk.used_percent < 85 was not true for 30s within 2m"
    assert bench.diary.names == []


def test_a_plain_wait_lasts_until_its_time(bench):
    real_sleep = bench.env.signals.sleep

    def sleep(microseconds, seen=None):
        bench.clock.at += 10 * MINUTE
        real_sleep(0)

    bench.env.signals.sleep = sleep
    began = bench.clock.at
    assert bench.do(playbook(steps=[{"wait": {"within": "30m"}}])).status == "succeeded"
    assert bench.clock.at - began >= 30 * MINUTE


def test_a_playbook_has_its_own_timeout(bench):
    def pass_time():
        bench.clock.at += 7 * MINUTE
        return False

    bench.policy.paused = pass_time  # asked before each step
    undo = {"uses": "undo"}
    book = playbook(timeout="10m", steps=[{"uses": "a", "rollback": undo}, {"uses": "b"}])
    run = bench.do(book)
    assert run.status == "failed"
    assert run.error == "steps.1: the playbook did not end within its timeout of 10m"
    assert bench.diary.names == ["a", "undo"]


def test_a_wait_ends_with_the_playbook(bench):
    real_sleep = bench.env.signals.sleep

    def sleep(microseconds, seen=None):
        bench.clock.at += MINUTE
        real_sleep(0)

    bench.env.signals.sleep = sleep
    began = bench.clock.at
    run = bench.do(playbook(timeout="5m", steps=[{"wait": {"within": "1h"}}]))
    assert run.status == "failed"
    assert "its timeout of 5m" in run.error
    assert bench.clock.at - began < 10 * MINUTE


def test_a_retry_does_not_outlive_the_playbook(bench):
    real_sleep = bench.env.signals.sleep

    def sleep(microseconds, seen=None):
        bench.clock.at += microseconds
        real_sleep(0)

    def fail(context, inputs):
        raise ActionError("no")

    bench.env.signals.sleep = sleep
    bench.diary.acts["a"] = fail
    retry = {"attempts": 100, "delay": "1m", "backoff": "exponential"}
    run = bench.do(playbook(timeout="5m", steps=[{"uses": "a", "retry": retry}]))
    assert run.status == "failed"
    assert 2 <= len(bench.diary.names) <= 4


def _fields(trigger):
    return {name: getattr(trigger, name) for name in trigger.__dataclass_fields__}
