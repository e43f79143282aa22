"""The quiet case: where nothing holds, a few comparisons say so, and nothing else is looked at."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pytest

from engine.core.values import MISSING
from engine.lang.expression import at, parse
from engine.rules.durable.kind import KindMatcher
from engine.rules.durable.quiet import quiet_mask, quiet_terms
from engine.rules.durable.tables import Account
from engine.rules.matcher import Judged
from engine.rules.reference import build_reference


class Hosts:
    def labels_of(self, host: str | None) -> Mapping[str, str]:
        return {"role": "web"} if host == "web" else {}

    def vars_of(self, host: str | None) -> Mapping[str, Any]:
        return {}


def judged(*texts: str) -> list[Judged]:
    return [Judged("k", parse(text, at("test.yaml")), {}) for text in texts]


def matcher(*texts: str) -> KindMatcher:
    return KindMatcher("k", judged(*texts), Hosts(), Account())


MIXED = (
    "k.a > 90",
    "k.a >= 95 and k.name != 'x'",
    "k.b < 10",
    "k.b > 80",
    "k.state in ['failed', 'stopped']",
    "k.bad",
    "k.c == 5 or k.name == 'y'",
    "labels.role == 'web' and k.a > 50",
)


def test_a_quiet_fact_is_not_looked_up() -> None:
    kind = matcher(*MIXED)
    world = kind._common
    judge = world.judge
    data = {"a": 20, "b": 50.5, "state": "running", "name": "n", "bad": False, "c": 7}
    assert judge("h", data) == 0
    for name in [name for name in world._space if name[0] in "Bcaw" and name != "W"]:
        world._space[name] = None  # whatever is looked up from now on fails
    assert judge("h", data) == 0
    assert judge("h", {"b": 50.5, "c": 7}) == 0
    with pytest.raises(TypeError):
        judge("h", {**data, "a": 91})
    kind.close()


@pytest.mark.parametrize("value", [
    20, 91, 9.5, 5, 7, math.nan, math.inf, -math.inf, 10**400, True, False, None, MISSING,
    "failed", "x", "y", "", [], {}, [1],
])  # fmt: skip
@pytest.mark.parametrize("name", ["a", "b", "c", "name", "state", "bad"])
def test_around_the_quiet_case_the_truth_is_the_references(name: str, value: Any) -> None:
    kind = matcher(*MIXED)
    reference = build_reference({"k": judged(*MIXED)}, Hosts()).judge("k")
    quiet = {"a": 20, "b": 50.5, "state": "running", "name": "n", "bad": False, "c": 7}
    data = {**quiet, name: value}
    if value is MISSING:
        del data[name]
    for host in ("h", "web"):
        assert kind.judge(host, data) == reference(host, data)
    kind.close()


def test_what_the_quiet_case_cannot_rule_out_is_still_judged() -> None:
    kind = matcher("k.a > 90", "k.name != 'x'", "not (k.b > 5)")
    assert kind.judge("h", {"a": 20, "name": "n", "b": 3}) == 0b110
    assert kind.judge("h", {"a": 20, "name": "x", "b": 6}) == 0
    assert kind.judge("h", {"a": 20}) == 0b100
    kind.close()


def test_the_quiet_case_rests_on_rows_that_durable_rules_gave() -> None:
    kind = matcher("k.a > 90", "k.a < 10", "k.b == 'x'")
    plan = kind._common._plan
    chosen, left = quiet_terms(plan)
    assert left == 0
    assert quiet_mask(chosen, plan.everything) == 0
    for case in chosen:
        assert all(case.table.rows[code] is not None for code in case.codes)
    kind.close()
