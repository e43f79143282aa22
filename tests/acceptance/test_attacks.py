"""Strangers against the running program: over HTTP, through its facts and logs, on its terminal."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from support.wakil import RunningWakil, until, write_files

PASSWORD = "correct horse battery"
CANARY = "canary-7f3a9c"
RULES = """
name: strangers
rules:
  - name: said
    when: log.source == "app"
    then:
      - alert: "{{ log.message }}"
      - run: note
        with: {message: "{{ log.message }}"}
  - name: full
    when: disk.used_percent > 90
    then: [{alert: "{{ disk.mount }} on {{ host }}"}]
  - name: read
    when: log.source == "%LOG%"
    then:
      - run: note
        with: {message: "{{ log.message }}"}
"""
NOTE = """
name: note
inputs: {message: {type: string, required: true}}
steps:
  - uses: command.run
    with: {argv: [%PROGRAM%, "{{ inputs.message }}", "--said={{ inputs.message }}", last]}
"""
PROGRAM = """#!/bin/sh
{{ printf '%s\\0' "$#" "$@"; printf '\\036\\0'; }} >> {out}
"""


class Site(RunningWakil):
    """A running Wakil with an admin, and what its one command was called with."""

    arguments: Path
    app_log: Path

    def calls(self) -> list[list[str]]:
        """Number of arguments and the arguments, of every call."""
        if not self.arguments.exists():
            return []
        records = self.arguments.read_bytes().split(b"\036\0")[:-1]
        return [[part.decode() for part in record.split(b"\0")[:-1]] for record in records]

    def anyone(self, **more: Any) -> httpx.Client:
        """A client that nobody knows."""
        return httpx.Client(base_url=self.server["url"], timeout=20, trust_env=False, **more)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    root = tmp_path_factory.mktemp("site")
    log, out, program = root / "app.log", root / "arguments", root / "note"
    log.touch()
    program.write_text(PROGRAM.format(out=out))
    program.chmod(0o755)
    agents = {
        "performance": {"enabled": False},
        "apps": {"enabled": False},
        "logs": {"every": "1s", "files": [str(log)], "journal": False},
    }
    content = write_files(
        root / "content",
        {
            "policies/strangers.yaml": RULES.replace("%LOG%", str(log)),
            "playbooks/note.yaml": NOTE.replace("%PROGRAM%", str(program)),
            "configs/agents.yaml": json.dumps({"agents": agents}),
            "configs/wakil.yaml": "server: {host_name: box}\n",
        },
    )
    with Site(content, root / "data", env={"WAKIL_CANARY": CANARY}) as wakil:
        wakil.arguments, wakil.app_log = out, log
        link = (root / "data/setup-link").read_text().strip()
        token = link.partition("#")[2]
        with wakil.anyone() as client:
            made = client.post(
                "/api/v1/setup", json={"token": token, "name": "amal", "password": PASSWORD}
            )
        assert made.status_code == 201, made.text
        yield wakil


# ── row 5: another local user ─────────────────────────────────────────────────────────────────

OPEN = {
    ("GET", "/api/v1/system/health"),
    ("POST", "/api/v1/session"),
    ("POST", "/api/v1/setup"),
}


def test_every_route_as_nobody_is_401(site: Site):
    """All that the API describes, all that it does not, and every method of each."""
    with site.client() as client:
        document = client.get("/api/v1/openapi.json").json()
    described = {
        (method.upper(), f"/api/v1{path.removeprefix('/api/v1')}".replace("{", "").replace("}", ""))
        for path, item in document["paths"].items()
        for method in item
        if method in ("get", "put", "post", "delete", "patch")
    }
    assert len(described) > 30
    assert described >= OPEN
    others = {
        (method, path)
        for method in ("GET", "POST", "PUT", "DELETE", "PATCH")
        for path in (
            "/api/v1/openapi.json", "/docs", "/docs/", "/docs/index.html", "/metrics", "/api/v1",
            "/api", "/nowhere", "/api/v1/keys", "/api/v1/users/x", "/server.json", "/static/x",
            "/.git/config", "/socket.io/?EIO=4&transport=polling",
        )
    }  # fmt: skip
    with site.anyone() as client:
        for method, path in sorted((described | others) - OPEN):
            answer = client.request(
                method, path, content=b"{", headers={"Authorization": "Basic x"}
            )
            assert answer.status_code == 401, (method, path, answer.status_code)
            if not path.startswith("/socket.io"):
                assert answer.headers["Content-Type"] == "application/problem+json"
        for method, path in sorted(OPEN - {("GET", "/api/v1/system/health")}):
            assert client.request(method, path, json={}).status_code in (422, 429)
        assert client.get("/api/v1/system/health").json().keys() <= {"status", "version"}


@pytest.mark.parametrize(
    "credential",
    [
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer x"},
        {"Authorization": "Bearer \xff"},
        {"Authorization": "bearer null"},
        {"Authorization": "Basic YWRtaW46YWRtaW4="},
        {"Cookie": "wakil_session="},
        {"Cookie": "wakil_session=" + "a" * 4000},
        {"Cookie": "wakil_session=' OR 1=1 --"},
        {"Cookie": "__Host-wakil_session=x; wakil_session=y"},
        {"X-Forwarded-User": "admin", "X-Remote-User": "admin", "Remote-User": "amal"},
        {"X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1"},
        {"X-HTTP-Method-Override": "GET", "X-Original-URL": "/api/v1/system/health"},
    ],
    ids=lambda headers: next(iter(headers.values()))[:20].strip(),
)
def test_no_made_up_credential_is_one(site: Site, credential: dict[str, str]):
    raw = [(name.encode(), value.encode("latin-1")) for name, value in credential.items()]
    with site.anyone() as client:
        assert client.get("/api/v1/alerts", headers=raw).status_code == 401
        assert client.post("/api/v1/system/pause", headers=raw, json={}).status_code == 401
    assert not site.get("/system/status")["automation"]["paused"]


# ── sign-in ───────────────────────────────────────────────────────────────────────────────────


def sign_in(client: httpx.Client, **headers: str) -> httpx.Response:
    body = {"name": "amal", "password": PASSWORD}
    return client.post("/api/v1/session", json=body, headers=headers)


def test_a_session_is_never_one_that_was_brought_along(site: Site):
    with site.anyone(cookies={"wakil_session": "chosen-by-the-attacker"}) as client:
        answer = sign_in(client)
        assert answer.status_code == 200
        cookie = answer.headers["Set-Cookie"]
        assert "chosen" not in cookie
        for word in ("HttpOnly", "SameSite=Strict", "Path=/"):
            assert word in cookie
    with site.anyone(cookies={"wakil_session": "chosen-by-the-attacker"}) as client:
        assert client.get("/api/v1/session").status_code == 401


def test_two_sign_ins_share_nothing_and_a_session_that_ended_is_gone(site: Site):
    with site.anyone() as one, site.anyone() as two:
        first, second = sign_in(one).json(), sign_in(two).json()
        assert first["csrf"] != second["csrf"]
        assert one.cookies["wakil_session"] != two.cookies["wakil_session"]
        kept = dict(one.cookies)
        crossed = one.delete("/api/v1/session", headers={"X-CSRF-Token": second["csrf"]})
        assert crossed.status_code == 403
        ended = one.delete("/api/v1/session", headers={"X-CSRF-Token": first["csrf"]})
        assert ended.status_code == 204
        with site.anyone(cookies=kept) as again:
            assert again.get("/api/v1/session").status_code == 401
        assert two.get("/api/v1/session").status_code == 200


def test_a_foreign_page_does_nothing_with_the_persons_cookie(site: Site):
    with site.anyone() as client:
        csrf = sign_in(client).json()["csrf"]
        own = site.server["url"]
        foreign = [
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {"Origin": own.replace("http:", "https:")},
            {"Origin": own.rsplit(":", 1)[0] + ":1"},
            {"Origin": own + ".evil.example"},
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
        ]
        for headers in foreign:
            for more in ({}, {"X-CSRF-Token": csrf}):
                answer = client.post("/api/v1/system/pause", json={}, headers={**headers, **more})
                assert (answer.status_code, answer.json()["code"]) == (403, "origin-not-allowed")
            assert sign_in(client, **headers).status_code == 403
        for kind in ("application/x-www-form-urlencoded", "text/plain", "multipart/form-data"):
            answer = client.post(
                "/api/v1/system/pause", content=b"{}", headers={"Content-Type": kind}
            )
            assert (answer.status_code, answer.json()["code"]) == (403, "csrf")
        good = client.post(
            "/api/v1/system/pause", json={}, headers={"Origin": own, "X-CSRF-Token": csrf}
        )
        assert good.status_code == 200
        assert client.post(
            "/api/v1/system/resume", json={}, headers={"X-CSRF-Token": csrf}
        ).is_success


def test_forwarded_headers_and_other_hosts_do_not_count(site: Site):
    with site.client() as client:
        for headers in (
            {"Host": "evil.example"},
            {"Host": "evil.example:80", "X-Forwarded-Host": "localhost"},
            {"Host": "127.0.0.1.evil.example"},
            {"Host": ""},
        ):
            answer = client.get("/api/v1/alerts", headers=headers)
            assert answer.status_code == 400, headers
        forwarded = {
            "X-Forwarded-Host": "evil.example",
            "X-Forwarded-Proto": "https",
            "X-Forwarded-For": "203.0.113.9",
            "Forwarded": "for=203.0.113.9;host=evil.example;proto=https",
        }
        assert client.get("/api/v1/alerts", headers=forwarded).status_code == 200
    with site.anyone() as client:
        cookie = sign_in(client, **forwarded).headers["Set-Cookie"]
        assert cookie.startswith("wakil_session=")
        assert "Secure" not in cookie
    with site.anyone() as client:
        health = client.build_request("GET", "/api/v1/system/health")
        health.extensions = {"target": b"http://evil.example/api/v1/alerts"}
        assert client.send(health).status_code in (400, 401)


def test_guessing_is_slowed_down_whatever_address_is_claimed(site: Site):
    with site.anyone() as client:
        body = {"name": "nobody-there", "password": "wrong password"}
        seen = [
            client.post(
                "/api/v1/session", json=body, headers={"X-Forwarded-For": f"203.0.113.{n}"}
            ).status_code
            for n in range(7)
        ]
    assert seen[0] == 401
    assert 429 in seen
    # The person at the same address is not to wait for long: the address is throttled as well.
    with site.anyone() as client:
        answer = sign_in(client)
        assert answer.status_code in (200, 429)


# ── paths ─────────────────────────────────────────────────────────────────────────────────────

TRAVERSALS = [
    "/assets/../../../../etc/passwd",
    "/assets/..%2f..%2f..%2f..%2fetc%2fpasswd",
    "/assets/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    "/assets/....//....//etc/passwd",
    "/assets//etc/passwd",
    "/assets/%2fetc%2fpasswd",
    "/assets/..%5c..%5cetc%5cpasswd",
    "/assets/%00/etc/passwd",
    "/assets/..",
    "/../../etc/passwd",
    "//etc/passwd",
    "/docs/../../../../etc/passwd",
    "/docs/..%2f..%2f..%2fserver.py",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/assets/..%252f..%252fetc/passwd",
    "/assets/\xc0\xae\xc0\xae/etc/passwd",
]


def raw(site: Site, request: bytes) -> bytes:
    """The answer to bytes that no client library would send; the connection ends after it."""
    host, port = site.server["url"].removeprefix("http://").rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(request)
        pieces = []
        while piece := connection.recv(65536):
            pieces.append(piece)
    return b"".join(pieces)


@pytest.mark.parametrize("who", ["nobody", "admin"])
def test_no_path_leads_out_of_the_panel(site: Site, who: str):
    token = f"Authorization: Bearer {site.server['token']}\r\n" if who == "admin" else ""
    for path in TRAVERSALS:
        request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{token}Connection: close\r\n\r\n"
        answer = raw(site, request.encode("latin-1"))
        status = int(answer.split(b" ", 2)[1])
        assert status in (308, 400, 401, 404), (path, answer[:200])
        assert b"root:" not in answer
        assert b"import" not in answer


SMUGGLED = [
    b"POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    b"GET /api/v1/alerts HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost : localhost\r\n\r\n",
    b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 500 + b"\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 20_000 + b"\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\0" * 100 + b"\r\n\r\n",
]


@pytest.mark.parametrize("request_", SMUGGLED, ids=lambda bytes_: repr(bytes_[:30]))
def test_what_is_no_plain_request_is_refused(site: Site, request_: bytes):
    answer = raw(site, request_.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))
    statuses = re.findall(rb"HTTP/1\.1 (\d{3})", answer)
    assert len(statuses) <= 1
    assert all(status.startswith(b"4") or status == b"505" for status in statuses), answer[:300]
    assert b"Traceback" not in answer
    assert b"/engine/" not in answer


# ── exhaustion ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "start",
    [
        b"",
        b"GET /api/v1/system/health HTTP/1.1\r\nHost: localhost\r\n",
        b"POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Content-Length: 1000\r\n\r\n{",
    ],
    ids=["says nothing", "half a head", "half a body"],
)
def test_slow_senders_leave_room_for_whoever_comes_whole(site: Site, start: bytes):
    host, port = site.server["url"].removeprefix("http://").rsplit(":", 1)
    slow = []
    try:
        for _ in range(500):
            slow.append(socket.create_connection((host, int(port)), timeout=20))
            slow[-1].sendall(start)
        with site.anyone() as client:
            assert client.get("/api/v1/system/health").status_code == 200
        assert site.get("/system/status")["host"] == "box"
    finally:
        for connection in slow:
            connection.close()


def bodies() -> dict[str, bytes]:
    fact = b'{"kind": "log", "data": %s}'
    return {
        "deep lists": fact % (b"[" * 100_000),
        "deep objects": b'{"a":' * 100_000,
        "deep strings": b'{"kind": "' + b'\\"[' * 100_000,
        "a long number": fact % (b'{"x": ' + b"9" * 1_000_000 + b"}"),
        "a large exponent": fact % b'{"x": 1e999999999}',
        "not a number": fact % b'{"x": NaN}',
        "a long key": fact % (b'{"' + b"k" * 1_000_000 + b'": 1}'),
        "many keys": fact % (b"{" + b",".join(b'"k%d": 1' % n for n in range(100_000)) + b"}"),
        "the same key": fact % (b"{" + b",".join(b'"k": 1' for _ in range(100_000)) + b"}"),
        "many facts": b"[" + b",".join([b"{}"] * 1_000_000) + b"]",
        "not UTF-8": b'{"kind": "\xff\xfe"}',
        "UTF-16": '{"kind": "log"}'.encode("utf-16"),
        "half a character": b'{"kind": "log", "data": {"source": "s", "message": "\\ud800"}}',
        "nothing": b"",
        "a null": b"null",
        "too long": b"[" + b" " * (16 << 20) + b"]",
    }


@pytest.mark.parametrize("name", bodies())
def test_a_hostile_body_is_a_problem_at_once(site: Site, name: str):
    with site.client() as client:
        answer = client.post(
            "/api/v1/facts", content=bodies()[name], headers={"Content-Type": "application/json"}
        )
    taken = answer.status_code == 202 and name in ("half a character", "the same key")
    assert taken or answer.status_code in (400, 413, 422), answer.text[:300]
    if answer.status_code != 202:
        assert answer.headers["Content-Type"] == "application/problem+json"
    assert len(answer.content) < 3000


def test_hostile_bodies_cost_little_memory(site: Site):
    """Of all processes together, after every hostile body four at a time."""

    def send(body: bytes) -> int:
        with site.client() as client:
            return client.post(
                "/api/v1/facts", content=body, headers={"Content-Type": "application/json"}
            ).status_code

    with ThreadPoolExecutor(4) as pool:
        assert all(status < 500 for status in pool.map(send, bodies().values()))
    assert site.process is not None
    peaks = [peak_of(pid) for pid in tree_of(site.process.pid)]
    assert peaks
    assert max(peaks) < 512 << 20


def tree_of(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(inner for child in children for inner in tree_of(int(child)))]


def peak_of(pid: int) -> int:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) << 10 if found else 0


# ── row 7: from a log line to an argument ─────────────────────────────────────────────────────

HOSTILE = [
    "-rf", "; touch /tmp/x", "$(id)", "a b  c", "'; --", '"quoted"', "{{ inputs.message }}",
    "--output=/etc/passwd", "[1, 2]", "* ~root $HOME", "!!python/object:os.system", "\\x2drf %s%n",
    "\u202egnp.exe", "é\u0301" + "😀" * 50, "x" * 5_000,
]  # fmt: skip


def settled(site: Site, messages: list[str]) -> list[dict[str, Any]]:
    """The runs that these messages started, all ended."""

    def look() -> list[dict[str, Any]] | None:
        items = site.get("/runs", playbook="note", limit=200)["items"]
        mine = [run for run in items if run["inputs"]["message"] in messages]
        done = all(run["status"] in ("succeeded", "failed", "refused") for run in mine)
        return mine if done and len(mine) >= len(messages) else None

    return until(look, 90, "the runs to end")


def check_calls(site: Site, messages: list[str], runs: list[dict[str, Any]]) -> None:
    calls = site.calls()
    assert {call[0] for call in calls} == {"3"}
    assert all(len(call) == 4 and call[3] == "last" for call in calls)
    for message in messages:
        expected = ["3", message, f"--said={message}", "last"]
        (run,) = [run for run in runs if run["inputs"]["message"] == message]
        if message.startswith("-"):
            assert run["status"] == "failed"
            assert "must not become an option" in run["error"]
            assert expected not in calls
        else:
            assert run["status"] == "succeeded", run["error"]
            assert calls.count(expected) == 1


def test_a_posted_log_line_fills_one_argument(site: Site):
    messages = [f"{text} 1" for text in HOSTILE]
    data = [{"source": "app", "message": message} for message in messages]
    site.post("/facts", [{"kind": "log", "data": each} for each in data])
    check_calls(site, messages, settled(site, messages))


def test_a_line_of_a_log_file_fills_one_argument(site: Site):
    messages = [f"{text} 2" for text in HOSTILE[:8]]
    with site.app_log.open("a", encoding="utf-8") as log:
        log.write("".join(f"{message}\n" for message in messages))
    check_calls(site, messages, settled(site, messages))


def test_inputs_of_a_playbook_over_the_api_are_typed(site: Site):
    for given in (["-rf", "/"], {"a": 1}, 7, None, True):
        with site.client() as client:
            answer = client.post("/api/v1/playbooks/note/run", json={"inputs": {"message": given}})
        assert answer.status_code in (400, 422), (given, answer.text)
    for name in ("../note", "note%2f..", "..%2f..%2fetc%2fpasswd", "note%00", "-note"):
        with site.client() as client:
            answer = client.post(f"/api/v1/playbooks/{name}/run", json={"inputs": {}})
        assert answer.status_code in (400, 404), (name, answer.text)


# ── row 16: control characters ────────────────────────────────────────────────────────────────

CONTROLS = "\x1b[2J\x1b]0;owned\x07 a\rb\x08\x9b31m \u202egnp \u2028 \x7f"
UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def test_no_control_character_reaches_a_terminal_a_log_or_the_panel(site: Site):
    message = f"say {CONTROLS} end"
    site.post("/facts", {"kind": "log", "data": {"source": "app", "message": message}})
    site.post("/facts", {"kind": "event", "data": {f"k{CONTROLS}": CONTROLS, "name": "odd"}})
    with site.client() as client:
        for path in (
            f"/api/v1/decisions/{quote(CONTROLS)}", "/api/v1/runs/%1b%5b2J%0aERROR",
            "/%0d%0aSet-Cookie:%20x=y",
        ):  # fmt: skip
            assert client.get(path).status_code in (400, 404)
        refused = client.post("/api/v1/facts", json={"kind": CONTROLS, "data": {}})
        assert refused.status_code == 422
        odd = client.post("/api/v1/facts", json={"kind": "cpu", "host": CONTROLS, "data": {}})
        assert odd.status_code == 422
        client.post("/api/v1/system/pause", json={"reason": CONTROLS})
        client.post("/api/v1/system/resume", json={})
    with site.anyone() as client:
        client.post("/api/v1/session", json={"name": CONTROLS, "password": CONTROLS})
    (run,) = settled(site, [message])
    alerts = [each for each in site.get("/alerts", limit=200)["items"] if "say" in each["text"]]
    assert alerts
    assert not any(UNSAFE.search(each["text"]) for each in alerts)
    with site.client() as client:
        for path in ("/alerts", "/decisions", "/facts", f"/runs/{run['id']}", "/system/status"):
            body = client.get(
                f"/api/v1{path}", params={"limit": 200} if "/" not in path[1:] else {}
            )
            assert body.is_success, body.text
            assert body.content.isascii()
            assert not UNSAFE.search(body.text)
    ids = (run["id"], run["firing"])
    commands = [
        ("facts",), ("facts", "--format", "json"), ("alerts",), ("alerts", "--format", "json"),
        ("runs",), ("runs", "--format", "json"), *(("explain", each) for each in ids),
        *(("explain", each, "--format", "json") for each in ids), ("agents",),
        ("play", "note", "--with", f"message={CONTROLS.replace(chr(0), '')}"),
        ("explain", f"x{CONTROLS}"), ("play", f"x{CONTROLS}"), ("approve", f"x{CONTROLS}"),
    ]  # fmt: skip
    for command in commands:
        done = site.command(*command)
        assert "Traceback" not in done.stderr, done.stderr
        for text in (done.stdout, done.stderr):
            assert not UNSAFE.search(text), (command, UNSAFE.search(text), text[:3000])
    assert any("owned" in site.command(*command).stdout for command in commands[:1])
    assert not UNSAFE.search(site.log.read_text())


# ── row 15: hostile facts ─────────────────────────────────────────────────────────────────────


def disk(host: str, mount: Any, used: Any, **more: Any) -> dict[str, Any]:
    return {"kind": "disk", "host": host, "data": {"mount": mount, "used_percent": used, **more}}


def open_disks(site: Site) -> set[str]:
    items = site.get("/alerts", status="open", limit=1000)["items"]
    return {each["text"] for each in items if each["rule"] == "full"}


def test_hostile_facts_neither_hide_nor_evict_what_is_true(site: Site):
    """Names that collide in durable-rules' hash, doubles, hundreds of keys, a flood of subjects."""
    many = {f"k{n}": n for n in range(250)}
    facts = [
        disk("good", "/", 95, cu2ktoba=1),
        disk("many", "/", 95, **many),
        disk("twice", "/", 95),
        disk("twice", "/", 95),
        disk("low", "/", 90.0, cu2ktoba=99),
        disk("huge", "/", 1e308, **{"$and": 1, "m_0": 2, "sid": "1", "id": 7}),
    ]
    site.post("/facts", facts)
    expected = {"/ on good", "/ on many", "/ on twice", "/ on huge"}
    until(lambda: expected <= open_disks(site), what="the alerts")
    for start in range(0, 5_000, 2_500):
        flood = [disk("evil", f"/m{n}", 50) for n in range(start, start + 2_500)]
        site.post("/facts", flood)
    refused = [disk("wrong", "/", "99"), disk("wrong", "/", None), disk("wrong", ["/"], 99)]
    with site.client() as client:
        for fact in refused:
            assert client.post("/api/v1/facts", json=fact).status_code == 422, fact
    site.post("/facts", [disk("good", "/", 96), disk("after", "/", 95)])
    until(lambda: "/ on after" in open_disks(site), what="the honest fact's alert")
    assert expected | {"/ on after"} == open_disks(site)
    site.post("/facts", [disk(host, "/", 1) for host in ("good", "many", "twice", "huge", "after")])
    until(lambda: not open_disks(site), what="all to resolve")


# ── row 4: what lies on the disk ──────────────────────────────────────────────────────────────


def test_what_wakil_writes_is_its_users_alone(site: Site):
    for path in (site.data, *site.data.rglob("*")):
        mode = path.lstat().st_mode
        assert not mode & 0o077 or path.is_symlink(), (path, oct(mode))


def test_no_secret_lies_in_database_log_or_files(site: Site):
    with site.client() as client:
        token = client.post("/api/v1/tokens", json={"name": "ci", "role": "viewer"}).json()["token"]
    with site.anyone() as client:
        csrf = sign_in(client)
        cookie = client.cookies.get("wakil_session")
    canaries = [PASSWORD, token, CANARY]
    if csrf.status_code == 200:
        canaries += [cookie, csrf.json()["csrf"]]
    files = [path for path in site.data.rglob("*") if path.is_file()]
    assert {"wakil.db", "runs.db"} <= {path.name for path in files}
    for path in (*files, site.log):
        data = path.read_bytes()
        for canary in canaries:
            assert canary.encode() not in data, path
        if path.name != "server.json":
            assert site.server["token"].encode() not in data, path
