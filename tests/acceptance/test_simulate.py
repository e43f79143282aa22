"""`wakil simulate`: recorded facts in, decisions as JSON lines out (DESIGN, command line)."""

import json
import os
import subprocess
import sys

import pytest
from support.cli import lines
from support.content import write

DISK = """\
name: disk
rules:
  - name: full
    when: disk.used_percent > 90
    then: [{alert: "{{ disk.mount }} of {{ host }} at {{ disk.used_percent }}", tell: on_failure}]
"""
FACT = {
    "at": "2026-01-01T00:00:00Z",
    "kind": "disk",
    "host": "web-1",
    "data": {"mount": "/", "used_percent": 95},
}


def fact(minute, value, host="web-1", mount="/", **beside):
    at = f"2026-01-01T00:{minute:02d}:00Z"
    return {
        **FACT,
        "at": at,
        "host": host,
        "data": {"mount": mount, "used_percent": value},
        **beside,
    }


def raw(host, value, more=""):
    """A line whose number is written as `value`, whatever that is."""
    return (
        f'{{"at": "2026-01-01T00:00:00Z", "kind": "disk", "host": "{host}",'
        f' "data": {{"mount": "/", "used_percent": {value}{more}}}}}'
    )


@pytest.fixture
def content(tmp_path):
    return write(tmp_path / "content", {"policies/disk.yaml": DISK})


def test_a_decision_has_the_documented_fields_and_nothing_else(wakil, content, tmp_path):
    result = wakil("simulate", "--facts", lines(tmp_path / "f", FACT), content)
    assert (result.code, result.err) == (0, "")
    (decision,) = result.lines
    assert len(decision.pop("firing")) >= 16
    assert decision == {
        "at": "2026-01-01T00:00:00Z",
        "rule": "full",
        "ruleset": "disk",
        "decision": "alert",
        "key": {"host": "web-1", "disk.mount": "/"},
        "data": {"text": "/ of web-1 at 95", "severity": "warning", "tell": "on_failure"},
        "because": [
            {
                "condition": "disk.used_percent > 90",
                "file": "policies/disk.yaml",
                "line": 4,
                "fact": FACT,
            }
        ],
    }


def test_keys_are_sorted_at_every_depth(wakil, content, tmp_path):
    deep = {**FACT, "data": {"z": {"b": 1, "a": 2}, "mount": "/", "used_percent": 95}}
    result = wakil("simulate", "--facts", lines(tmp_path / "f", deep), content)
    (line,) = result.out.splitlines()
    assert json.dumps(json.loads(line), sort_keys=True, separators=(",", ":")) == line


def test_the_same_bytes_whatever_the_process_and_its_surroundings(content, tmp_path):
    facts = lines(
        tmp_path / "f",
        *(fact(minute, 89 + minute % 3, host, f"/ü{minute % 2}")
          for minute in range(30) for host in ("a", "b")),
    )  # fmt: skip
    first = run(facts, content, {"PYTHONHASHSEED": "1"})
    again = run(facts, content, {"PYTHONHASHSEED": "2", "LC_ALL": "C", "TZ": "Asia/Tokyo"})
    assert first == again
    assert first.count(b"\n") > 10


def run(facts, content, env):
    command = [sys.executable, "-m", "engine.cli", "simulate", "--facts", facts, content]
    clean = {**os.environ, "WAKIL_CONFIG": "", **env}
    return subprocess.run(command, capture_output=True, env=clean, check=True, timeout=60).stdout


def test_gone_stands_beside_data_and_resolves(wakil, content, tmp_path):
    gone = {"at": "2026-01-01T00:01:00Z", "kind": "disk", "host": "web-1",
            "data": {"mount": "/"}, "gone": True}  # fmt: skip
    result = wakil("simulate", "--facts", lines(tmp_path / "f", FACT, gone), content)
    alert, resolve = result.lines
    assert (resolve["decision"], resolve["data"], resolve["at"]) == ("resolve", {}, gone["at"])
    assert resolve["firing"] == alert["firing"]


