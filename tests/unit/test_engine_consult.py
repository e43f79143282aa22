"""Consulting, case by case (tests/cases/meaning/consulting.yaml), and that it changes nothing."""

import json
from pathlib import Path

import pytest
import yaml

from engine.core.facts import Fact
from engine.lang.loader import load
from engine.rules.durable.matcher import build_durable
from engine.rules.engine import Engine
from engine.rules.reference import build_reference

CASES = Path(__file__).parent.parent / "cases" / "meaning" / "consulting.yaml"
START = 1_767_571_200_000_000


@pytest.mark.parametrize("matcher", [build_durable, build_reference])
@pytest.mark.parametrize("case", yaml.safe_load(CASES.read_text()), ids=lambda case: case["name"])
def test_case(case, matcher, tmp_path):
    (tmp_path / "policies").mkdir()
    body = {"name": "set", **case.get("set", {}), "rules": case["rules"]}
    (tmp_path / "policies" / "set.yaml").write_text(json.dumps(body))
    bundle = load(tmp_path, actions={}, agents={}, shared=False)
    only = [one for one in bundle.rulesets if one.name == "set"]
    assert len(only) == 1
    engine = Engine(bundle, now=START, matcher=matcher)
    for given in case.get("given", []):
        engine.feed(fact_of(given, bundle))
    before = json.dumps(engine.snapshot(), sort_keys=True)
    request = fact_of(case["request"], bundle)
    verdict = engine.consult(request)
    assert facets(verdict, case["expect"]) == case["expect"]
    assert json.dumps(engine.snapshot(), sort_keys=True) == before
    again = engine.consult(request)
    assert [d.to_json() for d in again.decisions] == [d.to_json() for d in verdict.decisions]
    engine.close()


def fact_of(written, bundle):
    ((kind, data),) = written.items()
    host = None if bundle.kinds[kind].is_global else "test"
    return Fact(kind, START, host, data)


def facets(verdict, wanted):
    # The shipped guard lies beneath every content: its own asks are not what a case is about.
    asks = [a for a in verdict.asks if a.reason in {"one", "two"}]
    shown = {
        "candidates": list(verdict.candidates),
        "denied": dict(verdict.denied),
        "refused": verdict.refused,
        "reasons": list(verdict.reasons),
        "asks": [[ask.role, ask.reason, ask.count] for ask in asks],
    }
    return {name: shown[name] for name in wanted}
