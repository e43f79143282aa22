"""What each resource takes and gives; problem documents; limits on bodies."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from jsonschema import Draft202012Validator
from support.web import START, Web

from engine.core.decisions import Because, Decision
from engine.core.errors import Position
from engine.core.facts import Fact
from engine.core.runs import Approval, Run, Step, Trigger
from engine.core.values import MINUTE, SECOND
from engine.lang.expression.nodes import Expression, Literal_
from engine.lang.model import Condition, Playbook, Rule, RuleSet, StepSpec
from webui.api.routes import ROUTES


@pytest.fixture
def web(tmp_path):
    opened = Web(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def admin(web: Web):
    return web.client("admin")


def problem(answered, status: int, code: str) -> dict:
    assert answered.status_code == status, answered.text
    assert answered.mimetype == "application/problem+json"
    body = answered.json
    assert {"type", "title", "status", "detail", "code"} <= set(body)
    assert (body["status"], body["code"]) == (status, code)
    return body


# ── facts ─────────────────────────────────────────────────────────────────────────────────────


def test_facts_go_in_and_come_out(web: Web, admin):
    one = {"kind": "cpu", "host": "web-1", "data": {"percent": 5}, "at": "2026-01-01T00:00:00Z"}
    answered = admin.post("/api/v1/facts", json=one)
    assert (answered.status_code, answered.json) == (202, {"accepted": 1})
    many = [{"kind": "disk", "host": "web-1", "data": {"mount": f"/{n}"}} for n in range(3)]
    many[1]["gone"] = True
    assert admin.post("/api/v1/facts", json=many).json == {"accepted": 3}
    page = admin.get("/api/v1/facts?limit=2").json
    assert [item["data"]["mount"] for item in page["items"]] == ["/2", "/1"]
    assert page["items"][1]["gone"] is True
    page = admin.get(f"/api/v1/facts?limit=2&cursor={page['next']}").json
    assert page["next"] is None
    assert page["items"][-1] == one
    assert admin.get("/api/v1/facts?kind=cpu&host=web-1").json["items"] == [one]
    assert admin.get("/api/v1/facts?kind=cpu&host=web-2").json["items"] == []
    since = "/api/v1/facts?since=2026-01-01T00:00:01Z"
    assert admin.get(since).json["items"] == []


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "'kind' is a required property"),
        ({"kind": "cpu"}, "'data' is a required property"),
        ({"kind": "cpu", "data": [], "host": "h"}, "data: [] is not of type 'object'"),
        ({"kind": "cpu", "data": {}, "hots": "h"}, "'hots' was unexpected"),
        ([{"kind": "cpu", "data": {}}, {"kind": 7, "data": {}}], "[1].kind: 7 is not of type"),
        ({"kind": "cpu", "data": {}, "at": "yesterday"}, "is not a time"),
        ({"kind": "nothing", "data": {}}, "there is no fact kind"),
        ([{"kind": "cpu", "data": {}}, {"kind": "cpu", "data": {}, "at": "x"}], "fact 2 of 2"),
        (7, "not valid"),
    ],
)
def test_a_wrong_fact_is_refused_whole(web: Web, admin, body, words):
    answered = admin.post("/api/v1/facts", json=body)
    assert answered.status_code == 422
    assert words in answered.json["detail"]
    assert web.store.journal.position() == 0


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        ("", 400, "missing-body"),
        ("{", 400, "invalid-json"),
        ("[" * 100_000, 400, "invalid-json"),
        ('{"kind": NaN}', 400, "invalid-json"),
        ('{"kind": -Infinity}', 400, "invalid-json"),
        ('{"kind": "cpu", "data": {"a": 1e999}}', 400, "invalid-json"),
        ('{"kind": "cpu", "data": {"a": ' + "9" * 5000 + "}}", 400, "invalid-json"),
        (b"\xff\xfe", 400, "invalid-json"),
        (" " * (8 * 1024 * 1024 + 1), 413, "too-large"),
    ],
)
def test_hostile_bodies_are_problems(admin, data, status: int, code: str):
    answered = admin.post("/api/v1/facts", data=data, content_type="application/json")
    problem(answered, status, code)


@pytest.mark.parametrize("type_", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_only_json_is_read(admin, type_: str):
    problem(admin.post("/api/v1/facts", data="{}", content_type=type_), 415, "not-json")


def test_brackets_in_strings_do_not_count_as_depth(admin):
    data = {"a": "[" * 500, "b": '\\"[['}
    answered = admin.post("/api/v1/facts", json={"kind": "cpu", "data": data})
    assert answered.status_code == 202


# ── errors of addresses and parameters ────────────────────────────────────────────────────────


def test_other_addresses_and_methods_are_problems(admin):
    problem(admin.get("/api/v1/models"), 404, "not-found")
    problem(admin.get("/nonsense"), 404, "not-found")
    answered = admin.put("/api/v1/facts", json={})
    problem(answered, 405, "method-not-allowed")
    assert "POST" in answered.headers["Allow"]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/facts?limit=x", "limit must be a whole number"),
        ("/facts?limit=-1", "limit must be a whole number"),
        ("/facts?since=now", "since must be a time"),
        ("/runs?status=done", "status must be one of queued"),
        ("/alerts?status=x", "status must be one of open"),
    ],
)
def test_wrong_parameters_are_problems(admin, path: str, words: str):
    body = problem(admin.get(f"/api/v1{path}"), 400, "invalid-parameter")
    assert words in body["detail"]


def test_a_foreign_cursor_is_a_problem(admin):
    for name in ("facts", "decisions", "runs", "alerts", "approvals"):
        problem(admin.get(f"/api/v1/{name}?cursor=xyz"), 400, "invalid-cursor")


def test_what_breaks_is_a_500_that_says_nothing(web: Web, admin, caplog):
    def broken():
        raise RuntimeError("s3cret path /etc/x")

    web.system.agents = broken
    answered = admin.get("/api/v1/agents")
    problem(answered, 500, "internal")
    assert "s3cret" not in answered.text
    assert answered.headers["X-Request-Id"] in caplog.text


def test_a_broken_database_is_a_503(web: Web, admin):
    with web.store.database.write() as connection:
        connection.exec_driver_sql("DROP TABLE approvals")
    answered = admin.get("/api/v1/approvals")
    problem(answered, 503, "database")
    assert "approvals" not in answered.text.replace("/approvals", "")


# ── system ────────────────────────────────────────────────────────────────────────────────────


def test_health_is_open_and_tells(web: Web):
    client = web.client()
    answered = client.get("/api/v1/system/health")
    assert (answered.status_code, answered.json) == (200, {"status": "ok", "version": "0.1.0"})
    web.system.state = ("failing", ("database",))
    answered = client.get("/api/v1/system/health")
    assert answered.status_code == 503
    assert answered.json == {"status": "failing", "reasons": ["database"]}


def test_status_shows_hosts_counts_and_the_record(web: Web, admin):
    at = START + 90 * SECOND
    web.system.clock.at = at
    web.system.accept(
        [
            Fact("cpu", START, "web-1", {"percent": 12.34}),
            Fact("cpu", START, "db-1", {}),
            Fact("disk", START, "web-1", {"mount": "/", "used_percent": 91}),
        ]
    )
    web.store.decisions.record([decision()], commit="abc", arrived=START)
    run = Run("r", "p", "succeeded", {}, Trigger(), "abc", "web-1", START, START, at)
    web.store.runs.add_run(run)
    web.store.runs.add_run(replace(run, id="d", dry_run=True))
    body = admin.get("/api/v1/system/status").json
    hosts = {host["name"]: host for host in body["hosts"]}
    assert hosts["web-1"]["state"] == "critical"
    assert hosts["web-1"]["cpu"] == 12.3
    assert hosts["web-1"]["disk"] == {"mount": "/", "used_percent": 91}
    assert hosts["web-1"]["cpu_history"] == [[START // SECOND, 12.3], [START // SECOND + 60, None]]
    assert (hosts["db-1"]["state"], hosts["db-1"]["cpu"]) == ("well", None)
    assert body["counts"]["alerts_critical"] == 1
    assert body["counts"]["hosts_well"] == 1
    assert (body["record"]["verified"], len(body["record"]["hours"])) == (1, 24)
    assert body["record"]["hours"][-1]["succeeded"] == 1
    web.system.clock.at = START + 16 * MINUTE
    body = admin.get("/api/v1/system/status").json
    assert {host["state"] for host in body["hosts"]} == {"silent"}


def test_pause_and_resume(web: Web):
    client = web.client("operator")
    answered = client.post("/api/v1/system/pause", json={"reason": "night"})
    assert answered.json["paused"] is True
    assert (answered.json["by"], answered.json["reason"]) == ("token:ci-operator", "night")
    assert client.post("/api/v1/system/resume").json["paused"] is False
    assert client.post("/api/v1/system/pause").json["paused"] is True


def test_agents(web: Web, admin):
    agent = admin.get("/api/v1/agents").json["items"][0]
    assert (agent["id"], agent["every_seconds"]) == ("logs", 1)
    assert admin.get("/api/v1/agents/logs/status").json["events"] == []
    for act in ("start", "stop", "restart"):
        assert admin.post(f"/api/v1/agents/logs/{act}").status_code == 200
        problem(admin.post(f"/api/v1/agents/none/{act}"), 404, "not-found")
    assert [act for act, _ in web.system.acts] == ["start", "stop", "restart"]


# ── decisions, alerts, runs, approvals ────────────────────────────────────────────────────────


def decision(**changes) -> Decision:
    fact = Fact("disk", START, "web-1", {"mount": "/", "used_percent": 91})
    because = (Because("disk.used_percent >= vars.full", "policies/disk.yaml", 4, fact),)
    fields = {
        "at": START,
        "ruleset": "disk",
        "rule": "full",
        "decision": "alert",
        "key": {"host": "web-1", "mount": "/"},
        "data": {"text": "full", "severity": "critical", "tell": "always"},
        "firing": "f1",
        "because": because,
        "place": 0,
    }
    return Decision(**(fields | changes))


def add_rule(web: Web) -> None:
    text = "name: disk\nvars: {full: 90}\nrules:\n  - name: full\n    when: x\n\n  - name: next\n"
    expression = Expression("x", Literal_(True, 0), "policies/disk.yaml", 5, 11, frozenset())
    when = Condition("all", (), None, expression, None, Position("policies/disk.yaml", 5, 11), "x")
    place = Position("policies/disk.yaml", 4, 5)
    first = Rule("full", "disk", place, when, (), "state", for_=5 * MINUTE, vars={"full": 90})
    second = replace(first, name="next", position=Position("policies/disk.yaml", 7, 5))
    ruleset = RuleSet("disk", "policies/disk.yaml", (first, second))
    web.system.content_bundle = replace(
        web.system.content_bundle, rulesets=(ruleset,), sources={"policies/disk.yaml": text}
    )


def test_the_whole_story_of_a_firing(web: Web, admin):
    add_rule(web)
    for number in range(3):
        data = {"mount": "/", "used_percent": 89 + number}
        web.system.accept([Fact("disk", START - (2 - number) * MINUTE, "web-1", data)])
    web.system.accept([Fact("disk", START, "web-1", {"mount": "/srv", "used_percent": 1})])
    starts = decision(decision="run", place=1, data={"playbook": "p"})
    ends = decision(decision="resolve", place=-1, at=START + 9, data={"reason": "gone"})
    web.store.decisions.record([decision(), starts], commit="abc", arrived=START)
    web.store.decisions.record([ends], commit="abc", arrived=START)
    run = Run("r", "p", "running", {}, Trigger(firing="f1", place=1), "abc", created=START)
    web.store.runs.add_run(run)
    web.store.runs.save_step(Step("r", "steps.0", "n", "steps", "running", started=START))
    listed = admin.get("/api/v1/decisions?rule=disk/full").json["items"]
    assert [item["decision"] for item in listed] == ["resolve", "run", "alert"]
    for name in ("f1", listed[0]["id"], listed[2]["id"]):
        story = admin.get(f"/api/v1/decisions/{name}").json
        assert story["firing"] == "f1"
    assert story["source"] == {
        "file": "policies/disk.yaml",
        "line": 4,
        "lines": ["  - name: full", "    when: x"],
    }
    assert story["timing"] == {"for": "5m"}
    assert story["alert"]["runs"] == ["r"]
    assert story["runs"][0]["steps"][0]["path"] == "steps.0"
    assert story["resolved"] == {"at": "2026-01-01T00:00:00.000009Z", "reason": "gone"}
    seconds = START // SECOND
    assert story["series"] == {
        "field": "disk.used_percent",
        "points": [[seconds - 120, 89], [seconds - 60, 90], [seconds, 91]],
        "limit": 90.0,
    }
    problem(admin.get("/api/v1/decisions/none"), 404, "not-found")
    problem(admin.get("/api/v1/decisions/99999999999999999999999"), 404, "not-found")


def test_alerts_are_acknowledged(web: Web, admin):
    web.store.decisions.record([decision()], commit="abc", arrived=START)
    web.store.runs.add_run(Run("r", "p", "running", {}, Trigger(firing="f1"), "abc"))
    item = admin.get("/api/v1/alerts?status=open").json["items"][0]
    assert (item["id"], item["severity"], item["runs"]) == ("f1", "critical", ["r"])
    answered = admin.post("/api/v1/alerts/acknowledge/f1")
    assert answered.json["status"] == "acknowledged"
    assert answered.json["acknowledged_by"] == "token:ci-admin"
    assert admin.get("/api/v1/alerts?status=open").json["items"] == []
    problem(admin.post("/api/v1/alerts/acknowledge/zz"), 404, "not-found")


def add_playbook(web: Web) -> None:
    place = Position("playbooks/p.yaml", 1, 1)
    undo = StepSpec("steps.0.rollback", "", place, uses="files.restore")
    steps = (
        StepSpec("steps.0", "Prune", place, uses="files.prune", rollback=undo),
        StepSpec("steps.1", "End it", place, uses="process.terminate"),
    )
    after = (StepSpec("on_failure.0", "Tell", place, uses="notify.send"),)
    playbook = Playbook("p", "playbooks/p.yaml", steps, on_failure=after)
    web.system.content_bundle = replace(web.system.content_bundle, playbooks={"p": playbook})


def test_a_playbook_is_run_and_shown(web: Web, admin):
    add_playbook(web)
    shown = admin.get("/api/v1/playbooks").json["items"][0]
    assert (shown["name"], len(shown["steps"])) == ("p", 2)
    dry = {"inputs": {"a": 1}, "dry_run": True}
    assert admin.post("/api/v1/playbooks/p/run", json=dry).json["inputs"] == {"a": 1}
    assert admin.get("/api/v1/runs").json["items"] == []
    answered = admin.post("/api/v1/playbooks/p/run", json={"inputs": {"a": 1}})
    assert answered.status_code == 202
    assert answered.headers["Location"] == "/api/v1/runs/r1"
    assert answered.json["requester"] == "token:ci-admin"
    web.store.runs.save_step(Step("r1", "steps.0", "Prune", "steps", "succeeded", started=START))
    run = admin.get("/api/v1/runs/r1").json
    assert [(step["path"], step["destructive"]) for step in run["plan"]] == [
        ("steps.0", False),
        ("steps.1", True),
        ("on_failure.0", False),
    ]
    assert run["way_back"] == [
        {
            "path": "steps.0.rollback",
            "name": "Prune",
            "uses": "files.restore",
            "status": "ready",
        }
    ]
    listed = admin.get("/api/v1/runs?playbook=p&status=queued").json["items"]
    assert listed[0]["steps"][0]["status"] == "succeeded"
    assert admin.get("/api/v1/runs?status=failed").json["items"] == []
    problem(admin.post("/api/v1/playbooks/zz/run", json={"inputs": {}}), 404, "not-found")
    problem(admin.post("/api/v1/playbooks/p/run", json={"input": {}}), 422, "invalid-body")
    problem(admin.get("/api/v1/runs/zz"), 404, "not-found")


def test_approvals_are_bound_to_what_was_shown(web: Web, admin):
    asked = Approval("a", "r", "steps.1", "?", "operator", "d1", "waiting", START, None)
    web.store.runs.add_run(Run("r", "p", "waiting", {}, Trigger(), "abc"))
    web.store.runs.add_approval(asked)
    item = admin.get("/api/v1/approvals?status=waiting").json["items"][0]
    assert (item["playbook"], item["digest"]) == ("p", "d1")
    problem(admin.post("/api/v1/approvals/a/approve", json={}), 422, "invalid-body")
    problem(admin.post("/api/v1/approvals/a/approve", json={"digest": "d2"}), 409, "refused")
    answered = admin.post("/api/v1/approvals/a/approve", json={"digest": "d1", "comment": "ok"})
    assert answered.json["status"] == "approved"
    assert answered.json["answers"][0]["by"] == "token:ci-admin"
    problem(admin.post("/api/v1/approvals/a/reject", json={"digest": "d1"}), 409, "refused")
    for method in ("GET", "HEAD"):
        answered = admin.open("/api/v1/approvals/a/approve", method=method)
        assert answered.status_code == 405


# ── content ───────────────────────────────────────────────────────────────────────────────────


def test_content_rulesets_and_consulting(web: Web, admin):
    add_rule(web)
    assert admin.get("/api/v1/content").json["commit"] == "abc"
    rules = admin.get("/api/v1/rulesets").json["items"][0]["rules"]
    assert [(rule["name"], rule["line"]) for rule in rules] == [("full", 4), ("next", 7)]
    answered = admin.post("/api/v1/consult/task", json={"type": "chat"})
    assert (answered.json["candidates"], answered.json["refused"]) == (["request"], False)
    problem(admin.post("/api/v1/consult/cpu", json={}), 404, "not-found")


# ── one description ───────────────────────────────────────────────────────────────────────────


def test_openapi_describes_every_route(admin):
    document = admin.get("/api/v1/openapi.json").json
    assert document["openapi"].startswith("3.1")
    described = {
        (method.upper(), path)
        for path, operations in document["paths"].items()
        for method in operations
    }
    assert described == {(route.method, f"/api/v1{route.path}") for route in ROUTES}
    names = [each["operationId"] for path in document["paths"].values() for each in path.values()]
    assert len(names) == len(set(names))
    for path in document["paths"].values():
        for operation in path.values():
            if "requestBody" in operation:
                schema = operation["requestBody"]["content"]["application/json"]["schema"]
                Draft202012Validator.check_schema(schema)
    assert json.dumps(document)