def test_until_goes_on_to_a_time_and_without_it_the_last_fact_is_the_end(wakil, tmp_path):
    slow = DISK.replace("    then", "    for: 5m\n    then")
    content = write(tmp_path / "content", {"policies/disk.yaml": slow})
    facts = lines(tmp_path / "f", FACT, fact(4, 95))
    assert wakil("simulate", "--facts", facts, content).lines == []
    for until, fires in (("2026-01-01T00:04:59.999999Z", 0), ("2026-01-01T03:05:00+03:00", 1)):
        result = wakil("simulate", "--facts", facts, "--until", until, content)
        assert [each["at"] for each in result.lines] == ["2026-01-01T00:05:00Z"] * fires


def test_until_before_the_facts_leaves_later_ones_out(wakil, content, tmp_path):
    facts = lines(tmp_path / "f", fact(1, 5), fact(3, 95))
    result = wakil("simulate", "--facts", facts, "--until", "2026-01-01T00:02:00Z", content)
    assert (result.code, result.lines) == (0, [])


@pytest.mark.parametrize("until", ["tomorrow", "2026-01-01", "5m", "2026-13-01T00:00:00Z"])
def test_a_wrong_until_is_usage(wakil, content, tmp_path, until):
    result = wakil("simulate", "--facts", lines(tmp_path / "f", FACT), "--until", until, content)
    assert (result.code, result.out) == (2, "")
    assert "2026-01-01T00:00:00Z" in result.err


def test_requests_are_put_to_the_rules(wakil, tmp_path):
    rules = """\
name: choice
rules:
  - {name: free-first, when: task.priority != "critical", then: [{prefer: {tier: free}}]}
  - name: too-slow
    when:
      all: [defined(task.max_seconds), defined(model.p95_seconds)]
      that: model.p95_seconds > task.max_seconds
    then: [{deny: candidate, reason: too slow}]
"""
    content = write(tmp_path / "content", {"policies/choice.yaml": rules})
    facts = lines(
        tmp_path / "f",
        {"at": "2026-01-01T00:00:00Z", "kind": "model", "data": {"id": "a", "p95_seconds": 9}},
        {"at": "2026-01-01T00:00:00Z", "kind": "model", "data": {"id": "b", "p95_seconds": 1}},
        {"at": "2026-01-01T00:01:00Z", "kind": "task", "data": {"type": "x", "max_seconds": 5}},
        {"at": "2026-01-01T00:02:00Z", "kind": "task", "data": {"priority": "critical"}},
    )
    prefer, deny = wakil("simulate", "--facts", facts, content).lines
    assert (prefer["decision"], prefer["key"]) == ("prefer", {})
    assert prefer["data"] == {"selector": {"tier": "free"}, "reason": ""}
    assert prefer["at"] == deny["at"] == "2026-01-01T00:01:00Z"
    assert (deny["decision"], deny["key"]) == ("deny", {"model.id": "a"})
    assert deny["data"] == {"selector": "candidate", "reason": "too slow"}
    assert [
        (each["condition"], each["line"], each["fact"]["kind"]) for each in deny["because"]
    ] == [
        ("defined(task.max_seconds)", 6, "task"),
        ("defined(model.p95_seconds)", 6, "model"),
        ("model.p95_seconds > task.max_seconds", 7, "model"),
    ]


# ── hostile lines ─────────────────────────────────────────────────────────────────────────────

