"""Steps of a run: order, conditions, templates, retries, rollback, failure, always."""

from __future__ import annotations

import threading

import pytest
from support.runs import Bench, playbook

from engine.core.errors import ActionError, UnknownEffect
from engine.core.runs import Trigger


def fail(context, inputs):
    raise ActionError("it broke")


def test_steps_run_in_order_and_see_what_earlier_ones_gave():
    bench = Bench()
    bench.diary.acts["a"] = lambda context, inputs: {"freed": 7}
    book = playbook(
        inputs={"mount": {"type": "string", "required": True}},
        steps=[
            {"uses": "a", "id": "first", "with": {"path": "{{ inputs.mount }}"}},
            {
                "uses": "b",
                "with": {
                    "n": "{{ steps.first.freed }}",
                    "text": "freed {{ steps.first.freed }} on {{ host }} ({{ labels.role }})",
                    "full": "{{ vars.full }}",
                    "who": "{{ trigger.requester }}",
                },
            },
        ],
    )
    run = bench.do(book, mount="/var")
    assert run.status == "succeeded"
    assert run.error is None
    assert run.started is not None
    assert run.ended >= run.started
    assert bench.diary.calls == [
        ("a", {"path": "/var"}),
        ("b", {"n": 7, "text": "freed 7 on web-1 (web)", "full": 95, "who": "user:amal"}),
    ]
    assert bench.steps() == [("steps.0", "succeeded"), ("steps.1", "succeeded")]


def test_a_condition_that_is_not_true_skips():
    bench = Bench()
    book = playbook(
        steps=[
            {"uses": "a", "if": "1 == 2"},
            {"uses": "b", "if": "steps.nowhere.freed > 1"},
            {"uses": "c", "if": "host == 'web-1'"},
        ]
    )
    assert bench.do(book).status == "succeeded"
    assert bench.diary.names == ["c"]
    assert bench.steps() == [
        ("steps.0", "skipped"),
        ("steps.1", "skipped"),
        ("steps.2", "succeeded"),
    ]


def test_a_missing_value_is_an_error_of_its_step():
    bench = Bench()
    run = bench.do(playbook(steps=[{"uses": "a", "with": {"n": "{{ steps.x.y }}"}}]))
    assert run.status == "failed"
    assert "steps.x.y" in run.error
    assert bench.diary.calls == []


@pytest.mark.parametrize(
    "text",
    [
        "{{ vars.full }}",
        "-rf --no-preserve-root /",
        "a b; rm -rf /",
        "[1, 2, 3]",
        '{"secret": "vault:llm/key#key"}',
        "$(reboot)\n* * * * * root reboot",
        "وكيل\u202e",
    ],
)
def test_what_strangers_write_stays_one_value_and_is_never_read_again(text):
    bench = Bench()
    book = playbook(
        inputs={"text": {"type": "string"}},
        steps=[
            {"uses": "a", "id": "one", "with": {"args": ["--", "{{ inputs.text }}"]}},
            {"uses": "b", "with": {"text": "{{ steps.one.text }}"}},
        ],
    )
    bench.diary.acts["a"] = lambda context, inputs: {"text": inputs["args"][1]}
    assert bench.do(book, text=text).status == "succeeded"
    assert bench.diary.calls == [("a", {"args": ["--", text]}), ("b", {"text": text})]


def test_default_covers_a_missing_value():
    bench = Bench()
    run = bench.do(playbook(steps=[{"uses": "a", "with": {"n": "{{ default(steps.x.y, 3) }}"}}]))
    assert run.status == "succeeded"
    assert bench.diary.calls == [("a", {"n": 3})]


def test_a_secret_is_a_literal_and_never_the_result_of_a_template():
    bench = Bench()
    literal = {"uses": "a", "with": {"password": {"secret": "vault:db#password"}}}
    assert bench.do(playbook(steps=[literal])).status == "succeeded"
    assert bench.diary.calls == [("a", {"password": {"secret": "vault:db#password"}})]

    bench = Bench()
    book = playbook(
        inputs={"who": {"type": "object"}},
        steps=[{"uses": "a", "with": {"password": "{{ inputs.who }}"}}],
    )
    run = bench.do(book, who={"deep": [{"secret": "vault:llm/key#key"}]})
    assert run.status == "failed"
    assert "secret" in run.error
    assert bench.diary.calls == []


