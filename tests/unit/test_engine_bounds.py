"""What is remembered is bounded for each host; hostile facts neither stop nor fool the engine."""

import json
from pathlib import Path

import pytest

from engine.core.facts import Fact
from engine.lang.loader import load
from engine.rules.correlation.facts import SUBJECTS_PER_HOST
from engine.rules.correlation.shares import KEYS_PER_HOST
from engine.rules.engine import Engine
from engine.rules.reference import build_reference
from engine.rules.simulate import as_line, simulate

START = 1_767_571_200_000_000


def bundle(root: Path, *rules):
    (root / "policies").mkdir()
    (root / "policies" / "set.yaml").write_text(json.dumps({"name": "set", "rules": list(rules)}))
    return load(root, actions={}, agents={}, shared=False)


def disk(host, mount, percent, at=0, **more):
    return Fact("disk", START + at, host, {"mount": mount, "used_percent": percent, **more})


FULL = {"name": "full", "when": "disk.used_percent > 90", "for": "1m", "then": [{"alert": "x"}]}


def test_a_flood_of_subjects_evicts_neither_other_hosts_nor_open_firings(tmp_path):
    engine = Engine(bundle(tmp_path, FULL), now=START, matcher=build_reference)
    engine.feed(disk("quiet", "/", 95))
    engine.feed(disk("loud", "/", 95))
    engine.tick(START + 60_000_000)
    opened = {firing.id for firing in engine.firings()}
    assert len(opened) == 2
    for number in range(3 * SUBJECTS_PER_HOST):
        engine.feed(disk("loud", f"/{number}", 10, 61_000_000 + number))
    assert {firing.id for firing in engine.firings()} == opened
    assert len(engine.facts("disk", "quiet")) == 1
    assert len(engine.facts("disk", "loud")) <= SUBJECTS_PER_HOST
    counters = engine.counters()
    assert counters["subjects_expired"] >= SUBJECTS_PER_HOST
    assert counters["subjects"] <= SUBJECTS_PER_HOST + 1


def test_a_flood_of_open_firings_refuses_new_subjects_of_that_host_alone(tmp_path):
    rule = {"name": "full", "when": "disk.used_percent > 90"}
    engine = Engine(bundle(tmp_path, rule), now=START, matcher=build_reference)
    for number in range(SUBJECTS_PER_HOST + 50):
        engine.feed(disk("loud", f"/{number}", 99, number))
    assert len(engine.firings()) == SUBJECTS_PER_HOST
    assert engine.counters()["subjects_refused"] == 50
    assert engine.feed(disk("quiet", "/", 99, 10_000))


def test_keys_of_an_event_rule_expire_by_host(tmp_path):
    rule = {
        "name": "brute",
        "when": 'auth.result == "failed"',
        "by": ["host", "auth.source_ip"],
        "count": 2,
        "within": "1h",
    }
    engine = Engine(bundle(tmp_path, rule), now=START, matcher=build_reference)

    def failed(host, address, at):
        return engine.feed(
            Fact("auth", START + at, host, {"result": "failed", "source_ip": address})
        )

    failed("quiet", "10.0.0.1", 0)
    for number in range(2 * KEYS_PER_HOST):
        failed("loud", str(number), number)
    assert engine.counters()["keys"] <= KEYS_PER_HOST + 1
    assert engine.counters()["expired"] >= KEYS_PER_HOST - 1
    assert [d.rule for d in failed("quiet", "10.0.0.1", 10**6)] == ["brute"]


def test_an_event_part_remembers_at_most_a_thousand_matches_of_a_subject(tmp_path):
    rule = {
        "name": "both",
        "when": {"all": ['auth.result == "failed"', "cpu.percent > 90"], "within": "1h"},
        "then": [{"alert": "x"}],
    }
    engine = Engine(bundle(tmp_path, rule), now=START, matcher=build_reference)
    for number in range(3_000):
        engine.feed(Fact("auth", START + number, "a", {"result": "failed"}))
    stored = engine.snapshot()["rules"]["set/both"]
    assert len(stored["joined"][0][0]) == 1_000
    assert len(engine.feed(Fact("cpu", START + 3_000, "a", {"percent": 95}))) == 1