REFUSED = {
    "no-kind": ({"at": FACT["at"], "data": {}}, "kind"),
    "unknown-kind": ({**FACT, "kind": "dsik"}, "did you mean 'disk'"),
    "kind-a-list": ({**FACT, "kind": ["disk"]}, "kind"),
    "no-time": ({**FACT, "at": None}, "'at' must be a time"),
    "time-a-number": ({**FACT, "at": 1767225600}, "'at' must be a time"),
    "time-without-zone": ({**FACT, "at": "2026-01-01T00:00:00"}, "'at' must be a time"),
    "year-zero": ({**FACT, "at": "0000-01-01T00:00:00Z"}, "'at' must be a time"),
    "year-one": ({**FACT, "at": "0001-01-01T00:00:00+23:59"}, "'at' must be a time"),
    "year-9999": ({**FACT, "at": "9999-12-31T23:59:59-23:59"}, "'at' must be a time"),
    "february-30": ({**FACT, "at": "2026-02-30T00:00:00Z"}, "'at' must be a time"),
    "host-a-number": ({**FACT, "host": 7}, "'host' must be a name"),
    "data-a-list": ({**FACT, "data": [1]}, "'data' must be an object"),
    "gone-a-text": ({**FACT, "gone": "yes"}, "'gone' must be true or false"),
    "a-list": ("[1]", "a fact is an object"),
    "null": ("null", "a fact is an object"),
    "a-number": ("1e999", "a fact is an object"),
    "deep": ('{"x":' + "[" * 100_000 + "]" * 100_000 + "}", "nested too deep"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_fact_is_left_out_with_a_warning_naming_its_line(wakil, content, tmp_path, name):
    bad, said = REFUSED[name]
    facts = lines(tmp_path / "f.jsonl", fact(1, 95, "a"), bad, fact(2, 95, "b"))
    result = wakil("simulate", "--facts", facts, content)
    assert result.code == 0
    assert [each["key"]["host"] for each in result.lines] == ["a", "b"]
    (warning,) = result.err.splitlines()
    assert warning.startswith(f"{facts}:2: warning: ")
    assert said in warning


BROKEN = {
    "cut-off": b'{"at": "2026-01-01T00:00:00Z", "kind": "disk"',
    "two-values": b"{} {}",
    "word": b"fact",
    "not-utf-8": b'{"kind": "\xff"}',
    "binary": bytes(range(1, 10)),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_line_that_is_not_json_is_an_error_naming_it(wakil, content, tmp_path, name):
    facts = lines(tmp_path / "f.jsonl", fact(1, 95), "", BROKEN[name], fact(2, 95, "b"))
    result = wakil("simulate", "--facts", facts, content)
    assert result.code == 1
    assert f"{facts}:3: not JSON" in result.err
    assert "Traceback" not in result.err


HOLDS = {
    "plain": "95",
    "huge": "9" * 40,
    "beyond-64-bits": str(2**63),
    "large": "1e300",
    "colliding": '95, "cu2ktoba": 1',
    "many": "95, " + ", ".join(f'"k{n}": {n}' for n in range(300)),
    "thousands": "95, " + ", ".join(f'"k{n}": {n}' for n in range(5_000)),
    "reserved": '95, "id": 1, "sid": "x", "$m": {}, "__class__": 2, "and": 3, "": 4',
    "deep-inside": '95, "x": ' + "[" * 500 + "]" * 500,
    "large-text": '95, "x": "' + "x" * 400_000 + '"',
    "half-a-pair": '95, "device": "\\ud800"',
    "nul": '95, "device": "\\u0000"',
    "unicode": '95, "device": "قرص 日本 💾"',
    "twice": '1, "used_percent": 95',
}
FAILS = {
    "not-a-number": "NaN",
    "minus-infinite": "-Infinity",
    "huge-below": "-" + "9" * 40,
    "null": "null",
    "text": '"95"',
    "boolean": "true",
    "list": "[95]",
    "object": '{"a": 95}',
    "tiny": "1e-320",
    "digits": "-" + "9" * 5_000,
}


def test_hostile_values_neither_stop_nor_fool_it(wakil, content, tmp_path):
    facts = lines(
        tmp_path / "f",
        *(raw(name, value) for name, value in {**HOLDS, **FAILS}.items()),
        fact(1, 95, "last"),
    )
    result = wakil("simulate", "--facts", facts, content)
    assert result.code == 0
    assert [each["key"]["host"] for each in result.lines] == [*HOLDS, "last"]
    assert "Traceback" not in result.err


def test_a_wrong_type_is_fed_with_a_warning(wakil, content, tmp_path):
    facts = lines(tmp_path / "f", fact(1, "95"))
    there = DISK.replace("disk.used_percent > 90", "defined(disk.used_percent)")
    write(content, {"policies/disk.yaml": there})
    result = wakil("simulate", "--facts", facts, content)
    assert [each["decision"] for each in result.lines] == ["alert"]
    assert "disk.used_percent must be a number, not a string" in result.err


def test_a_host_given_to_a_global_kind_is_dropped_with_a_warning(wakil, tmp_path):
    rules = "name: m\nrules: [{name: r, when: model.healthy == false, then: [{alert: x}]}]\n"
    content = write(tmp_path / "content", {"policies/m.yaml": rules})
    model = {"at": FACT["at"], "kind": "model", "host": "h", "data": {"id": "a", "healthy": False}}
    result = wakil("simulate", "--facts", lines(tmp_path / "f", model), content)
    (decision,) = result.lines
    assert decision["key"] == {"model.id": "a"}
    assert "host" not in decision["because"][0]["fact"]
    assert result.code == 0
    assert "warning" in result.err


def test_bad_content_is_told_on_standard_error(wakil, content, tmp_path):
    write(content, {"policies/disk.yaml": DISK.replace("used_percent > 90", "used_precent > 90")})
    result = wakil("simulate", "--facts", lines(tmp_path / "f", FACT), content)
    assert (result.code, result.out) == (1, "")
    assert "policies/disk.yaml:4:11: disk has no field 'used_precent'" in result.err


def test_a_missing_file_is_usage(wakil, content, tmp_path):
    result = wakil("simulate", "--facts", tmp_path / "none", content)
    assert (result.code, result.out) == (2, "")


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("2026-01-01T00:00:00.123456789Z", "2026-01-01T00:00:00.123456Z"),
        ("2026-01-01t03:00:00.5+03:00", "2026-01-01T00:00:00.5Z"),
        ("2026-01-01T00:00:00z", "2026-01-01T00:00:00Z"),
        ("2026-01-01T00:00:00.000Z", "2026-01-01T00:00:00Z"),
        ("1969-12-31T23:59:59Z", "1969-12-31T23:59:59Z"),
        ("8999-12-31T23:59:59-23:59", "9000-01-01T23:58:59Z"),
    ],
)
def test_times_as_rfc_3339_has_them(wakil, content, tmp_path, written, shown):
    facts = lines(tmp_path / "f", {**FACT, "at": written})
    (decision,) = wakil("simulate", "--facts", facts, content).lines
    assert decision["at"] == decision["because"][0]["fact"]["at"] == shown


def test_clocks_and_spans_of_any_size_break_nothing(wakil, tmp_path):
    rules = """\
name: a
rules:
  - {name: now, when: 'disk.used_percent > 90 and during("b") and time.hour >= 0'}
  - {name: long, when: disk.used_percent > 90, absent: 999999999w, throttle: 999999999w}
  - {name: ever, when: auth.result == "failed", count: 2, within: 999999999w, then: [{alert: x}]}
"""
    calendar = 'calendars: {b: {hours: "00:00-23:00"}}\n'
    files = {"policies/a.yaml": rules, "configs/calendar.yaml": calendar,
             "configs/wakil.yaml": "timezone: Asia/Riyadh\n"}  # fmt: skip
    content = write(tmp_path / "content", files)
    for at in ("1100-01-01T00:00:00+23:59", "8999-12-31T23:59:59-23:59"):
        failed = {"at": at, "kind": "auth", "host": "h", "data": {"result": "failed"}}
        facts = lines(tmp_path / "f", {**FACT, "at": at}, failed, failed)
        result = wakil("simulate", "--facts", facts, content)
        assert result.code == 0
        assert "ever" in [each["rule"] for each in result.lines]
