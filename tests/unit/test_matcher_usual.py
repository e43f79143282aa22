"""The usual case: learnt from facts, answered by a few comparisons, never another truth."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from engine.core.values import MISSING
from engine.lang.expression import at, parse
from engine.rules.durable import generate, usual
from engine.rules.durable.kind import KindMatcher
from engine.rules.durable.tables import Account
from engine.rules.matcher import Judge, Judged
from engine.rules.reference import build_reference

MIXED = (
    "k.a > 90",
    "k.a < 70",
    "k.a >= 95 and k.name != 'x'",
    "k.b < 10",
    "k.b > 80",
    "k.state in ['failed', 'stopped']",
    "k.state == 'running'",
    "k.bad",
    "k.c == 5 or k.name == 'y'",
    "labels.role == 'web' and k.a > 50",
    "not (k.d > 3)",
    "len(k.tags) > 2 and k.a < 60",
    "k.e == null",
)
USUAL = {"a": 20, "b": 50.5, "state": "running", "name": "n", "bad": False, "c": 7, "e": None}


class Hosts:
    def labels_of(self, host: str | None) -> Mapping[str, str]:
        return {"role": "web"} if host == "web" else {}

    def vars_of(self, host: str | None) -> Mapping[str, Any]:
        return {}


@pytest.fixture(autouse=True)
def quick_learning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usual, "SAMPLE", 5)
    monkeypatch.setattr(generate, "UNUSUAL", 20)


def judged(*texts: str) -> list[Judged]:
    return [Judged("k", parse(text, at("test.yaml")), {}) for text in texts]


def reference(*texts: str) -> Judge:
    return build_reference({"k": judged(*texts)}, Hosts()).judge("k")


@pytest.fixture
def kind() -> Iterator[KindMatcher]:
    made = KindMatcher("k", judged(*MIXED), Hosts(), Account())
    yield made
    made.close()


def learnt(kind: KindMatcher, data: Mapping[str, Any]) -> dict[str, Any]:
    """Shows the kind one fact until it is usual; gives the globals of its function."""
    for _ in range(6):
        kind.judge("h", data)
    return kind._common._generator.space


def test_a_usual_fact_is_answered_without_a_look_at_rows() -> None:
    texts = [text for text in MIXED if "labels" not in text and "len" not in text]
    kind = KindMatcher("k", judged(*texts), Hosts(), Account())
    space = learnt(kind, USUAL)
    expected = reference(*texts)("h", USUAL)
    for name in [name for name in space if name[0] in "tacw"]:
        space[name] = None  # whatever is looked up from now on fails
    assert kind.judge("h", USUAL) == expected
    assert kind.judge("h", {**USUAL, "a": 21, "name": "other"}) == expected
    with pytest.raises(TypeError):
        kind.judge("h", {**USUAL, "a": 91})
    kind.close()


@pytest.mark.parametrize("value", [
    20, 20.0, 91, 70, 69.9, 9.5, 5, 7, math.nan, math.inf, -math.inf, 10**400, True, False, None,
    MISSING, "failed", "running", "x", "y", "", [], {}, [1], [1, 2, 3],
])  # fmt: skip
@pytest.mark.parametrize("name", ["a", "b", "c", "d", "e", "name", "state", "bad", "tags"])
def test_beside_the_usual_case_the_truth_is_the_references(
    kind: KindMatcher, name: str, value: Any
) -> None:
    learnt(kind, USUAL)
    data = {**USUAL, name: value}
    if value is MISSING:
        del data[name]
    truth = reference(*MIXED)
    for host in ("h", "web", None):
        assert kind.judge(host, data) == truth(host, data)
        assert kind.judge(host, USUAL) == truth(host, USUAL)


def test_what_is_usual_is_learnt_again_when_it_has_changed(kind: KindMatcher) -> None:
    learnt(kind, USUAL)
    truth = reference(*MIXED)
    judge = kind.judge
    code = judge.__code__  # type: ignore[attr-defined]
    changed = {**USUAL, "a": 99, "state": "failed"}
    for _ in range(40):
        assert judge("h", changed) == truth("h", changed)
    assert judge.__code__ is not code  # type: ignore[attr-defined]
    assert judge("h", USUAL) == truth("h", USUAL)


def test_where_nothing_is_usual_nothing_is_tested(kind: KindMatcher) -> None:
    truth = reference(*MIXED)
    for number in range(60):
        data = {"a": number * 37 % 100, "b": number * 53 % 100, "state": str(number), "c": number}
        assert kind.judge("h", data) == truth("h", data)


def test_a_judge_held_from_the_start_is_the_one_that_learns(kind: KindMatcher) -> None:
    held = kind.judge
    learnt(kind, USUAL)
    assert held is kind.judge


def test_after_closing_the_usual_case_is_judged_by_the_reference(kind: KindMatcher) -> None:
    learnt(kind, USUAL)
    kind.close()
    before = kind._account.fallen_back
    assert kind.judge("h", USUAL) == reference(*MIXED)("h", USUAL)
    assert kind._account.fallen_back == before + len(MIXED)