def test_memory_of_a_calm_stream_does_not_grow(tmp_path):
    engine = Engine(bundle(tmp_path, FULL), now=START, matcher=build_reference)
    for number in range(20_000):
        percent = 95 if number % 50 < 25 else 10
        engine.feed(disk("a", f"/{number % 5}", percent, number * 1_000_000))
    counters = engine.counters()
    assert counters["deadlines"] <= 4096 + 1
    assert counters["subjects"] <= 5 + 5


HOSTILE = [
    {"mount": None, "used_percent": 95},
    {"mount": ["/", {"a": 1}], "used_percent": 95},
    {"mount": {"x": "y"}, "used_percent": 95},
    {"mount": True, "used_percent": 95},
    {"mount": 1, "used_percent": 95},
    {"mount": 1.0, "used_percent": 95},
    {"mount": "\0[1]", "used_percent": 95},
    {"mount": "", "used_percent": 95},
    {"mount": "/", "used_percent": float("nan")},
    {"mount": "/", "used_percent": float("inf")},
    {"mount": "/", "used_percent": 10**400},
    {"mount": "/", "used_percent": "99"},
    {"mount": "/\ud800", "used_percent": 95},
    {"used_percent": 95},
    {},
    {f"key{number}": number for number in range(300)} | {"mount": "/", "used_percent": 95},
]


def test_hostile_facts_decide_the_same_lines_every_time(tmp_path):
    rule = {
        "name": "full",
        "when": "disk.used_percent > 90",
        "then": [{"alert": "{{ disk.mount }}"}],
    }
    content = bundle(tmp_path, rule)
    facts = [Fact("disk", START + n, "a", data) for n, data in enumerate(HOSTILE)]
    facts += [Fact("disk", START + 100 + n, None, data) for n, data in enumerate(HOSTILE)]
    facts.append(Fact("nothing", START + 200, "a", {}))
    first = [as_line(decision) for decision in simulate(content, facts)]
    assert first == [as_line(decision) for decision in simulate(content, facts)]
    assert first == [as_line(d) for d in simulate(content, facts, matcher=build_reference)]
    for line in first:
        json.loads(line)
    keys = [json.dumps(json.loads(line)["key"]) for line in first if '"alert"' in line]
    assert len(set(keys)) >= 9


def test_a_snapshot_brings_hostile_keys_back(tmp_path):
    rule = {"name": "full", "when": "disk.used_percent > 90"}
    content = bundle(tmp_path, rule)
    engine = Engine(content, now=START, matcher=build_reference)
    for number, data in enumerate(HOSTILE[:8]):
        engine.feed(Fact("disk", START + number, "a", data))
    stored = json.loads(json.dumps(engine.snapshot()))
    again = Engine(content, now=START + 100, matcher=build_reference, snapshot=stored)
    assert [firing.key for firing in again.firings()] == [f.key for f in engine.firings()]
    assert len(again.firings()) == 8


def test_a_day_of_facts_twice_is_the_same_bytes(tmp_path):
    content = bundle(tmp_path, FULL)
    facts = [
        disk(f"h{n % 10}", "/", 95 if (n // 600) % 3 == 0 else 40, n * 2_000_000)
        for n in range(43_200)
    ]
    until = START + 86_400_000_000
    first = "\n".join(as_line(decision) for decision in simulate(content, facts, until))
    assert first == "\n".join(as_line(decision) for decision in simulate(content, facts, until))
    assert first.count('"alert"') > 100


@pytest.mark.parametrize("field", ["at", "because", "data", "decision", "firing", "key"])
def test_lines_have_the_documented_fields_sorted(tmp_path, field):
    content = bundle(tmp_path, FULL)
    (line,) = [as_line(d) for d in simulate(content, [disk("a", "/", 95)], START + 60_000_000)]
    shown = json.loads(line)
    assert field in shown
    assert list(shown) == sorted(shown)
    assert shown["at"] == "2026-01-05T00:01:00Z"
    assert shown["key"] == {"host": "a", "disk.mount": "/"}
    (reason,) = shown["because"]
    assert reason["condition"] == "disk.used_percent > 90"
    assert reason["file"] == "policies/set.yaml"
    assert reason["fact"]["data"] == {"mount": "/", "used_percent": 95}
