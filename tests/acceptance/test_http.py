"""The API as its contract promises it, on the real program."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.wakil import RunningWakil, until, write_files

RULES = """
name: disks
rules:
  - name: full
    when: disk.used_percent > 90
    severity: critical
    then: [{alert: "{{ disk.mount }} is {{ disk.used_percent }} % full"}]
  - name: gate
    when: gate.service == "payments"
    then: [{deny: true, reason: payments are frozen}]
"""
GATE = """{
  "x-mode": "request", "x-scope": "global", "type": "object",
  "properties": {"service": {"type": "string"}}
}"""
NIGHTLY = "schedules: [{name: nightly, cron: '0 3 * * *'}]\n"
HOSTS = """
hosts: [{match: 'web-*', labels: {role: web, site: ruh}}, {name: web-1, labels: {site: jed}}]
"""
NOTHING = """
name: nothing
inputs: {word: {type: string, required: true}}
steps: [{name: Do, uses: command.run, with: {argv: [/bin/true]}}]
"""
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


@pytest.fixture(scope="module")
def wakil(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningWakil]:
    place = tmp_path_factory.mktemp("http")
    content = write_files(
        place / "content",
        {
            "policies/disks.yaml": RULES,
            "playbooks/nothing.yaml": NOTHING,
            "schema/facts/gate.schema.json": GATE,
            "configs/agents.yaml": "agents:\n  performance: {every: 1s}\n  logs: {enabled: false}\n"
            "  apps: {enabled: false}\n",
            "configs/calendar.yaml": NIGHTLY,
            "configs/hosts.yaml": HOSTS,
            "configs/wakil.yaml": "server: {host_name: box}\nautomation: {mode: auto}\n",
        },
    )
    with RunningWakil(content, place / "data") as running:
        yield running


@pytest.fixture(scope="module")
def tokens(wakil: RunningWakil) -> dict[str, str]:
    found = {}
    for role in ("viewer", "operator", "admin"):
        made = wakil.command("token", "create", "--name", "me", "--role", role)
        assert made.returncode == 0, made.stderr
        assert re.fullmatch(r"\S+\n", made.stdout)
        assert made.stderr == ""
        found[role] = made.stdout.strip()
    return found


def ask(
    wakil: RunningWakil, method: str, path: str, token: str | None = None, **more: Any
) -> httpx.Response:
    headers = {**({"Authorization": f"Bearer {token}"} if token else {}), **more.pop("headers", {})}
    url = wakil.server["url"]
    with httpx.Client(base_url=url, trust_env=False, timeout=20) as client:
        return client.request(method, path, headers=headers, **more)


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].split(";")[0] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["status"] == status
    assert body["type"]
    assert body["title"]
    assert body["detail"]
    return body


# ── who may ───────────────────────────────────────────────────────────────────────────────────


def test_health_is_open_and_all_else_is_not(wakil: RunningWakil) -> None:
    health = ask(wakil, "GET", "/api/v1/system/health")
    assert health.status_code == 200
    assert health.json()["status"] == "ok"
    for method, path in (
        ("GET", "/api/v1/system/status"),
        ("GET", "/api/v1/facts"),
        ("POST", "/api/v1/facts"),
        ("GET", "/api/v1/decisions"),
        ("GET", "/api/v1/decisions/1"),
        ("GET", "/api/v1/runs"),
        ("GET", "/api/v1/runs/r_1"),
        ("GET", "/api/v1/playbooks"),
        ("POST", "/api/v1/playbooks/nothing/run"),
        ("GET", "/api/v1/approvals"),
        ("POST", "/api/v1/approvals/1/approve"),
        ("GET", "/api/v1/alerts"),
        ("POST", "/api/v1/alerts/acknowledge/1"),
        ("GET", "/api/v1/agents"),
        ("POST", "/api/v1/agents/performance/restart"),
        ("GET", "/api/v1/rulesets"),
        ("GET", "/api/v1/content"),
        ("GET", "/api/v1/tokens"),
        ("POST", "/api/v1/tokens"),
        ("GET", "/api/v1/users"),
        ("POST", "/api/v1/system/pause"),
        ("POST", "/api/v1/consult/gate"),
        ("GET", "/api/v1/openapi.json"),
        ("GET", "/docs"),
        ("GET", "/metrics"),
        ("GET", "/api/v1/nothing"),
        ("DELETE", "/api/v1/facts"),
    ):
        body = problem(ask(wakil, method, path), 401)
        assert body["title"] == "Unauthorized"
        problem(ask(wakil, method, path, "wakil_notatoken"), 401)


def test_roles(wakil: RunningWakil, tokens: dict[str, str]) -> None:
    fact = {"kind": "disk", "data": {"mount": "/r", "used_percent": 1}}
    run = {"inputs": {"word": "x"}}
    cases = [
        ("POST", "/api/v1/facts", fact, "operator"),
        ("POST", "/api/v1/playbooks/nothing/run", run, "operator"),
        ("POST", "/api/v1/system/pause", {}, "operator"),
        ("POST", "/api/v1/system/resume", None, "operator"),
        ("POST", "/api/v1/agents/performance/restart", None, "operator"),
        ("POST", "/api/v1/consult/gate", {"service": "x"}, "operator"),
        ("POST", "/api/v1/tokens", {"name": "n", "role": "viewer"}, "admin"),
        ("GET", "/api/v1/tokens", None, "admin"),
        ("GET", "/api/v1/users", None, "admin"),
        ("GET", "/api/v1/facts", None, "viewer"),
        ("GET", "/api/v1/runs", None, "viewer"),
        ("GET", "/api/v1/system/status", None, "viewer"),
        ("GET", "/api/v1/rulesets", None, "viewer"),
    ]
    ranks = ["viewer", "operator", "admin"]
    for method, path, body, least in cases:
        for role in ranks:
            more = {} if body is None else {"json": body}
            answer = ask(wakil, method, path, tokens[role], **more)
            if ranks.index(role) >= ranks.index(least):
                assert answer.status_code in (200, 201, 202), (path, role, answer.text)
            else:
                problem(answer, 403)
    # Rights are judged before the body.
    problem(ask(wakil, "POST", "/api/v1/facts", tokens["viewer"], content=b"{"), 403)
    problem(ask(wakil, "POST", "/api/v1/facts", content=b"{"), 401)


def test_host_and_origin(wakil: RunningWakil, tokens: dict[str, str]) -> None:
    strange = {"Host": "evil.example.org"}
    answer = ask(wakil, "GET", "/api/v1/facts", tokens["admin"], headers=strange)
    assert answer.status_code in (400, 403, 421)
    port = wakil.server["url"].rpartition(":")[2]
    for name in ("localhost", "127.0.0.1"):
        headers = {"Host": f"{name}:{port}"}
        assert ask(wakil, "GET", "/api/v1/facts", tokens["admin"], headers=headers).is_success


def test_a_session_needs_its_csrf_token_and_the_exact_origin(wakil: RunningWakil) -> None:
    made = wakil.command(
        "user", "add", "amal", "--role", "operator", "--password", "long enough pw"
    )
    assert made.returncode == 0, made.stderr
    url = wakil.server["url"]
    fact = {"kind": "disk", "data": {"mount": "/csrf", "used_percent": 1}}
    with httpx.Client(base_url=url, trust_env=False) as client:
        wrong = client.post("/api/v1/session", json={"name": "amal", "password": "no"})
        problem(wrong, 401)
        said = client.post("/api/v1/session", json={"name": "amal", "password": "long enough pw"})
        assert said.status_code == 200, said.text
        assert (said.json()["user"], said.json()["role"]) == ("amal", "operator")
        cookie = said.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=" in cookie
        csrf = {"X-CSRF-Token": said.json()["csrf"]}
        assert client.get("/api/v1/facts").status_code == 200
        problem(client.post("/api/v1/facts", json=fact), 403)
        problem(client.post("/api/v1/facts", json=fact, headers={"X-CSRF-Token": "x"}), 403)
        strange = {**csrf, "Origin": "https://evil.example.org"}
        problem(client.post("/api/v1/facts", json=fact, headers=strange), 403)
        own = {**csrf, "Origin": url}
        assert client.post("/api/v1/facts", json=fact, headers=own).status_code == 202
        problem(client.get("/api/v1/tokens"), 403)
        assert client.delete("/api/v1/session", headers=own).is_success
        problem(client.get("/api/v1/facts"), 401)


# ── facts and decisions ───────────────────────────────────────────────────────────────────────


def test_facts_one_or_many(wakil: RunningWakil, tokens: dict[str, str]) -> None:
    token = tokens["operator"]
    one = {"kind": "disk", "host": "web-1", "data": {"mount": "/one", "used_percent": 5}}
    assert ask(wakil, "POST", "/api/v1/facts", token, json=one).status_code == 202
    many = [
        {"at": "2026-01-01T00:00:00Z", **one, "data": {"mount": f"/m{n}", "used_percent": n}}
        for n in range(3)
    ]
    assert ask(wakil, "POST", "/api/v1/facts", token, json=many).json() == {"accepted": 3}
    page = ask(wakil, "GET", "/api/v1/facts?kind=disk&host=web-1", token).json()
    assert set(page) == {"items", "next"}
    assert [item["data"]["mount"] for item in page["items"]] == ["/m2", "/m1", "/m0", "/one"]
    assert page["items"][0] == many[2]
    assert RFC3339.fullmatch(page["items"][3]["at"])
    assert ask(wakil, "GET", "/api/v1/facts?host=nobody", token).json() == {
        "items": [],
        "next": None,
    }
    seen, cursor = [], None
    while True:
        query = {"kind": "disk", "host": "web-1", "limit": 3}
        if cursor:
            query["cursor"] = cursor
        page = ask(wakil, "GET", "/api/v1/facts", token, params=query).json()
        seen += [item["data"]["mount"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == ["/m2", "/m1", "/m0", "/one"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"kind": "disk", "data": {"mount": "/", "used_percent": "95"}}, "used_percent"),
        ({"kind": "dsik", "data": {}}, "did you mean 'disk'"),
        ({"kind": "disk", "data": {"mount": None, "used_percent": 5}}, "mount"),
        ({"kind": "gate", "data": {"service": "x"}}, "consult"),
        ([{"kind": "backup", "data": {"name": "x"}}, {"kind": "x", "data": {}}], "2"),
        ({"data": {}}, "kind"),
        ({"kind": "disk"}, "data"),
        ("text", ""),
    ],
)  # fmt: skip
def test_what_is_no_fact_is_refused_with_the_reason(
    wakil: RunningWakil, tokens: dict[str, str], body: Any, said: str
) -> None:
    answer = ask(wakil, "POST", "/api/v1/facts", tokens["operator"], json=body)
    assert said in problem(answer, 422)["detail"]
    # All or none.
    assert wakil.get("/facts", kind="backup")["items"] == []


def test_a_fact_of_the_future_is_refused(wakil: RunningWakil, tokens: dict[str, str]) -> None:
    at = (datetime.now(UTC) + timedelta(minutes=6)).isoformat().replace("+00:00", "Z")
    body = {"at": at, "kind": "disk", "data": {"mount": "/", "used_percent": 5}}
    answer = ask(wakil, "POST", "/api/v1/facts", tokens["operator"], json=body)
    assert "ahead" in problem(answer, 422)["detail"]


def test_no_json_no_type_too_large(wakil: RunningWakil, tokens: dict[str, str]) -> None:
    token = tokens["operator"]
    broken = {"Content-Type": "application/json"}
    problem(ask(wakil, "POST", "/api/v1/facts", token, content=b"{", headers=broken), 400)
    problem(ask(wakil, "PUT", "/api/v1/facts", token, json={}), 405)
    problem(ask(wakil, "GET", "/api/v1/nothing", token), 404)
    problem(ask(wakil, "GET", "/api/v1/facts?limit=0", token), 400)
    problem(ask(wakil, "GET", "/api/v1/facts?cursor=nonsense", token), 400)
    problem(ask(wakil, "GET", "/api/v1/runs?status=nonsense", token), 400)
    problem(ask(wakil, "GET", "/api/v1/runs/r_nothing", token), 404)
    problem(ask(wakil, "GET", "/api/v1/decisions/nothing", token), 404)
    large = b'{"kind": "' + b"x" * (9 << 20) + b'"}'
    problem(ask(wakil, "POST", "/api/v1/facts", token, content=large, headers=broken), 413)


def test_decisions_with_the_fields_of_the_command_line(
    wakil: RunningWakil, tokens: dict[str, str]
) -> None:
    at = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    fact = {"at": at, "kind": "disk", "host": "web-9", "data": {"mount": "/d", "used_percent": 95}}
    assert ask(wakil, "POST", "/api/v1/facts", tokens["operator"], json=fact).status_code == 202
    page = ask(wakil, "GET", "/api/v1/decisions?rule=full", tokens["viewer"]).json()
    (one,) = page["items"]
    assert {"at", "rule", "ruleset", "decision", "key", "data", "firing", "because"} <= set(one)
    assert (one["rule"], one["ruleset"], one["decision"]) == ("full", "disks", "alert")
    assert one["key"] == {"host": "web-9", "disk.mount": "/d"}
    assert one["data"] == {"text": "/d is 95 % full", "severity": "critical", "tell": "always"}
    condition = "disk.used_percent > 90"
    assert one["because"] == [
        {"condition": condition, "file": "policies/disks.yaml", "line": 5, "fact": fact}
    ]
    assert ask(wakil, "GET", "/api/v1/decisions?rule=disks/full", tokens["viewer"]).json() == page
    story = ask(wakil, "GET", f"/api/v1/decisions/{one['firing']}", tokens["viewer"]).json()
    assert story["firing"] == one["firing"]
    assert story["commit"] == wakil.get("/content")["commit"]
    alerts = ask(wakil, "GET", "/api/v1/alerts?status=open", tokens["viewer"]).json()["items"]
    alert = next(each for each in alerts if each["firing"] == one["firing"])
    assert (alert["severity"], alert["text"]) == ("critical", "/d is 95 % full")
    acknowledge = f"/api/v1/alerts/acknowledge/{alert['id']}"
    problem(ask(wakil, "POST", acknowledge, tokens["viewer"]), 403)
    said = ask(wakil, "POST", acknowledge, tokens["operator"])
    assert said.status_code == 200
    assert said.json()["status"] == "acknowledged"
    problem(ask(wakil, "POST", "/api/v1/alerts/acknowledge/nothing", tokens["operator"]), 404)
    gone = {"kind": "disk", "host": "web-9", "data": {"mount": "/d"}, "gone": True}
    assert ask(wakil, "POST", "/api/v1/facts", tokens["operator"], json=gone).status_code == 202
    page = ask(wakil, "GET", "/api/v1/decisions?rule=full", tokens["viewer"]).json()
    assert [each["decision"] for each in page["items"]] == ["resolve", "alert"]
    alerts = ask(wakil, "GET", "/api/v1/alerts?status=resolved", tokens["viewer"]).json()["items"]
    assert alert["id"] in [each["id"] for each in alerts]


def test_consulting(wakil: RunningWakil, tokens: dict[str, str]) -> None:
    path = "/api/v1/consult/gate"
    refused = ask(wakil, "POST", path, tokens["operator"], json={"service": "payments"})
    assert refused.status_code == 200
    assert refused.json()["refused"] is True
    assert refused.json()["reasons"] == ["payments are frozen"]
    assert not ask(wakil, "POST", path, tokens["operator"], json={"service": "x"}).json()["refused"]
    problem(ask(wakil, "POST", "/api/v1/consult/disk", tokens["operator"], json={}), 404)
    problem(ask(wakil, "POST", path, tokens["operator"], json={"service": 7}), 422)


# ── runs, agents, status ──────────────────────────────────────────────────────────────────────


def test_runs(wakil: RunningWakil, tokens: dict[str, str]) -> None:
    path = "/api/v1/playbooks/nothing/run"
    answer = ask(wakil, "POST", path, tokens["operator"], json={"inputs": {"word": "x"}})
    assert answer.status_code == 202
    run = answer.json()
    fields = {"id", "playbook", "status", "rule", "firing", "inputs", "commit", "started", "ended"}
    assert fields | {"steps"} <= set(run)
    done = until(
        lambda: next(
            (
                each
                for each in wakil.get("/runs", playbook="nothing", status="succeeded")["items"]
                if each["id"] == run["id"]
            ),
            None,
        ),
        what="the run to end",
    )
    assert [step["name"] for step in done["steps"]] == ["Do"]
    assert RFC3339.fullmatch(done["started"])
    problem(ask(wakil, "POST", path, tokens["operator"], json={"inputs": {}}), 422)
    problem(ask(wakil, "POST", path, tokens["operator"]), 422)
    problem(ask(wakil, "POST", path, tokens["operator"], json={"with": {}}), 422)
    problem(ask(wakil, "POST", "/api/v1/playbooks/x/run", tokens["operator"], json={}), 404)
    shown = ask(wakil, "GET", "/api/v1/playbooks", tokens["viewer"]).json()
    assert [(each["name"], list(each["inputs"])) for each in shown["items"]] == [
        ("nothing", ["word"])
    ]


def test_agents_are_started_and_stopped(wakil: RunningWakil, tokens: dict[str, str]) -> None:
    listed = ask(wakil, "GET", "/api/v1/agents", tokens["viewer"]).json()
    assert set(listed) == {"items", "next"}
    until(lambda: wakil.get("/facts", kind="cpu", host="box")["items"], what="a cpu fact")
    for word, state in (("stop", "stopped"), ("start", "running"), ("restart", "running")):
        answer = ask(wakil, "POST", f"/api/v1/agents/performance/{word}", tokens["operator"])
        assert answer.status_code == 200
        assert answer.json()["state"] == state
        status = ask(wakil, "GET", "/api/v1/agents/performance/status", tokens["viewer"]).json()
        assert (status["id"], status["state"]) == ("performance", state)
    problem(ask(wakil, "GET", "/api/v1/agents/nothing/status", tokens["viewer"]), 404)
    problem(ask(wakil, "POST", "/api/v1/agents/nothing/start", tokens["operator"]), 404)


def test_status_and_labels(wakil: RunningWakil, tokens: dict[str, str]) -> None:
    fact = {"kind": "disk", "host": "web-1", "data": {"mount": "/l", "used_percent": 1}}
    assert ask(wakil, "POST", "/api/v1/facts", tokens["operator"], json=fact).status_code == 202
    status = ask(wakil, "GET", "/api/v1/system/status", tokens["viewer"]).json()
    assert status["host"] == "box"
    assert status["automation"]["mode"] == "auto"
    hosts = {host["name"]: host["labels"] for host in status["hosts"]}
    assert hosts["web-1"] == {"role": "web", "site": "jed"}
    assert {"type": "schedule", "name": "nightly"}.items() <= next(
        each for each in status["upcoming"] if each["type"] == "schedule"
    ).items()
    assert status["content"]["problems"] == []


def test_the_description_and_its_pages(wakil: RunningWakil, tokens: dict[str, str]) -> None:
    described = ask(wakil, "GET", "/api/v1/openapi.json", tokens["viewer"]).json()
    assert described["openapi"].startswith("3.1")
    assert "/api/v1/facts" in described["paths"] or "/facts" in described["paths"]
    page = ask(wakil, "GET", "/docs", tokens["viewer"], follow_redirects=True)
    assert page.status_code == 200
    assert "text/html" in page.headers["content-type"]
    assert "https://" not in page.text.replace("https://github.com", "")


def test_a_changed_mode_holds_at_once(wakil: RunningWakil, tokens: dict[str, str]) -> None:
    file: Path = wakil.content / "configs" / "wakil.yaml"
    before = file.read_text()
    file.write_text(before.replace("mode: auto", "mode: observe"))
    try:
        until(
            lambda: wakil.get("/system/status")["automation"]["mode"] == "observe",
            what="the mode",
        )
        path = "/api/v1/playbooks/nothing/run"
        run = ask(wakil, "POST", path, tokens["operator"], json={"inputs": {"word": "o"}}).json()
        until(
            lambda: wakil.get(f"/runs/{run['id']}")["status"] == "observed", what="an observed run"
        )
    finally:
        file.write_text(before)
        until(
            lambda: wakil.get("/system/status")["automation"]["mode"] == "auto", what="the old mode"
        )
