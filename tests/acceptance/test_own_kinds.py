"""Fact kinds of a content's own: events, states and requests (LANGUAGE, facts)."""

import json

import pytest
from support.cli import lines
from support.content import write

HTTP = {
    "type": "object",
    "x-mode": "event",
    "x-key": ["service"],
    "properties": {
        "service": {"type": "string"},
        "status": {"type": "integer"},
        "path": {"type": "string", "x-was": "url"},
    },
}
JOB = {
    "type": "object",
    "x-mode": "state",
    "x-key": ["id"],
    "x-scope": "global",
    "x-stale-after": "1h",
    "properties": {"id": {"type": "string"}, "late": {"type": "boolean"}},
}
GATE = {
    "type": "object",
    "x-mode": "request",
    "properties": {
        "branch": {"type": "string"},
        "risk": {"type": "integer", "default": 5},
        "machine": {"type": "string"},
    },
}
RULES = """\
name: own
rules:
  - name: errors
    when: http.status >= 500
    by: [http.service]
    count: 2
    within: 1m
    then: [{alert: "{{ http.service }} {{ http.path }}"}]
  - {name: late, when: job.late, for: 50m, then: [{alert: "{{ job.id }}"}]}
  - name: risky
    when: gate.risk > 4 and gate.branch == "main"
    then: [{deny: true, reason: "risk {{ gate.risk }}"}]
  - name: waiting
    when: {all: [gate.risk > 0, job.late]}
    then: [{ask: {role: admin}, reason: "job {{ job.id }} is late"}]
  - name: full
    when: {all: [gate.risk > 0, disk.used_percent > 90]}
    then: [{deny: true, reason: never}]
  - name: full-there
    when:
      all: [defined(gate.machine), disk.used_percent > 90]
      join: []
      that: disk.device == gate.machine
    then: [{deny: true, reason: "{{ disk.mount }} is full"}]
"""


@pytest.fixture
def content(tmp_path):
    kinds = {"http": HTTP, "job": JOB, "gate": GATE}
    files = {f"schema/facts/{name}.schema.json": json.dumps(kind) for name, kind in kinds.items()}
    return write(tmp_path / "content", {**files, "policies/own.yaml": RULES})


def at(second, kind, host=None, **data):
    beside = {} if host is None else {"host": host}
    return {"at": f"2026-01-01T00:00:{second:02d}Z", "kind": kind, **beside, "data": data}


def test_events_states_and_requests_of_ones_own(wakil, content, tmp_path):
    facts = lines(
        tmp_path / "f",
        at(0, "http", "a", service="shop", status=500, url="/old"),
        at(10, "http", "b", service="shop", status=502, url="/x"),
        at(20, "job", id="7", late=True),
        at(25, "disk", "localhost", mount="/", used_percent=95),
        at(30, "gate", branch="main"),
        at(40, "gate", branch="dev", risk=0),
    )
    until = "2026-01-01T02:00:00Z"
    result = wakil("simulate", "--facts", facts, "--until", until, content)
    told = [(each["at"][11:19], each["rule"], each["key"]) for each in result.lines]
    assert told == [
        ("00:00:10", "errors", {"http.service": "shop"}),
        ("00:00:30", "risky", {}),
        ("00:00:30", "waiting", {"job.id": "7"}),
        ("00:50:20", "late", {"job.id": "7"}),
    ]
    errors, risky, waiting, _ = result.lines
    assert errors["data"]["text"] == "shop /x"  # `x-was` renames an arriving field
    assert risky["data"] == {"selector": True, "reason": "risk 5"}  # the default is filled in
    assert "host" not in risky["because"][0]["fact"]
    assert waiting["data"]["reason"] == "job 7 is late"


def test_a_request_has_no_host_so_a_hosted_kind_joins_only_by_join(wakil, content, tmp_path):
    facts = lines(
        tmp_path / "f",
        at(0, "disk", "web-1", mount="/", used_percent=95, device="web-1"),
        at(10, "gate", machine="web-1"),
        at(20, "gate", machine="web-2"),
    )
    result = wakil("simulate", "--facts", facts, content)
    assert result.err == ""
    (decision,) = result.lines
    assert (decision["rule"], decision["data"]["reason"]) == ("full-there", "/ is full")
    assert decision["at"] == "2026-01-01T00:00:10Z"


def test_an_own_request_in_a_rule_test(wakil, content):
    cases = """\
ruleset: own
cases:
  - name: refused
    request: {gate: {branch: main}}
    expect: {refused: true}
  - name: asked
    request: {gate: {branch: dev}}
    given: [{job: {id: "7", late: true}}]
    expect: {refused: false, ask: admin}
"""
    result = wakil("test", write(content, {"policies/tests/own.yaml": cases}))
    assert "2 passed, 0 failed" in result.out


WRONG = {
    "mode": ({**JOB, "x-mode": "sate"}, "'x-mode' must be"),
    "key": ({**JOB, "x-key": ["nr"]}, "nr"),
    "stale": ({**JOB, "x-stale-after": 15}, "'x-stale-after' must be"),
    "scope": ({**JOB, "x-scope": "everywhere"}, "'x-scope' must be"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_kind_is_said_where_it_stands(wakil, content, name):
    kind, said = WRONG[name]
    file = "schema/facts/job.schema.json"
    result = wakil("check", write(content, {file: json.dumps(kind)}))
    assert result.code == 1
    assert any(line.startswith(f"{file}:1:") and said in line for line in result.out.splitlines())
