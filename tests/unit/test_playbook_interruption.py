"""What becomes of a step that was under way when Wakil died."""

from __future__ import annotations

import pytest
from support.runs import Bench, playbook

from engine.core.errors import Refused, UnknownEffect
from engine.playbook.approvals import answer
from engine.playbook.flow import carry_out


class Died(BaseException):
    """Stands for the end of the process: nothing after it is recorded."""


def die(bench, book):
    """Begins the run and cuts it off inside its action, after which it begins again."""

    def cut(at):
        raise Died

    from engine.playbook import attempt

    real, attempt._act = attempt._act, cut
    try:
        with pytest.raises(Died):
            bench.do(book)
    finally:
        attempt._act = real
    (step,) = bench.store.steps_of("r1")
    assert step.status == "running"


def again(bench, book):
    carry_out(bench.execution(book))
    return bench.store.get_run("r1")


def attempts(bench):
    return [(s.attempt, s.status) for s in bench.store.steps_of("r1") if s.path == "steps.0"]


def test_an_idempotent_step_is_put_again_as_the_same_attempt():
    bench, book = Bench(), playbook(steps=[{"uses": "again", "id": "one"}])
    die(bench, book)
    numbers = []
    bench.diary.acts["again"] = lambda context, inputs: numbers.append(context.attempt)
    assert again(bench, book).status == "succeeded"
    assert numbers == [1]
    assert attempts(bench) == [(1, "succeeded")]


def test_an_idempotent_step_of_which_the_hands_know_nothing_is_done_anew():
    bench, book = Bench(), playbook(steps=[{"uses": "again"}])
    die(bench, book)
    numbers = []

    def ledger(context, inputs):
        numbers.append(context.attempt)
        if context.attempt == 1:
            raise UnknownEffect("begun and never finished")

    bench.diary.acts["again"] = ledger
    assert again(bench, book).status == "succeeded"
    assert numbers == [1, 2]
    assert attempts(bench) == [(1, "unknown"), (2, "succeeded")]


def test_the_hands_recorded_reply_is_what_the_step_gave():
    bench = Bench()
    bench.env.actions["order"] = bench.diary.action("order", by_hands=True)
    steps = [{"uses": "order", "id": "one"}, {"uses": "b", "with": {"n": "{{ steps.one.n }}"}}]
    book = playbook(steps=steps)
    die(bench, book)
    bench.diary.acts["order"] = lambda context, inputs: {"n": context.attempt}
    assert again(bench, book).status == "succeeded"
    assert bench.diary.calls == [("order", {}), ("b", {"n": 1})]
    assert attempts(bench) == [(1, "succeeded")]


def test_what_is_refused_by_now_is_judged_by_its_check():
    bench, book = Bench(), playbook(steps=[{"uses": "again"}])
    die(bench, book)

    def ledger(context, inputs):
        if context.attempt == 1:
            raise Refused("this attempt of the step was a different act already")

    bench.diary.acts["again"] = ledger
    bench.diary.checks["again"] = "not_done"
    assert again(bench, book).status == "succeeded"
    assert attempts(bench) == [(1, "failed"), (2, "succeeded")]


def test_what_the_hands_do_not_know_either_is_asked_about():
    bench = Bench()
    bench.env.actions["order"] = bench.diary.action("order", by_hands=True)
    book = playbook(steps=[{"uses": "order", "on_interrupt": "fail"}])
    die(bench, book)

    def ledger(context, inputs):
        raise UnknownEffect("begun and never finished")

    bench.diary.acts["order"] = ledger
    run = again(bench, book)
    assert run.status == "failed"
    assert bench.diary.names == ["order"]
    assert attempts(bench) == [(1, "unknown")]


def test_a_step_may_say_itself_that_it_is_idempotent():
    bench, book = Bench(), playbook(steps=[{"uses": "a", "idempotent": True}])
    die(bench, book)
    assert again(bench, book).status == "succeeded"
    assert bench.diary.names == ["a"]


