"""Every registered route × role × kind of credential; Host, Origin, CSRF; rights before bodies."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient
from support.web import Web

from engine.core.errors import SettingsError
from engine.store.people import Role
from webui.api.routes import ROUTES
from webui.api.routing import Route
from webui.auth.origins import Arrival, arrival_of, host_allowed, origin_allowed
from webui.auth.roles import RANKS
from webui.settings import WebSettings

ROLES: tuple[Role, ...] = ("viewer", "operator", "admin")
OPEN = {"GET /system/health", "POST /session", "POST /setup"}
OPEN_RULES = {"panel", "asset", "file"}
NOT_JSON = {"data": "{", "content_type": "text/plain"}


@pytest.fixture(scope="module")
def web(tmp_path_factory):
    opened = Web(tmp_path_factory.mktemp("web"))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def sessions(web: Web) -> dict[str, tuple[FlaskClient, str]]:
    return {role: web.signed_in(role) for role in ROLES}


def path_of(route: Route) -> str:
    return "/api/v1" + re.sub(r"{\w+}", "none-such", route.path)


def ids(route: Route) -> str:
    return route.endpoint


def test_the_open_routes_are_exactly_these():
    assert {route.endpoint for route in ROUTES if route.role is None} == OPEN


def test_every_rule_of_the_application_is_in_the_table_or_an_asset(web: Web):
    described = {route.endpoint for route in ROUTES}
    registered = {rule.endpoint for rule in web.app.url_map.iter_rules()}
    assert registered == described | OPEN_RULES | {"openapi", "docs"}


def test_every_route_as_nobody_is_401(web: Web):
    client = web.client()
    tried = 0
    for rule in web.app.url_map.iter_rules():
        path = re.sub(r"<[^>]+>", "x", rule.rule)
        for method in (rule.methods or set()) - {"OPTIONS"}:
            if rule.endpoint in OPEN or rule.endpoint in OPEN_RULES:
                continue
            answered = client.open(path, method=method, **NOT_JSON)
            assert answered.status_code == 401, (method, path)
            tried += 1
    assert tried > 25


@pytest.mark.parametrize(
    "path",
    ["/api/v1/models", "/api/v1", "/api", "/nonsense", "/metrics", "/docs", "/api/v1/openapi.json"],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_what_does_not_exist_is_401_too(web: Web, path: str, method: str):
    answered = web.client().open(path, method=method)
    assert answered.status_code == 401
    assert answered.mimetype == "application/problem+json"
    assert answered.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "authorization", ["Bearer", "Bearer x", "Basic eDp5", "Bearer " + "x" * 9000, "wakil_", ""]
)
def test_a_bad_token_is_401_even_beside_a_good_session(web: Web, sessions, authorization: str):
    client, _ = sessions["admin"]
    answered = client.get("/api/v1/alerts", headers={"Authorization": authorization})
    assert answered.status_code == 401


@pytest.mark.parametrize("route", [r for r in ROUTES if r.role is not None], ids=ids)
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("by", ["token", "session", "session without csrf", "session, wrong csrf"])
def test_route_by_role_by_credential(web: Web, sessions, route: Route, role: Role, by: str):
    """Judged before the body: one that is not JSON at all shows whether it was reached."""
    allowed = RANKS[role] >= RANKS[route.role or "viewer"]
    headers = {}
    if by == "token":
        client = web.client(role)
    else:
        client, csrf = sessions[role]
        if by == "session":
            headers = {"X-CSRF-Token": csrf}
        elif by == "session, wrong csrf":
            headers = {"X-CSRF-Token": sessions["viewer" if role != "viewer" else "admin"][1]}
    if route.endpoint == "DELETE /session" and by == "session":
        client, csrf = fresh_session(web, role)
        headers = {"X-CSRF-Token": csrf}
    before = len(web.system.acts)
    answered = client.open(path_of(route), method=route.method, headers=headers, **NOT_JSON)
    without_csrf = by in ("session without csrf", "session, wrong csrf")
    if not allowed:
        assert (answered.status_code, answered.json["code"]) == (403, "role-too-small")
    elif without_csrf and route.method != "GET":
        assert (answered.status_code, answered.json["code"]) == (403, "csrf")
    else:
        assert answered.status_code not in (401, 403), answered.text
    if not allowed or answered.status_code in (401, 403, 415):
        assert len(web.system.acts) == before


def fresh_session(web: Web, role: Role) -> tuple[FlaskClient, str]:
    client = web.app.test_client()
    body = {"name": f"user-{role}", "password": "correct horse"}
    answered = client.post("/api/v1/session", json=body)
    return client, answered.json["csrf"]


def test_rights_are_judged_before_the_body(web: Web):
    """A viewer's huge, broken or mistyped body is never looked at."""
    client = web.client("viewer")
    for body in ("{", "[" * 100_000, "x" * (9 << 20)):
        answered = client.post("/api/v1/facts", data=body, content_type="application/json")
        assert (answered.status_code, answered.json["code"]) == (403, "role-too-small")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8000", "[::1]:8000", "127.9.9.9"])
