"""Runs on DBOS with the real store: taken once, held, limited, answered, gone on with."""

from __future__ import annotations

import stat
import threading
from dataclasses import replace

import pytest
from support.runners import WAIT, Server, run

from engine.core.errors import NotFound
from engine.core.runs import Trigger
from engine.playbook.inputs import InvalidInputs


@pytest.fixture
def server(tmp_path):
    server = Server(tmp_path)
    yield server
    server.close()


def test_a_run_is_taken_once_and_carried_out(server):
    server.plans.add(
        steps=[{"uses": "a", "with": {"n": "{{ inputs.n }}"}}],
        inputs={"n": {"type": "integer", "default": 4}},
    )
    taken = server.runner.start(run())
    assert taken.status == "queued"
    assert taken.inputs == {"n": 4}
    ended = server.ended("r1")
    assert ended.status == "succeeded"
    assert server.bench.diary.calls == [("a", {"n": 4})]
    assert server.runner.start(run()) == ended
    assert server.bench.diary.calls == [("a", {"n": 4})]


def test_a_run_recorded_before_it_was_handed_over_is_taken(server):
    server.plans.add(steps=[{"uses": "a"}])
    server.store.runs.add_run(run())
    server.runner.start(run())
    assert server.ended("r1").status == "succeeded"


def test_a_run_for_a_host_whose_hands_are_elsewhere_is_refused_and_touches_nothing(server):
    server.plans.add(steps=[{"uses": "a"}])
    refused = server.runner.start(replace(run(), host="db-9"))
    assert refused.status == "refused"
    assert refused.reasons == (
        "test is for db-9, which has no hands here: this Wakil acts on web-1 only",
    )
    assert server.bench.diary.calls == []


def test_what_a_person_asks_wrongly_is_raised_and_nothing_recorded(server):
    server.plans.add(inputs={"n": {"type": "integer", "required": True}})
    with pytest.raises(InvalidInputs, match="input 'n' must be a whole number"):
        server.runner.start(run(n="4"))
    with pytest.raises(NotFound, match="no playbook 'nowhere'"):
        server.runner.start(run(playbook="nowhere"))
    assert server.store.runs.get_run("r1") is None


def test_what_a_rule_asks_wrongly_is_recorded_as_failed(server):
    server.plans.add(inputs={"n": {"type": "integer", "required": True}})
    trigger = Trigger(rule="disk/full", firing="f1", requester="rule:disk/full")
    failed = server.runner.start(run(trigger=trigger))
    assert failed.status == "failed"
    assert "input 'n' is required" in failed.error
    assert server.bench.alerts[0].key["rule"] == "disk/full"
    assert server.store.runs.steps_of("r1") == ()


def test_the_database_is_its_owners_alone(server):
    mode = (server.path / "wakil.db").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_paused_runs_are_held_and_go_on_when_resumed(server):
    server.plans.add(steps=[{"uses": "a"}])
    server.bench.policy.is_paused = True
    assert server.runner.start(run()).status == "queued"
    assert server.runner.start(run()).status == "queued"
    server.stop()
    server.start_up()
    assert server.bench.diary.calls == []
    assert server.store.runs.get_run("r1").status == "queued"
    server.bench.policy.is_paused = False
    server.runner.wake()
    assert server.ended("r1").status == "succeeded"
    assert server.bench.diary.names == ["a"]


def test_concurrency_queues_one_and_refuses_the_next(server):
    go = threading.Event()
    server.bench.diary.acts["a"] = lambda context, inputs: go.wait(WAIT) and None
    server.plans.add(steps=[{"uses": "a"}], limits=[{"per": ["host"], "concurrency": 1}])
    server.runner.start(run("r1"))
    server.until("r1", "running")
    assert server.runner.start(run("r2")).status == "queued"
    refused = server.runner.start(run("r3"))
    assert refused.status == "refused"
    assert "waiting already for host web-1" in refused.reasons[0]
    assert server.store.runs.get_run("r2").status == "queued"
    go.set()
    assert server.ended("r1").status == "succeeded"
    assert server.ended("r2").status == "succeeded"
    assert server.bench.diary.names == ["a", "a"]


def test_a_run_goes_on_after_a_restart_under_the_content_it_began_with(server):
    server.plans.add(
        steps=[{"uses": "a"}, {"ask": {"message": "Go on?"}}, {"uses": "b", "with": {"n": 1}}]
    )
    server.runner.start(run())
    server.until("r1", "waiting")
    server.stop()
    server.plans.texts.clear()
    server.start_up()
    (asked,) = server.store.runs.approvals_of("r1")
    server.runner.answer(asked.id, by="user:basma", answer="approve", digest=asked.digest)
    assert server.ended("r1").status == "succeeded"
    assert server.bench.diary.calls == [("a", {}), ("b", {"n": 1})]
    assert len(server.store.runs.approvals_of("r1")) == 1


def test_a_run_goes_on_after_a_restart_on_either_database(database, tmp_path):
    server = Server(tmp_path, database)
    try:
        server.plans.add(steps=[{"uses": "a"}, {"ask": {}}, {"uses": "b"}])
        server.runner.start(run())
        server.until("r1", "waiting")
        server.stop()
        server.start_up()
        (asked,) = server.store.runs.approvals_of("r1")
        server.runner.answer(asked.id, by="user:basma", answer="approve", digest=asked.digest)
        assert server.ended("r1").status == "succeeded"
        assert server.bench.diary.names == ["a", "b"]
    finally:
        server.close()


def test_a_held_run_keeps_the_content_it_was_recorded_with(server):
    server.plans.add(steps=[{"uses": "a", "with": {"n": 1}}])
    server.bench.policy.is_paused = True
    server.runner.start(run())
    server.stop()
    server.plans.texts.clear()
    server.bench.policy.is_paused = False
    server.start_up()
    assert server.ended("r1").status == "succeeded"
    assert server.bench.diary.calls == [("a", {"n": 1})]


def test_stopping_lets_an_act_end_and_begins_no_other(server):
    acting = threading.Event()
    stopping = threading.Event()

    def act(context, inputs):
        acting.set()
        assert stopping.wait(WAIT)

    server.bench.diary.acts["a"] = act
    server.plans.add(steps=[{"uses": "a"}, {"uses": "b"}])
    server.runner.start(run())
    assert acting.wait(WAIT)
    stop = server.env.signals.stop
    server.env.signals.stop = lambda: (stop(), stopping.set())
    server.stop()
    assert server.bench.diary.names == ["a"]
    assert [s.status for s in server.store.runs.steps_of("r1")] == ["succeeded"]
    server.start_up()
    assert server.ended("r1").status == "succeeded"
    assert server.bench.diary.names == ["a", "b"]


def test_a_dry_run_records_nothing(server):
    server.plans.add(
        steps=[{"uses": "a", "with": {"n": "{{ inputs.n }}"}}], inputs={"n": {"type": "integer"}}
    )
    shown = server.runner.dry_run("c1", "test", {"n": 3}, host="web-1")
    assert shown["steps"][0]["inputs"] == {"n": 3}
    assert server.store.runs.unfinished_runs() == ()
    with pytest.raises(InvalidInputs):
        server.runner.dry_run("c1", "test", {"n": "3"})
