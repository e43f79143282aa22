"""Runs every case in tests/cases/meaning: LANGUAGE's section "Meaning", sentence by sentence.

Each case is played three times: by the reference matcher, through durable-rules, and with the
engine's snapshot taken as JSON and restored after every step. All must decide the same.
"""

import json
from pathlib import Path

import pytest
import yaml

from engine.core.facts import Fact
from engine.core.values import format_duration, parse_duration
from engine.lang.loader import load
from engine.rules.durable.matcher import build_durable
from engine.rules.engine import Engine
from engine.rules.reference import build_reference

CASES = Path(__file__).parent.parent / "cases" / "meaning"
START = 1_767_571_200_000_000  # 2026-01-05T00:00:00Z, a Monday
BESIDE = {"at", "host", "gone", "time"}


def every_case():
    for file in sorted(CASES.glob("[0-9]*.yaml")):
        for case in yaml.safe_load(file.read_text("utf-8")):
            yield pytest.param(case, id=f"{file.stem}: {case['name']}")


@pytest.mark.parametrize("case", list(every_case()))
def test_case(case, tmp_path):
    content = Content(tmp_path, case)
    expected = [shape(item) for item in case["expect"]]
    for matcher, restored in (
        (build_reference, False),
        (build_durable, False),
        (build_reference, True),
    ):
        decisions = play(content, case, matcher, restored=restored)
        told = [tell(decision) for decision in decisions]
        matched = [pick(found, wanted) for found, wanted in zip(told, expected, strict=False)]
        assert matched == expected, "\n".join(map(str, told))
        assert len(told) == len(expected), "\n".join(map(str, told))


class Content:
    """A case's content, written where the loader reads it."""

    def __init__(self, root, case):
        self.root = root
        self.case = case
        self.versions = 0

    def bundle(self, rules=None):
        self.versions += 1
        root = self.root / str(self.versions)
        policies = self.case.get("policies") or {"set": {}}
        if rules is not None:
            policies = {"set": {"rules": rules}}
        elif "rules" in self.case:
            policies = {"set": {"rules": self.case["rules"], **self.case.get("set", {})}}
        for name, body in policies.items():
            write(root / "policies" / f"{name}.yaml", {"name": name, **body})
        for name, body in self.case.get("configs", {}).items():
            write(root / "configs" / f"{name}.yaml", body)
        for name, schema in self.case.get("kinds", {}).items():
            file = root / "schema" / "facts" / f"{name}.schema.json"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps({"type": "object", "title": name, **schema}))
        return load(root, actions={}, agents={}, shared=False)


def write(file, body):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(body))


def play(content, case, matcher, *, restored):
    bundle = content.bundle()
    engine = Engine(bundle, now=START, matcher=matcher)
    decisions = []
    try:
        for step in case["facts"]:
            at = START + parse_duration(step["at"])
            if "reload" in step:
                decisions += engine.reload(content.bundle(step["reload"]), at)
            elif "restart" in step:
                engine = again(engine, at, matcher)
                decisions += engine.tick(at)
            elif "asked" in step:
                decisions += engine.tick(at)
                assert facet(engine, step["asked"]) == step["answer"]
            else:
                decisions += feed(engine, step, at, bundle)
            if restored:
                engine = again(engine, at, matcher)
        if "until" in case:
            decisions += engine.tick(START + parse_duration(case["until"]))
    finally:
        engine.close()
    return decisions


def feed(engine, step, at, bundle):
    (kind,) = [name for name in step if name not in BESIDE]
    host = None if bundle.kinds[kind].is_global else step.get("host", "test")
    own = START + parse_duration(step["time"]) if "time" in step else at
    fact = Fact(kind, own, host, step[kind], step.get("gone", False))
    return engine.feed(fact, at if "time" in step else None)


def again(engine, at, matcher):
    stored = json.loads(json.dumps(engine.snapshot()))
    engine.close()
    return Engine(engine.bundle, now=at, matcher=matcher, snapshot=stored)


def facet(engine, what):
    if what == "stale":
        return [firing.stale for firing in engine.firings()]
    if what == "open":
        return [firing.rule for firing in engine.firings()]
    if what == "upcoming":
        return [
            f"{format_duration(up.at - START)} {up.type} {up.rule}" for up in engine.upcoming(9)
        ]
    return engine.counters().get(what, 0)


def shape(item):
    """`5m rule alert` or the same with more to compare: key, data."""
    at, rule, decision = item["is"].split() if isinstance(item, dict) else item.split()
    wanted = {"at": at, "rule": rule, "decision": decision}
    return (
        wanted | {k: v for k, v in item.items() if k != "is"} if isinstance(item, dict) else wanted
    )


def tell(decision):
    return {
        "at": format_duration(decision.at - START),
        "rule": decision.rule,
        "decision": decision.decision,
        "key": dict(decision.key),
        "data": dict(decision.data),
        "because": [b.condition for b in decision.because],
        "text": decision.data.get("text"),
    }


def pick(found, wanted):
    return {name: found[name] for name in wanted}