def test_loopback_hosts_are_ours(web: Web, host: str):
    answered = web.client("viewer").get("/api/v1/alerts", headers={"Host": host})
    assert answered.status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example:8000",
        "10.0.0.1",
        "[::2]",
        "localhost:x",
        "localhost:80:80",
        "[::1",
        "@localhost",
        "2130706433",
    ],
)
@pytest.mark.parametrize("path", ["/api/v1/alerts", "/api/v1/system/health", "/", "/socket.io/"])
def test_any_other_host_is_refused(web: Web, host: str, path: str):
    answered = web.client("admin").get(path, headers={"Host": host})
    assert (answered.status_code, answered.json["code"]) == (400, "host-not-allowed")


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "null",
        "https://localhost",
        "http://localhost:9999",
        "http://localhost/",
        "http://localhost.evil.example",
        "http://LOCALHOST",
    ],
)
@pytest.mark.parametrize("path", ["/api/v1/session", "/api/v1/setup", "/api/v1/system/pause"])
def test_a_foreign_origin_is_refused(web: Web, sessions, origin: str, path: str):
    client, csrf = sessions["admin"]
    headers = {"Origin": origin, "X-CSRF-Token": csrf, "Host": "localhost"}
    answered = client.post(path, json={}, headers=headers)
    assert (answered.status_code, answered.json["code"]) == (403, "origin-not-allowed")


def test_our_own_origin_is_not(web: Web, sessions):
    client, csrf = sessions["admin"]
    headers = {"Origin": "http://localhost", "X-CSRF-Token": csrf}
    assert client.post("/api/v1/system/resume", headers=headers).status_code == 200


FORWARDED = {
    "X-Forwarded-Host": "wakil.example.org",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-For": "9.9.9.9, 8.8.8.8, 10.0.0.7",
    "Origin": "https://wakil.example.org",
}


@pytest.mark.parametrize("peer", ["127.0.0.1", "10.0.1.7", "8.8.8.8", ""])
def test_forwarded_headers_of_others_do_not_count(peer: str):
    settings = WebSettings.of(host="127.0.0.1", trusted_proxies=["10.0.0.0/24"])
    headers = {**FORWARDED, "Host": "localhost:8000"}
    arrival = arrival_of(headers, peer, "http", settings)
    assert arrival == Arrival(peer, "http", "localhost:8000")
    assert not origin_allowed(FORWARDED["Origin"], arrival, settings)


def test_forwarded_headers_of_a_trusted_proxy_count():
    settings = WebSettings.of(
        host="127.0.0.1",
        public_url="https://wakil.example.org/",
        trusted_proxies=["10.0.0.0/24"],
    )
    arrival = arrival_of({**FORWARDED, "Host": "inner:8000"}, "10.0.0.5", "http", settings)
    assert arrival == Arrival("8.8.8.8", "https", "wakil.example.org")
    assert host_allowed(arrival.host, settings)
    assert origin_allowed("https://wakil.example.org", arrival, settings)
    assert not origin_allowed("http://wakil.example.org", arrival, settings)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"public_url": "wakil.example.org"}, "https://name is one"),
        ({"public_url": "ftp://x"}, "not a web address"),
        ({"trusted_proxies": ["proxy"]}, "'proxy' is not an address"),
    ],
)
def test_wrong_settings_are_a_sentence(given, sentence: str):
    with pytest.raises(SettingsError, match=sentence):
        WebSettings.of(host="0.0.0.0", **given)


def test_every_response_carries_the_security_headers(web: Web):
    for path in ("/", "/api/v1/alerts", "/api/v1/system/health", "/assets/index-abc123.js", "/zzz"):
        for client in (web.client(), web.client("admin")):
            with client.get(path) as answered:
                headers = answered.headers
            policy = headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["X-Frame-Options"] == "DENY"
            assert "Access-Control-Allow-Origin" not in headers
