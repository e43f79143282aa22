"""Rule tests: what passes, what each failure says, and what is named as uncovered."""

import json

import pytest

from engine.lang.loader import load_with_tests
from engine.rules.casetests import RunCheck, run_tests
from engine.rules.reference import build_reference

RULES = [
    {
        "name": "full",
        "when": "disk.used_percent > 90",
        "for": "5m",
        "then": [{"alert": "{{ disk.mount }} is full"}, {"notify": {"to": "ops", "text": "x"}}],
    },
    {"name": "never", "when": "cpu.percent > 99"},
    {"name": "either", "when": "memory.percent > 90 or cpu.percent > 98"},
]
FACTS = [
    {"at": "0s", "disk": {"mount": "/", "used_percent": 95}},
    {"at": "9m", "disk": {"mount": "/", "used_percent": 50}},
]
EXPECTED = [
    {"at": "5m", "rule": "full", "alert": True, "notify": "ops"},
    {"at": "9m", "rule": "full", "resolved": True},
]


@pytest.fixture
def run(tmp_path):
    def run(*cases, rules=RULES, **options):
        (tmp_path / "policies" / "tests").mkdir(parents=True)
        policy = {"name": "set", "rules": rules}
        (tmp_path / "policies" / "set.yaml").write_text(json.dumps(policy))
        body = {"ruleset": "set", "cases": [{"name": "case", **case} for case in cases]}
        (tmp_path / "policies" / "tests" / "set.yaml").write_text(json.dumps(body))
        loaded = load_with_tests(tmp_path, actions={}, agents={}, shared=False)
        return run_tests(loaded.bundle, loaded.tests, matcher=build_reference, **options)

    return run


def test_what_is_expected_and_nothing_else_passes(run):
    report = run({"facts": FACTS, "expect": EXPECTED})
    assert report.passed
    assert [result.name for result in report.results] == ["case"]


def test_what_is_not_expected_must_not_happen(run):
    report = run({"facts": FACTS, "expect": EXPECTED[:1]})
    (result,) = report.results
    assert result.failures == ("9m: resolve of full (host: test, disk.mount: /) was not expected",)


def test_a_decision_at_another_time_is_named(run):
    wrong = [{"at": "4m", "rule": "full", "alert": True, "notify": "ops"}, EXPECTED[1]]
    (result,) = run({"facts": FACTS, "expect": wrong}).results
    assert any("expected alert of full at 4m" in failure for failure in result.failures)
    assert any("at 5m" in failure for failure in result.failures)


def test_a_text_and_a_key_are_compared_where_given(run):
    good = [{**EXPECTED[0], "alert": "/ is full", "key": {"mount": "/"}}, EXPECTED[1]]
    bad = [{**EXPECTED[0], "alert": "/ is empty"}, EXPECTED[1]]
    other = [{**EXPECTED[0], "key": {"mount": "/var"}}, EXPECTED[1]]
    report = run(*({"facts": FACTS, "expect": expect} for expect in (good, bad, other)))
    assert [result.passed for result in report.results] == [True, False, False]


def test_a_case_lasts_until_the_last_thing_expected(run):
    report = run({"facts": FACTS[:1], "expect": EXPECTED[:1]})
    assert report.passed


def test_rules_and_parts_that_no_case_covers_are_named(run):
    memory = [{"at": "0s", "memory": {"percent": 95}}]
    report = run(
        {"facts": FACTS, "expect": EXPECTED},
        {"facts": memory, "expect": [{"at": "0s", "rule": "either", "record": True}]},
    )
    assert report.passed
    uncovered = {(one.rule, one.condition) for one in report.uncovered if one.ruleset == "set"}
    assert uncovered == {("never", None), ("either", "cpu.percent > 98")}


def test_a_run_goes_on_into_its_playbook(run, tmp_path):
    (tmp_path / "playbooks").mkdir()
    playbook = {"name": "wait", "steps": [{"name": "w", "wait": {"within": "1s"}}]}
    (tmp_path / "playbooks" / "wait.yaml").write_text(json.dumps(playbook))
    rules = [{"name": "full", "when": "disk.used_percent > 90", "then": [{"run": "wait"}]}]
    asked = []

    def check(decision, facts):
        asked.append((dict(decision.data), decision.rule, [fact.kind for fact in facts]))
        return RunCheck("wait", ("it cannot begin",), "policy allows it")

    expect = [{"at": "0s", "rule": "full", "run": "wait"}]
    report = run({"facts": FACTS[:1], "expect": expect}, rules=rules, check_run=check)
    (result,) = report.results
    assert asked == [({"playbook": "wait", "with": {}}, "full", ["disk"])]
    assert result.failures == ("0s: full: it cannot begin",)
    assert result.runs == (RunCheck("wait", ("it cannot begin",), "policy allows it"),)


def test_of_a_verdict_only_what_is_named_is_compared(run):
    rules = [
        {
            "name": "r",
            "when": 'task.type == "chat"',
            "then": [{"deny": {"tier": "free"}, "reason": "secret"}],
        }
    ]
    given = [{"model": {"id": "a", "tier": "free"}}, {"model": {"id": "b", "tier": "paid"}}]
    request = {"task": {"type": "chat"}}
    wanted = [
        {"candidates": ["b"]},
        {"first": "b"},
        {"denied": {"a": "secret"}},
        {"refused": False},
        {"candidates": ["a", "b"]},
        {"first": "a"},
        {"denied": {"b": "secret"}},
        {"refused": True},
        {"ask": "operator"},
    ]
    cases = [{"request": request, "given": given, "expect": one} for one in wanted]
    report = run(*cases, rules=rules)
    assert [result.passed for result in report.results] == [True] * 4 + [False] * 5
    assert "line 1: expected candidates ['a', 'b'], found ['b']" in report.results[4].failures
