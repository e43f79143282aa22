"""The engine is a function of (snapshot, facts in order): killed anywhere, it decides the same."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.errors import StoreError
from engine.core.facts import Fact
from engine.core.values import MINUTE, SECOND
from engine.lang.loader import load
from engine.rules.durable.matcher import build_durable
from engine.rules.engine import Engine
from engine.rules.reference import build_reference

START = 1_767_571_200_000_000
RULES = yaml.safe_load("""
- {name: plain, when: disk.used_percent > 90}
- {name: waits, when: disk.used_percent > 80, for: 3m, until: disk.used_percent < 60}
- {name: held, when: disk.used_percent > 70, unless: maintenance.active, throttle: 4m}
- {name: both, when: disk.used_percent > 80 and cpu.percent > 50, for: 1m}
- {name: either, when: disk.used_percent > 90 or cpu.percent > 90, until: cpu.percent < 20}
- {name: flaps, when: cpu.percent > 50, count: 2, within: 5m}
- {name: joined, when: {all: [auth.result == "failed", cpu.percent > 50], within: 3m}}
- {name: missing, when: auth.result == "succeeded", absent: 6m, unless: maintenance.active}
- {name: answered, when: event.n == 1}
- {name: hours, when: maintenance.active and time.minute >= 10, for: 1m}
- name: group
  when: disk.used_percent > 85
  until: disk.used_percent < 50
  by: [host]
  for: 2m
  then: [{alert: "{{ len(members) }}"}]
- name: counts
  when: auth.result == "failed"
  by: [auth.source_ip]
  count: 3
  within: 4m
  throttle: 1m
- name: chained
  when: alert.severity == "warning" and cpu.percent > 90
  then: [{fact: {kind: event, data: {n: 1}}}]
""")


@cache
def content():
    with TemporaryDirectory() as root:
        (Path(root) / "policies").mkdir()
        policy = Path(root) / "policies" / "set.yaml"
        policy.write_text(json.dumps({"name": "set", "rules": RULES}))
        return load(Path(root), actions={}, agents={}, shared=False)


hosts = st.sampled_from(["a", "b"])
percents = st.sampled_from([5, 55, 75, 82, 88, 95])


def of(kind, **fields):
    return st.tuples(st.just(kind), hosts, st.fixed_dictionaries(fields))


facts = st.one_of(
    of("disk", mount=st.sampled_from(["/", "/v"]), used_percent=percents),
    of("cpu", percent=percents),
    of("maintenance", name=st.just("m"), active=st.booleans()),
    of(
        "auth",
        result=st.sampled_from(["failed", "succeeded"]),
        source_ip=st.sampled_from(["1", "2"]),
    ),
)
steps = st.lists(
    st.tuples(
        facts,
        st.sampled_from([0, 1, 10, 60, 120, 300, 1000]),
        st.sampled_from([0, 0, 0, 0, 400]),
        st.integers(0, 20).map(lambda n: n == 0),
    ),
    min_size=1,
    max_size=40,
)


def stream(drawn):
    """Facts with the receiver's clock beside them: some late, some gone."""
    now = START
    for (kind, host, data), wait, late, gone in drawn:
        now += wait * SECOND
        gone = gone and kind in {"disk", "cpu", "maintenance"}
        yield Fact(kind, now - late * SECOND, host, data, gone), now


def played(drawn, matcher, kill=None):
    engine = Engine(content(), now=START, matcher=matcher)
    decided = []
    now = START
    for place, (fact, now) in enumerate(stream(drawn)):
        decided += engine.feed(fact, now)
        if place == kill:
            stored = json.loads(json.dumps(engine.snapshot()))
            engine.close()
            engine = Engine(content(), now=now, matcher=matcher, snapshot=stored)
    decided += engine.tick(now + 30 * MINUTE)
    engine.close()
    return [json.dumps(decision.to_json(), sort_keys=True) for decision in decided]


RELAXED = settings(max_examples=60, deadline=None)


@RELAXED
@given(drawn=steps, kill=st.integers(0, 40))
def test_a_kill_at_any_instant_changes_no_decision(drawn, kill):
    whole = played(drawn, build_reference)
    assert played(drawn, build_reference, min(kill, len(drawn) - 1)) == whole


@RELAXED
@given(drawn=steps)
def test_both_matchers_decide_the_same(drawn):
    assert played(drawn, build_durable) == played(drawn, build_reference)


@RELAXED
@given(drawn=steps)
def test_a_reload_of_the_same_content_decides_nothing(drawn):
    engine = Engine(content(), now=START, matcher=build_reference)
    now = START
    for fact, now in stream(drawn):
        engine.feed(fact, now)
    before = list(engine.tick(now)), list(engine.firings())
    other = replace(content(), commit="another")
    assert engine.reload(other, now) == []
    assert list(engine.firings()) == before[1]
    engine.close()


def test_a_snapshot_of_another_version_is_refused_with_a_sentence():
    engine = Engine(content(), now=START, matcher=build_reference)
    stored = engine.snapshot() | {"version": 99}
    with pytest.raises(StoreError, match="version 99"):
        Engine(content(), now=START, matcher=build_reference, snapshot=stored)