def test_what_is_there_already_is_not_done_again():
    bench, book = Bench(), playbook(steps=[{"uses": "a"}, {"uses": "b"}])
    die(bench, book)
    bench.diary.checks["a"] = "done"
    assert again(bench, book).status == "succeeded"
    assert bench.diary.names == ["b"]
    assert attempts(bench) == [(1, "succeeded")]


def test_what_was_not_done_is_done():
    bench, book = Bench(), playbook(steps=[{"uses": "a"}])
    die(bench, book)
    bench.diary.checks["a"] = "not_done"
    assert again(bench, book).status == "succeeded"
    assert bench.diary.names == ["a"]
    assert attempts(bench) == [(1, "failed"), (2, "succeeded")]


def test_on_interrupt_retry_repeats_and_fail_fails():
    bench, book = Bench(), playbook(steps=[{"uses": "a", "on_interrupt": "retry"}])
    die(bench, book)
    assert again(bench, book).status == "succeeded"
    assert bench.diary.names == ["a"]

    bench = Bench()
    book = playbook(steps=[{"uses": "a", "on_interrupt": "fail"}], on_failure=[{"uses": "b"}])
    die(bench, book)
    run = again(bench, book)
    assert run.status == "failed"
    assert "Wakil stopped while this was under way; its effect is not known" in run.error
    assert bench.diary.names == ["b"]


@pytest.mark.parametrize(("word", "status"), [("approve", "succeeded"), ("reject", "unknown")])
def test_by_default_a_person_is_asked(word, status):
    bench, book = Bench(), playbook(steps=[{"uses": "a"}])
    die(bench, book)

    def sleep(microseconds, seen=None):
        (asked,) = bench.store.approvals.values()
        assert "Do it again?" in asked.message
        answer(
            bench.store, bench.env.clock, asked.id, by="user:b", answer=word, digest=asked.digest
        )

    bench.env.signals.sleep = sleep
    run = again(bench, book)
    assert run.status == status
    assert bench.diary.names == (["a"] if word == "approve" else [])
    assert len(bench.alerts) == (word == "reject")


def test_a_step_whose_end_was_recorded_but_not_remembered_is_not_done_again():
    bench = Bench()
    bench.diary.acts["a"] = lambda context, inputs: {"n": 5}
    book = playbook(
        steps=[{"uses": "a", "id": "one"}, {"uses": "b", "with": {"n": "{{ steps.one.n }}"}}]
    )
    bench.do(book)
    bench.store.update_run("r1", status="running", ended=None)
    for name in list(bench.remembered):
        if name != "guard":
            del bench.remembered[name]
    assert again(bench, book).status == "succeeded"
    assert bench.diary.calls == [("a", {}), ("b", {"n": 5})]


def test_an_interruption_recorded_but_not_remembered_is_judged_alike():
    bench, book = Bench(), playbook(steps=[{"uses": "a"}])
    die(bench, book)
    bench.diary.checks["a"] = "not_done"
    again(bench, book)
    bench.store.update_run("r1", status="running", ended=None)
    del bench.remembered["steps.0#1"], bench.remembered["finish"]
    assert again(bench, book).status == "succeeded"
    assert bench.diary.names == ["a"]


def test_the_same_question_is_not_asked_twice():
    bench, book = Bench(), playbook(steps=[{"ask": {}}])

    def cut(microseconds, seen=None):
        raise Died

    bench.env.signals.sleep = cut
    with pytest.raises(Died):
        bench.do(book)
    (asked,) = bench.store.approvals.values()
    answer(
        bench.store, bench.env.clock, asked.id, by="user:b", answer="approve", digest=asked.digest
    )
    assert again(bench, book).status == "succeeded"
    assert len(bench.store.approvals) == 1
    with pytest.raises(Refused):
        answer(
            bench.store,
            bench.env.clock,
            asked.id,
            by="user:c",
            answer="approve",
            digest=asked.digest,
        )
