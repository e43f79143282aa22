"""Dry runs: what would be done, found out without doing it."""

from __future__ import annotations

from support.runs import Bench, playbook

from engine.core.ports import Ruling
from engine.core.runs import Run, Trigger
from engine.playbook.outcome import outcome_fact
from engine.playbook.plan import plan_of


def plan(bench, book, **inputs):
    bench.store.add_run(Run("r1", "test", "queued", inputs, Trigger(), "c1", host="web-1"))
    bench.told.clear()
    return plan_of(bench.execution(book))


def test_a_plan_shows_every_step_and_does_nothing():
    bench = Bench()
    bench.diary.checks["a"] = "not_done"
    bench.policy.step = Ruling("ask", ("destroys",))
    book = playbook(
        inputs={"mount": {"type": "string"}},
        steps=[
            {"uses": "a", "id": "one", "with": {"path": "{{ inputs.mount }}"}},
            {"uses": "wreck", "if": "inputs.mount == '/'"},
            {"uses": "b", "if": "inputs.mount == '/srv'"},
            {"uses": "b", "with": {"n": "{{ steps.one.freed }}"}},
            {"ask": {"message": "Grow {{ inputs.mount }}?"}, "if": "steps.one.freed < 5"},
            {"wait": {"within": "1m"}},
        ],
        verify={"that": "disk.used_percent < 85", "within": "5m"},
        on_failure=[{"uses": "c"}],
    )
    shown = plan(bench, book, mount="/")
    first, second, third, fourth, fifth, sixth = shown["steps"]
    assert first["inputs"] == {"path": "/"}
    assert (first["applies"], first["effect"], first["destructive"]) == (True, "not_done", False)
    assert second["destructive"] is True
    assert second["guard"] == {"answer": "ask", "reasons": ["destroys"]}
    assert third["applies"] is False
    assert "steps.one.freed" in fourth["error"]
    assert fifth["applies"] is None
    assert fifth["ask"] == {"role": "operator", "message": "Grow /?"}
    assert sixth["wait"]["within"] == 60_000_000
    assert shown["destructive"] is True
    assert shown["guard"]["answer"] == "allow"
    assert shown["verify"] == {"that": "disk.used_percent < 85", "within": 300_000_000}
    assert [step["uses"] for step in shown["on_failure"]] == ["c"]
    assert bench.diary.calls == []
    assert bench.store.steps_of("r1") == ()
    assert bench.told == []


def test_a_state_rules_run_would_verify_that_its_firing_resolved():
    bench = Bench()
    trigger = Trigger(rule="disk/full", firing="f1", resolves=True)
    bench.store.add_run(Run("r1", "test", "queued", {}, trigger, "c1", host="web-1"))
    shown = plan_of(bench.execution(playbook()))
    assert shown["verify"] == {"that": "the firing has resolved", "within": 300_000_000}


def test_an_ended_run_is_an_outcome_fact():
    bench = Bench()
    run = bench.do(playbook("cleanup", steps=[{"uses": "a", "with": {"n": "{{ steps.x }}"}}]))
    fact = outcome_fact(run)
    assert (fact.kind, fact.host, fact.at) == ("outcome", None, run.ended)
    assert fact.data == {
        "playbook": "cleanup",
        "run": "r1",
        "status": "failed",
        "error": run.error,
    }
    bench = Bench()
    bench.policy.run = Ruling("observe")
    assert outcome_fact(bench.do(playbook())) is None