def test_inputs_that_do_not_fit_the_schema_of_the_action_never_reach_it():
    bench = Bench()
    schema = {
        "type": "object",
        "properties": {"name": {"type": "string"}},
        "required": ["name"],
        "additionalProperties": False,
    }
    bench.env.actions["typed"] = bench.diary.action("typed", schema=schema)
    run = bench.do(playbook(steps=[{"uses": "typed", "with": {"name": "{{ [1, 2] }}"}}]))
    assert run.status == "failed"
    assert "'name' does not fit its schema (type string)" in run.error
    assert bench.diary.calls == []


def test_an_action_that_is_not_there_is_named():
    run = Bench().do(playbook(steps=[{"uses": "nothing.known"}]))
    assert run.status == "failed"
    assert "there is no action 'nothing.known' here" in run.error


def test_retry_repeats_a_step_and_numbers_its_attempts():
    bench = Bench()
    outcomes = iter([ActionError("no"), ActionError("no"), None])

    def sometimes(context, inputs):
        outcome = next(outcomes)
        if outcome is not None:
            raise outcome

    bench.diary.acts["a"] = sometimes
    run = bench.do(playbook(steps=[{"uses": "a", "retry": {"attempts": 3}}]))
    assert run.status == "succeeded"
    attempts = [(step.attempt, step.status) for step in bench.store.steps_of("r1")]
    assert attempts == [(1, "failed"), (2, "failed"), (3, "succeeded")]


def test_retries_end():
    bench = Bench()
    bench.diary.acts["a"] = fail
    run = bench.do(playbook(steps=[{"uses": "a", "retry": {"attempts": 2}}]))
    assert run.status == "failed"
    assert run.error == "steps.0: it broke"
    assert bench.diary.names == ["a", "a"]


def test_finished_steps_are_rolled_back_in_reverse_and_the_rest_go_on():
    bench = Bench()
    bench.diary.acts["a"] = lambda context, inputs: {"trash": "/trash/1"}
    bench.diary.acts["c"] = fail

    def undo(context, inputs):
        if inputs["n"] == 2:
            raise ActionError("cannot undo")

    bench.diary.acts["undo"] = undo
    book = playbook(
        steps=[
            {
                "uses": "a",
                "id": "one",
                "rollback": {"uses": "undo", "with": {"n": 1, "from": "{{ steps.one.trash }}"}},
            },
            {"uses": "b", "rollback": {"uses": "undo", "with": {"n": 2}}},
            {"uses": "b", "if": "false", "rollback": {"uses": "undo", "with": {"n": 3}}},
            {"uses": "c", "rollback": {"uses": "undo", "with": {"n": 4}}},
        ],
        on_failure=[{"uses": "b", "with": {"why": "{{ run.error }}"}}],
        always=[{"uses": "a"}],
    )
    run = bench.do(book)
    assert run.status == "failed"
    assert run.error == "steps.3: it broke"
    assert bench.diary.calls[3:] == [
        ("undo", {"n": 2}),
        ("undo", {"n": 1, "from": "/trash/1"}),
        ("b", {"why": "steps.3: it broke"}),
        ("a", {}),
    ]
    assert bench.steps() == [
        ("steps.0", "rolled_back"),
        ("steps.1", "succeeded"),
        ("steps.2", "skipped"),
        ("steps.3", "failed"),
        ("steps.1.rollback", "failed"),
        ("steps.0.rollback", "succeeded"),
        ("on_failure.0", "succeeded"),
        ("always.0", "succeeded"),
    ]


def test_continue_on_error_goes_on():
    bench = Bench()
    bench.diary.acts["a"] = fail
    book = playbook(steps=[{"uses": "a", "continue_on_error": True}, {"uses": "b"}])
    assert bench.do(book).status == "succeeded"
    assert bench.steps() == [("steps.0", "failed"), ("steps.1", "succeeded")]


