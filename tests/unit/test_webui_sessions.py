"""Signing in and out, the first admin, throttling, tokens and users."""

from __future__ import annotations

import io
import stat

import pytest
from support.web import PASSWORD, Web

from engine.core.values import DAY, MINUTE, SECOND
from webui.auth.secrets import WeakPassword, hash_password, password_fits
from webui.auth.setup import hand_out, offer_setup
from webui.auth.throttle import FREE, LONGEST, MOST_KEYS, Throttle


@pytest.fixture
def web(tmp_path):
    opened = Web(tmp_path)
    yield opened
    opened.close()


def sign_in(client, name="amal", password=PASSWORD):
    return client.post("/api/v1/session", json={"name": name, "password": password})


def test_signing_in_and_out(web: Web):
    web.add_user("amal", "operator")
    client = web.client()
    answered = sign_in(client)
    assert answered.status_code == 200
    assert answered.json["role"] == "operator"
    cookie = answered.headers["Set-Cookie"]
    for attribute in ("HttpOnly", "SameSite=Strict", "Path=/"):
        assert attribute in cookie
    shown = client.get("/api/v1/session").json
    assert shown == {"user": "amal", "role": "operator", "csrf": answered.json["csrf"]}
    headers = {"X-CSRF-Token": shown["csrf"]}
    assert client.delete("/api/v1/session", headers=headers).status_code == 204
    assert client.get("/api/v1/session").status_code == 401
    kept = web.app.test_client()
    kept.set_cookie("wakil_session", cookie.partition("=")[2].partition(";")[0])
    assert kept.get("/api/v1/session").status_code == 401
    assert [entry.action for entry in web.store.audit.list().items] == [
        "session.end",
        "session.create",
    ]


def test_over_https_the_cookie_is_bound_to_the_host(tmp_path):
    from ipaddress import ip_network

    web = Web(tmp_path, trusted_proxies=(ip_network("127.0.0.1"),))
    web.add_user("amal", "viewer")
    client = web.client()
    client.environ_base["HTTP_X_FORWARDED_PROTO"] = "https"
    cookie = sign_in(client).headers["Set-Cookie"]
    assert cookie.startswith("__Host-wakil_session=")
    assert "Secure" in cookie
    web.close()


@pytest.mark.parametrize(
    ("name", "password"), [("amal", "wrong horse"), ("nobody", PASSWORD), ("amal", "x" * 1024)]
)
def test_wrong_credentials_are_all_alike(web: Web, name: str, password: str):
    web.add_user("amal", "admin")
    answered = sign_in(web.client(), name, password)
    assert (answered.status_code, answered.json["code"]) == (401, "wrong-credentials")
    assert answered.json["detail"] == "name or password is wrong"
    assert "Set-Cookie" not in answered.headers


def test_a_session_ends_by_itself_and_with_its_user(web: Web):
    client, _ = web.signed_in("admin")
    web.system.clock.at += 7 * DAY - 1
    assert client.get("/api/v1/session").status_code == 200
    web.system.clock.at += 1
    assert client.get("/api/v1/session").status_code == 401
    assert sign_in(client, "user-admin").status_code == 200
    web.store.users.remove("user-admin")
    assert client.get("/api/v1/session").status_code == 401


def test_guessing_is_slowed_down(web: Web):
    web.add_user("amal", "admin")
    client = web.client()
    for _ in range(FREE):
        assert sign_in(client, password="wrong").status_code == 401
    answered = sign_in(client)
    assert (answered.status_code, answered.json["code"]) == (429, "too-many-attempts")
    assert answered.headers["Retry-After"] == "1"
    web.system.clock.at += SECOND
    assert sign_in(client, password="wrong").status_code == 401
    assert sign_in(client).headers["Retry-After"] == "2"
    web.system.clock.at += 2 * SECOND
    assert sign_in(client).status_code == 200
    assert sign_in(client, password="wrong").status_code == 401
    assert sign_in(client).status_code == 200


def test_the_throttle_is_bounded_in_time_and_memory(web: Web):
    throttle = Throttle(web.system.clock)
    for _ in range(500):
        throttle.failed("name:amal")
    assert throttle.wait("name:amal", "name:other") == LONGEST
    for number in range(MOST_KEYS):
        throttle.failed(f"name:{number}")
    assert throttle.wait("name:amal") == 0


def set_up(web: Web, token: str, name="amal", password=PASSWORD):
    body = {"token": token, "name": name, "password": password}
    return web.client().post("/api/v1/setup", json=body)


