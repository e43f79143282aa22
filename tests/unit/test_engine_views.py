"""What the engine shows of itself: facts, open firings, what comes next, counters."""

import json
from hashlib import blake2b

import pytest

from engine.core.facts import Fact
from engine.core.values import MINUTE
from engine.lang.loader import load
from engine.rules.engine import Engine
from engine.rules.reference import build_reference

START = 1_767_571_200_000_000
RULES = [
    {"name": "waits", "when": "disk.used_percent > 90", "for": "30m"},
    {
        "name": "opens",
        "when": "disk.used_percent > 80",
        "severity": "critical",
        "then": [{"alert": "x"}],
    },
    {"name": "absent", "when": 'backup.status == "succeeded"', "absent": "10m"},
    {"name": "counts", "when": "disk.used_percent > 85", "count": 1, "within": "20m"},
]


@pytest.fixture
def engine(tmp_path):
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "set.yaml").write_text(json.dumps({"name": "set", "rules": RULES}))
    bundle = load(tmp_path, actions={}, agents={}, shared=False)
    engine = Engine(bundle, now=START, matcher=build_reference)
    engine.feed(Fact("disk", START + MINUTE, "a", {"mount": "/", "used_percent": 95}))
    yield engine
    engine.close()


def test_facts_by_kind_and_host(engine):
    assert [fact.host for fact in engine.facts("disk", "a")] == ["a"]
    assert engine.facts("disk", "b") == []
    assert engine.facts("nothing") == []
    assert {fact.kind for fact in engine.facts()} == {"disk", "alert"}


def test_the_alert_fact_of_a_firing_is_gone_when_it_resolves(engine):
    (alert,) = engine.facts("alert")
    assert alert.host == "a"
    assert (alert.data["ruleset"], alert.data["rule"]) == ("set", "opens")
    assert (alert.data["subject"], alert.data["severity"], alert.data["status"]) == (
        "/",
        "critical",
        "open",
    )
    engine.feed(Fact("disk", START + 2 * MINUTE, "a", {"mount": "/", "used_percent": 5}))
    assert engine.facts("alert") == []


def test_a_firings_id_is_a_hash_of_rule_key_time_and_ordinal(engine):
    parts = f'["set/opens", {{"disk.mount": "/", "host": "a"}}, {START + MINUTE}, 0]'
    ids = {firing.rule: firing.id for firing in engine.firings()}
    assert ids["set/opens"] == blake2b(parts.encode(), digest_size=8).hexdigest()


THEN = [
    {"alert": "{{ len(members) }} at {{ time.hour }}"},
    {"if": 'during("always")', "alert": "open"},
    {"notify": {"to": "ops", "text": "{{ [m.disk.mount for m in members] }}"}},
    {"fact": {"kind": "event", "data": {"deep": [{"day": "{{ time.weekday }}"}]}}},
]


@pytest.mark.parametrize("place", range(len(THEN)))
def test_each_text_and_input_reads_time_calendars_and_members(tmp_path, place):
    (tmp_path / "policies").mkdir()
    (tmp_path / "configs").mkdir()
    calendars = {"always": {"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]}}
    (tmp_path / "configs" / "calendar.yaml").write_text(json.dumps({"calendars": calendars}))
    rule = {
        "name": "opens",
        "when": "disk.used_percent > 80",
        "by": ["host"],
        "then": [THEN[place]],
    }
    (tmp_path / "policies" / "set.yaml").write_text(json.dumps({"name": "set", "rules": [rule]}))
    engine = Engine(load(tmp_path, actions={}, agents={}, shared=False), now=START)
    (decision,) = engine.feed(Fact("disk", START, "a", {"mount": "/", "used_percent": 95}))
    engine.close()
    said = ("1 at 0", "open", "/", None)[place]
    assert decision.data.get("text") == said
    if said is None:
        assert decision.data["data"] == {"deep": [{"day": "mon"}]}


def test_open_firings(engine):
    shown = [(f.rule, f.since - START, f.severity, f.stale) for f in engine.firings()]
    assert shown == [
        ("set/opens", MINUTE, "critical", False),
        ("set/counts", MINUTE, "warning", False),
    ]


def test_what_comes_next_soonest_first(engine):
    coming = [(up.type, up.rule, (up.at - START) // MINUTE) for up in engine.upcoming(9)]
    assert coming == [
        ("absent", "set/absent", 10),
        ("lapses", "set/counts", 21),
        ("fires", "set/waits", 31),
    ]
    assert len(engine.upcoming(1)) == 1
    assert engine.next_deadline() == START + 10 * MINUTE


def test_what_nobody_knows_is_counted(engine):
    engine.feed(Fact("nothing", START + 3 * MINUTE, "a", {}))
    engine.feed(Fact("task", START + 3 * MINUTE, None, {"type": "chat"}))
    engine.feed(Fact("disk", START, "a", {"mount": "/"}))
    counters = engine.counters()
    assert counters["facts_of_unknown_kind"] == 1
    assert counters["requests_as_facts"] == 1
    assert counters["facts_late"] == 1
    assert counters["matcher_judged"] > 0


def test_ids_of_firings_are_the_same_in_every_run_and_differ_within_one(engine):
    again = Engine(engine.bundle, now=START, matcher=build_reference)
    again.feed(Fact("disk", START + MINUTE, "a", {"mount": "/", "used_percent": 95}))
    ids = [firing.id for firing in engine.firings()]
    assert ids == [firing.id for firing in again.firings()]
    assert len(set(ids)) == 2