def test_always_runs_after_success_and_its_failure_is_the_runs():
    bench = Bench()
    bench.diary.acts["c"] = fail
    run = bench.do(playbook(steps=[{"uses": "a"}], always=[{"uses": "c"}, {"uses": "b"}]))
    assert run.status == "failed"
    assert bench.diary.names == ["a", "c", "b"]


def test_a_failed_run_raises_the_alert_with_the_severity_of_its_firing():
    bench = Bench()
    bench.diary.acts["a"] = fail
    trigger = Trigger(
        rule="disk/full", firing="f1", severity="critical", requester="rule:disk/full"
    )
    bench.do(playbook("cleanup", steps=[{"uses": "a"}]), trigger)
    (alert,) = bench.alerts
    assert (alert.ruleset, alert.rule, alert.decision) == ("wakil", "run-failed", "alert")
    assert alert.key == {"host": "web-1", "playbook": "cleanup", "rule": "disk/full"}
    assert alert.data["severity"] == "critical"
    assert "it broke" in alert.data["text"]


def test_a_succeeded_run_raises_none():
    bench = Bench()
    bench.do(playbook(steps=[{"uses": "a"}]))
    assert bench.alerts == []


@pytest.mark.parametrize(
    ("effect", "status"), [("done", "succeeded"), ("not_done", "failed"), ("unknown", "unknown")]
)
def test_an_unknown_effect_is_checked_and_never_repeated(effect, status):
    bench = Bench()

    def cut_off(context, inputs):
        raise UnknownEffect("the hands went away")

    bench.diary.acts["a"] = cut_off
    bench.diary.checks["a"] = effect
    run = bench.do(playbook(steps=[{"uses": "a"}]))
    assert run.status == status
    assert bench.diary.names == ["a"]
    assert len(bench.alerts) == (status != "succeeded")


def test_an_unknown_effect_is_not_retried_but_an_idempotent_one_is():
    bench = Bench()

    def cut_off(context, inputs):
        raise UnknownEffect("the hands went away")

    bench.diary.acts["a"] = bench.diary.acts["again"] = cut_off
    assert bench.do(playbook(steps=[{"uses": "a", "retry": {"attempts": 3}}])).status == "unknown"
    assert bench.diary.names == ["a"]

    bench = Bench()
    bench.diary.acts["again"] = cut_off
    run = bench.do(playbook(steps=[{"uses": "again", "retry": {"attempts": 3}}]))
    assert run.status == "failed"
    assert bench.diary.names == ["again"] * 3


def test_an_unforeseen_exception_does_not_quote_itself():
    bench = Bench()

    def bug(context, inputs):
        raise ValueError("password=hunter2")

    bench.diary.acts["a"] = bug
    run = bench.do(playbook(steps=[{"uses": "a"}]))
    assert run.status == "unknown"
    assert "ValueError" in run.error
    assert "hunter2" not in run.error


def test_a_step_that_hangs_is_left_at_its_timeout():
    bench = Bench()
    hung = threading.Event()
    bench.diary.acts["a"] = lambda context, inputs: hung.wait(60) and None
    bench.env = bench.env.__class__(**{**vars(bench.env), "step_timeout": 20_000})
    run = bench.do(playbook(steps=[{"uses": "a"}]))
    hung.set()
    assert run.status == "unknown"
    assert "did not end within its timeout" in run.error


def test_outputs_must_be_json():
    bench = Bench()
    bench.diary.acts["a"] = lambda context, inputs: {"when": object()}
    run = bench.do(playbook(steps=[{"uses": "a"}]))
    assert run.status == "failed"
    assert "outputs that are not JSON" in run.error


def test_what_an_action_says_is_kept_with_its_step():
    bench = Bench()

    def talk(context, inputs):
        context.say("one")
        context.say("two")

    bench.diary.acts["a"] = talk
    bench.do(playbook(steps=[{"uses": "a"}]))
    assert bench.store.steps_of("r1")[0].log == "one\ntwo"


def test_every_change_is_told():
    bench = Bench()
    bench.do(playbook(steps=[{"uses": "a"}]))
    told = [(topic, payload.status) for topic, payload in bench.told]
    assert told == [
        ("run", "running"),
        ("step", "running"),
        ("step", "succeeded"),
        ("run", "succeeded"),
    ]
