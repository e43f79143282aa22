"""Questions to people: who may answer, once, for exactly what was shown."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.runs import Bench, StepClock, playbook

from engine.core.errors import NotFound, Refused
from engine.core.ports import Ruling
from engine.core.values import HOUR
from engine.playbook.approvals import answer


class Person:
    """Answers what is asked as soon as the run begins to wait."""

    def __init__(self, bench, *answers, by="user:basma", role="operator") -> None:
        self.bench, self.by, self.role = bench, by, role
        self.answers = list(answers)
        self.seen = []
        bench.env.signals.sleep = self.sleep

    def sleep(self, microseconds, seen=None):
        (waiting,) = [a for a in self.bench.store.approvals.values() if a.status == "waiting"]
        self.seen.append(waiting)
        assert self.answers, "nobody is left to answer"
        given = self.answers.pop(0)
        if callable(given):
            return given(waiting)
        return self.answer(waiting, given)

    def answer(self, waiting, given, **more):
        given = {
            "by": self.by,
            "role": self.role,
            "digest": waiting.digest,
            **more,
            "answer": given,
        }
        return answer(self.bench.store, self.bench.env.clock, waiting.id, **given)


@pytest.fixture
def bench():
    clock = StepClock()
    bench = Bench(clock=clock)
    bench.clock = clock
    return bench


ASK = {"id": "q", "ask": {"message": "Grow {{ host }}?", "timeout": "1h"}}


def test_a_yes_lets_the_run_go_on(bench):
    person = Person(bench, "approve")
    run = bench.do(playbook(steps=[ASK, {"uses": "a", "with": {"by": "{{ steps.q.by }}"}}]))
    assert run.status == "succeeded"
    assert person.seen[0].message == "Grow web-1?"
    assert bench.diary.calls == [("a", {"by": "user:basma"})]
    assert ("run", "waiting") in [(t, p.status) for t, p in bench.told]
    assert bench.steps()[0] == ("steps.0", "succeeded")


def test_a_no_rolls_back_and_refuses(bench):
    person = Person(bench)
    person.answers = [lambda waiting: person.answer(waiting, "reject", comment="not today")]
    book = playbook(
        steps=[{"uses": "a", "rollback": {"uses": "undo"}}, ASK, {"uses": "b"}],
        on_failure=[{"uses": "c", "with": {"why": "{{ run.error }}"}}],
    )
    run = bench.do(book)
    assert run.status == "refused"
    assert run.error == "steps.1: rejected by user:basma: not today"
    assert bench.diary.names == ["a", "undo", "c"]
    assert bench.alerts == []


@pytest.mark.parametrize(("on_timeout", "status"), [("deny", "refused"), ("allow", "succeeded")])
def test_nobody_answers(bench, on_timeout, status):
    def nobody(waiting):
        bench.clock.at += HOUR

    Person(bench, nobody)
    ask = {"ask": {"timeout": "1h", "on_timeout": on_timeout}}
    run = bench.do(playbook(timeout="10m", steps=[ask, {"uses": "a"}]))
    assert run.status == status
    (asked,) = bench.store.approvals.values()
    assert asked.status == "expired"
    assert bench.diary.names == (["a"] if status == "succeeded" else [])


def test_two_people_must_say_yes_and_each_once(bench):
    person = Person(bench)

    def same_again(waiting):
        with pytest.raises(Refused, match="another person"):
            person.answer(waiting, "approve")
        person.answer(waiting, "approve", by="user:chadi")

    person.answers = ["approve", same_again]
    run = bench.do(playbook(steps=[{"ask": {"count": 2}}]))
    assert run.status == "succeeded"
    (asked,) = bench.store.approvals.values()
    assert [said["by"] for said in asked.answers] == ["user:basma", "user:chadi"]


def test_whoever_asked_may_be_kept_from_answering(bench):
    person = Person(bench)

    def tries(waiting):
        with pytest.raises(Refused, match="whoever asked"):
            person.answer(waiting, "approve", by="user:amal")
        with pytest.raises(Refused, match="whoever asked"):
            person.answer(waiting, "approve", by="amal")
        person.answer(waiting, "approve")

    person.answers = [tries]
    assert bench.do(playbook(steps=[{"ask": {"not_requester": True}}])).status == "succeeded"


def test_only_the_role_that_is_asked_may_answer(bench):
    person = Person(bench)

    def tries(waiting):
        for role in ("viewer", "operator", "nobody"):
            with pytest.raises(Refused, match="only admins"):
                person.answer(waiting, "approve", role=role)
        person.answer(waiting, "approve", role="admin")

    person.answers = [tries]
    assert bench.do(playbook(steps=[{"ask": {"role": "admin"}}])).status == "succeeded"


def test_an_answer_is_for_what_was_shown_and_counts_once(bench):
    person = Person(bench)

    def tries(waiting):
        for digest in ("", waiting.digest[:-1] + "!", waiting.digest.upper() + "x"):
            with pytest.raises(Refused, match="look at it again"):
                person.answer(waiting, "approve", digest=digest)
        person.answer(waiting, "approve")
        with pytest.raises(Refused, match="approved already"):
            person.answer(waiting, "reject")

    person.answers = [tries]
    assert bench.do(playbook(steps=[ASK])).status == "succeeded"
    with pytest.raises(NotFound):
        answer(bench.store, bench.clock, "nothing", by="b", answer="approve", digest="")


def test_an_answer_too_late_is_refused(bench):
    person = Person(bench)

    def late(waiting):
        bench.clock.at += HOUR
        with pytest.raises(Refused, match="passed"):
            person.answer(waiting, "approve")

    person.answers = [late]
    assert bench.do(playbook(steps=[ASK])).status == "refused"


def test_a_question_changed_in_the_database_allows_nothing(bench):
    person = Person(bench)

    def poison(waiting):
        bench.store.approvals[waiting.id] = replace(waiting, status="approved", digest="0" * 64)

    person.answers = [poison]
    run = bench.do(playbook(steps=[ASK, {"uses": "a"}]))
    assert run.status == "refused"
    assert "what was approved is not what would run" in run.error
    assert bench.diary.names == []


# ── the guard ─────────────────────────────────────────────────────────────────────────────────


def test_a_refused_run_does_nothing_at_all(bench):
    bench.policy.run = Ruling("refuse", ("third host this hour",))
    book = playbook(steps=[{"uses": "a"}], on_failure=[{"uses": "b"}], always=[{"uses": "c"}])
    run = bench.do(book)
    assert (run.status, run.reasons) == ("refused", ("third host this hour",))
    assert run.ended is not None
    assert bench.diary.names == []
    assert bench.alerts == []


def test_in_observe_what_would_have_run_is_recorded(bench):
    bench.policy.run = Ruling("observe", ("automation only observes",))
    run = bench.do(playbook(steps=[{"uses": "a", "with": {"n": "{{ vars.full }}"}}, {"uses": "b"}]))
    assert run.status == "observed"
    assert run.reasons == ("automation only observes",)
    assert bench.diary.names == []
    first, second = bench.store.steps_of("r1")
    assert (first.status, first.inputs, first.log) == ("skipped", {"n": 95}, "only observed")
    assert second.status == "skipped"


def test_the_guard_asks_before_a_run_and_not_again_for_what_was_shown(bench):
    bench.policy.run = bench.policy.step = Ruling("ask", ("destroys",), not_requester=True)
    person = Person(bench, "approve")
    run = bench.do(playbook(steps=[{"uses": "wreck", "with": {"n": 1}}]))
    assert run.status == "succeeded"
    assert len(person.seen) == 1
    assert person.seen[0].step == "run"
    assert person.seen[0].not_requester
    assert bench.policy.asked == [("run", True), ("steps.0", True)]


def test_a_destructive_step_with_inputs_not_shown_before_is_asked_about(bench):
    bench.policy.step = bench.policy.run = Ruling("ask", ("destroys",))
    bench.diary.acts["a"] = lambda context, inputs: {"n": 9}
    approvals = []
    bench.diary.acts["wreck"] = lambda context, inputs: approvals.append(context.approval)
    person = Person(bench, "approve", "approve")
    steps = [{"uses": "a", "id": "one"}, {"uses": "wreck", "with": {"n": "{{ steps.one.n }}"}}]
    assert bench.do(playbook(steps=steps)).status == "succeeded"
    assert [asked.step for asked in person.seen] == ["run", "steps.1"]
    assert approvals == [person.seen[1].id]


def test_a_destructive_step_that_policy_refuses_when_it_starts(bench):
    bench.policy.step = Ruling("refuse", ("not at night",))
    book = playbook(steps=[{"uses": "a", "rollback": {"uses": "undo"}}, {"uses": "wreck"}])
    run = bench.do(book)
    assert run.status == "refused"
    assert "not at night" in run.error
    assert bench.diary.names == ["a", "undo"]


def test_a_run_that_is_refused_by_a_person_does_nothing(bench):
    bench.policy.run = Ruling("ask", ("destroys",))
    Person(bench, "reject")
    run = bench.do(playbook(steps=[{"uses": "wreck"}], on_failure=[{"uses": "b"}]))
    assert run.status == "refused"
    assert bench.diary.names == []


def test_a_pause_that_comes_while_a_step_begins_holds_it(bench):
    def refused(context, inputs):
        if not bench.policy.is_paused and len(bench.diary.calls) == 1:
            bench.policy.is_paused = True
            raise Refused("automation is paused")

    def resume(microseconds, seen=None):
        bench.policy.is_paused = False

    bench.diary.acts["a"] = refused
    bench.env.signals.sleep = resume
    assert bench.do(playbook(steps=[{"uses": "a"}])).status == "succeeded"
    assert bench.diary.names == ["a", "a"]
    assert [s.status for s in bench.store.steps_of("r1")] == ["failed", "succeeded"]


def test_what_the_hands_refuse_fails_its_step(bench):
    def refused(context, inputs):
        raise Refused("not in the list of this machine")

    bench.diary.acts["a"] = refused
    run = bench.do(playbook(steps=[{"uses": "a"}]))
    assert (run.status, run.error) == ("failed", "steps.0: not in the list of this machine")


def test_a_pause_holds_a_run_before_its_next_step(bench):
    def pause(context, inputs):
        bench.policy.is_paused = True

    def resume(microseconds, seen=None):
        assert bench.store.get_run("r1").status == "waiting"
        assert bench.diary.names == ["a"]
        bench.policy.is_paused = False

    bench.diary.acts["a"] = pause
    bench.env.signals.sleep = resume
    assert bench.do(playbook(steps=[{"uses": "a"}, {"uses": "b"}])).status == "succeeded"
    assert bench.diary.names == ["a", "b"]
