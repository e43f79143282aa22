"""Signing in and out, and the first admin."""

from __future__ import annotations

from engine.core.values import SECOND
from webui.api.problems import ApiProblem
from webui.api.routing import Answer, Call, Route
from webui.auth.sessions import begin_session, find_session, sign_in, sign_out
from webui.auth.setup import redeem_setup

_TEXT = {"type": "string", "maxLength": 1024}


def create(call: Call) -> Answer:
    """Signs in by name and password."""
    name, password = call.body["name"], call.body["password"]
    keys = (f"name:{name}", f"address:{call.arrival.address}")
    _throttled(call, *keys)
    signed_in = sign_in(call.system.store, call.system.clock, name, password)
    if signed_in is None:
        call.services.throttle.failed(*keys)
        raise ApiProblem(401, "wrong-credentials", "name or password is wrong")
    call.services.throttle.succeeded(*keys)
    _audit(call, f"user:{name}", "session.create")
    return Answer({**signed_in.to_json()}, cookie=signed_in.cookie)


def show(call: Call) -> Answer:
    """Who is signed in; for a token its own name and role, without a CSRF token."""
    store, clock = call.system.store, call.system.clock
    signed_in = find_session(store, clock, call.cookie) if call.cookie else None
    if signed_in is not None:
        return Answer({**signed_in.to_json()})
    return Answer({"user": call.by.name, "role": call.by.role, "csrf": None})


def end(call: Call) -> Answer:
    """Signs out."""
    if call.cookie:
        sign_out(call.system.store, call.cookie)
        _audit(call, call.by.name, "session.end")
    return Answer(None, 204, cookie="")


def set_up(call: Call) -> Answer:
    """Makes the first admin from the set-up link's token, and signs in."""
    key = f"setup:{call.arrival.address}"
    _throttled(call, key)
    store, clock = call.system.store, call.system.clock
    body = call.body
    user = redeem_setup(store, clock, body["token"], body["name"], body["password"])
    if user is None:
        call.services.throttle.failed(key)
        raise ApiProblem(
            403,
            "setup-link",
            "this link is not valid: it may be older than 15 minutes, used, or replaced by a newer "
            "one; 'wakil user add' on the machine makes an admin too",
        )
    _audit(call, f"user:{user.name}", "setup")
    signed_in = begin_session(store, clock, user)
    return Answer({**signed_in.to_json()}, 201, cookie=signed_in.cookie)


def _throttled(call: Call, *keys: str) -> None:
    wait = call.services.throttle.wait(*keys)
    if wait:
        seconds = -(-wait // SECOND)
        raise ApiProblem(
            429,
            "too-many-attempts",
            f"too many failed attempts; try again in {seconds} s",
            headers={"Retry-After": str(seconds)},
        )


def _audit(call: Call, actor: str, action: str) -> None:
    now, address = call.system.clock.now(), call.arrival.address
    call.system.store.audit.append(now, actor, action, detail={"address": address})


ROUTES = (
    Route("GET", "/session", show, "Who is signed in"),
    Route(
        "POST",
        "/session",
        create,
        "Sign in",
        role=None,
        body={
            "type": "object",
            "properties": {"name": _TEXT, "password": _TEXT},
            "required": ["name", "password"],
            "additionalProperties": False,
        },
    ),
    Route("DELETE", "/session", end, "Sign out", status=204),
    Route(
        "POST",
        "/setup",
        set_up,
        "Make the first admin",
        role=None,
        status=201,
        body={
            "type": "object",
            "properties": {"token": _TEXT, "name": _TEXT, "password": _TEXT},
            "required": ["token", "name", "password"],
            "additionalProperties": False,
        },
    ),
)