def test_the_set_up_link_makes_the_first_admin_once(web: Web):
    link = offer_setup(web.store, web.system.clock, "http://127.0.0.1:8000/")
    base, _, token = link.partition("#")
    assert base == "http://127.0.0.1:8000/setup"
    assert set_up(web, token, password="short").json["code"] == "weak-password"
    assert set_up(web, token, name=" amal").json["code"] == "invalid-name"
    assert set_up(web, "x" * 43).json["code"] == "setup-link"
    answered = set_up(web, token)
    assert (answered.status_code, answered.json["role"]) == (201, "admin")
    assert "wakil_session=" in answered.headers["Set-Cookie"]
    assert set_up(web, token, name="eve").status_code == 403
    assert offer_setup(web.store, web.system.clock, "http://127.0.0.1:8000") is None


def test_the_set_up_link_is_good_for_fifteen_minutes(web: Web):
    token = offer_setup(web.store, web.system.clock, "http://h").partition("#")[2]
    web.system.clock.at += 15 * MINUTE
    assert set_up(web, token).status_code == 403
    token = offer_setup(web.store, web.system.clock, "http://h").partition("#")[2]
    assert set_up(web, token).status_code == 201


def test_opening_the_set_up_link_redeems_nothing(web: Web):
    offer_setup(web.store, web.system.clock, "http://h")
    with web.client().get("/setup") as page:
        assert page.status_code == 200
    assert web.client().get("/api/v1/setup").status_code == 401
    assert web.store.users.count() == 0


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_link_goes_to_the_terminal_or_a_private_file(tmp_path, caplog):
    terminal = Terminal()
    assert hand_out("http://h/setup#s3cret", terminal, tmp_path / "link") is None
    assert "s3cret" in terminal.getvalue()
    assert not (tmp_path / "link").exists()
    (tmp_path / "victim").write_text("kept")
    (tmp_path / "link").symlink_to(tmp_path / "victim")
    pipe = io.StringIO()
    file = hand_out("http://h/setup#s3cret", pipe, tmp_path / "link")
    assert file == tmp_path / "link"
    assert file.read_text() == "http://h/setup#s3cret\n"
    assert stat.S_IMODE(file.lstat().st_mode) == 0o600
    assert (tmp_path / "victim").read_text() == "kept"
    assert pipe.getvalue() == ""
    assert caplog.text == ""


def test_tokens_are_made_shown_once_and_voided(web: Web):
    client = web.client("admin")
    made = client.post("/api/v1/tokens", json={"name": "ci", "role": "operator"})
    assert made.status_code == 201
    again = client.post("/api/v1/tokens", json={"name": "ci", "role": "operator"})
    assert again.json["token"] != made.json["token"]
    bearer = {"Authorization": f"Bearer {made.json['token']}"}
    assert web.client().get("/api/v1/session", headers=bearer).json == {
        "user": "token:ci",
        "role": "operator",
        "csrf": None,
    }
    listed = client.get("/api/v1/tokens").json["items"]
    assert made.json["token"] not in client.get("/api/v1/tokens").text
    assert [item["name"] for item in listed[:2]] == ["ci", "ci"]
    assert client.delete(f"/api/v1/tokens/{listed[1]['id']}").status_code == 204
    assert web.client().get("/api/v1/session", headers=bearer).status_code == 401
    assert client.delete(f"/api/v1/tokens/{listed[1]['id']}").status_code == 404
    assert client.delete("/api/v1/tokens/abc").status_code == 404


def test_users_are_added_and_listed_without_their_hashes(web: Web):
    client = web.client("admin")
    body = {"name": "amal", "role": "viewer", "password": PASSWORD}
    assert client.post("/api/v1/users", json=body).status_code == 201
    assert client.post("/api/v1/users", json=body).json["code"] == "name-taken"
    assert client.post("/api/v1/users", json={**body, "role": "root"}).status_code == 422
    listed = client.get("/api/v1/users")
    assert [item["name"] for item in listed.json["items"]] == ["amal"]
    assert "argon2" not in listed.text
    assert sign_in(web.client()).status_code == 200


def test_no_secret_is_in_the_database(web: Web, tmp_path):
    link = offer_setup(web.store, web.system.clock, "http://h")
    set_up(web, link.partition("#")[2])
    client = web.client()
    csrf = sign_in(client).json["csrf"]
    cookie = client.get_cookie("wakil_session").value
    secrets = [PASSWORD, link.partition("#")[2], csrf, cookie, *web.tokens.values()]
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("wakil.db*"))
    assert b"amal" in stored
    for secret in secrets:
        assert secret.encode() not in stored


def test_passwords_are_argon2_and_hostile_ones_do_no_harm():
    hashed = hash_password("pässwörd \udc80 \0")
    assert hashed.startswith("$argon2id$")
    assert password_fits(hashed, "pässwörd \udc80 \0")
    assert not password_fits(hashed, "pässwörd")
    assert not password_fits("not a hash", "x")
    assert not password_fits(hashed, "x" * 10_000_000)
    with pytest.raises(WeakPassword):
        hash_password("x" * 1025)
