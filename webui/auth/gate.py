"""Who asks, and whether they may: judged before anything of the body is read.

Order: Host, Origin, who (401), role (403), CSRF (403). Without a session or token everything but
what is open is 401, paths that do not exist too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from engine.core.clock import Clock
from engine.store.people import Role
from engine.store.store import Store
from webui.api.problems import ApiProblem
from webui.auth.origins import Arrival, arrival_of, host_allowed, origin_allowed
from webui.auth.roles import at_least
from webui.auth.secrets import csrf_fits
from webui.auth.sessions import find_session
from webui.auth.tokens import find_token
from webui.settings import WebSettings
from webui.system import Identity

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
COOKIE: Final = "wakil_session"
SECURE_COOKIE: Final = "__Host-wakil_session"


@dataclass(frozen=True, slots=True)
class Caller:
    """`cookie` is the session's secret where a session, not a token, says who it is."""

    who: Identity
    cookie: str | None = None


def cookie_name(arrival: Arrival) -> str:
    """Over https a name that the browser binds to host and path."""
    return SECURE_COOKIE if arrival.scheme == "https" else COOKIE


def check_arrival(
    headers: Mapping[str, str], peer: str, scheme: str, method: str, settings: WebSettings
) -> Arrival:
    """Host and Origin. Raises a 400 or 403 problem."""
    arrival = arrival_of(headers, peer, scheme, settings)
    if not host_allowed(arrival.host, settings):
        raise ApiProblem(
            400,
            "host-not-allowed",
            "this host name is not Wakil's: use a loopback address, or set server.public_url",
        )
    origin = headers.get("Origin")
    if origin is not None and not origin_allowed(origin, arrival, settings):
        raise ApiProblem(403, "origin-not-allowed", "this page may not call Wakil")
    foreign = headers.get("Sec-Fetch-Site") in ("cross-site", "same-site")
    if foreign and origin is None and method not in SAFE:
        raise ApiProblem(403, "origin-not-allowed", "this page may not call Wakil")
    return arrival


def find_caller(
    store: Store, clock: Clock, authorization: str | None, cookie: str | None
) -> Caller | None:
    """By token where one is shown, else by session; None where neither is good."""
    if authorization is not None:
        scheme, _, secret = authorization.partition(" ")
        token = find_token(store, clock, secret.strip()) if scheme.lower() == "bearer" else None
        return None if token is None else Caller(Identity(f"token:{token.name}", token.role))
    session = find_session(store, clock, cookie) if cookie else None
    if session is None:
        return None
    return Caller(Identity(f"user:{session.user.name}", session.user.role), session.cookie)


def check_rights(caller: Caller | None, role: Role, method: str, csrf: str | None) -> Caller:
    """The caller, if they may. Raises a 401 or 403 problem."""
    if caller is None:
        raise ApiProblem(
            401,
            "not-signed-in",
            "sign in, or send a token as 'Authorization: Bearer TOKEN'",
            headers={"WWW-Authenticate": 'Bearer realm="wakil"'},
        )
    if not at_least(caller.who.role, role):
        raise ApiProblem(403, "role-too-small", f"this needs the role {role}")
    unsafe = method not in SAFE
    if unsafe and caller.cookie is not None and not csrf_fits(caller.cookie, csrf):
        raise ApiProblem(403, "csrf", "the X-CSRF-Token header is missing or not this session's")
    return caller
