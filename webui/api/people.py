"""Users and tokens; for admins alone."""

from __future__ import annotations

from engine.core.values import Json, format_instant
from engine.store.people import Token, User
from webui.api.problems import ApiProblem
from webui.api.routing import Answer, Call, Route
from webui.auth.secrets import hash_password
from webui.auth.tokens import check_name, issue_token
from webui.system import instant

_ROLE = {"enum": ["viewer", "operator", "admin"]}
_NAME = {"type": "string", "maxLength": 1024}


def tokens(call: Call) -> Answer:
    """All tokens, newest first; their text is nowhere."""
    items: list[Json] = [_token(token) for token in call.system.store.tokens.list()]
    return Answer({"items": items, "next": None})


def create_token(call: Call) -> Answer:
    """A new token, shown this once."""
    system, name, role = call.system, call.body["name"], call.body["role"]
    secret = issue_token(system.store, system.clock, name, role, call.by.name)
    _audit(call, "token.create", name, {"role": role})
    return Answer({"token": secret, "name": name, "role": role}, 201)


def remove_token(call: Call) -> Answer:
    """Voids a token."""
    number = call.path["id"]
    if not number.isdigit() or len(number) > 18:
        raise ApiProblem(404, "not-found", f"there is no token {number[:80]}")
    call.system.store.tokens.remove(int(number))
    _audit(call, "token.remove", number, {})
    return Answer(None, 204)


def users(call: Call) -> Answer:
    """All users, by name."""
    items: list[Json] = [_user(user) for user in call.system.store.users.list()]
    return Answer({"items": items, "next": None})


def create_user(call: Call) -> Answer:
    """A new user."""
    body, now = call.body, call.system.clock.now()
    user = User(check_name(body["name"]), body["role"], hash_password(body["password"]), now)
    if not call.system.store.users.add(user):
        raise ApiProblem(409, "name-taken", f"there is a user {user.name} already")
    _audit(call, "user.create", user.name, {"role": user.role})
    return Answer(_user(user), 201)


def _audit(call: Call, action: str, target: str, detail: dict[str, Json]) -> None:
    call.system.store.audit.append(call.system.clock.now(), call.by.name, action, target, detail)


def _token(token: Token) -> dict[str, Json]:
    return {
        "id": str(token.id),
        "name": token.name,
        "role": token.role,
        "created": format_instant(token.created),
        "created_by": token.created_by,
        "last_used": instant(token.last_used),
    }


def _user(user: User) -> dict[str, Json]:
    return {"name": user.name, "role": user.role, "created": format_instant(user.created)}


ROUTES = (
    Route("GET", "/tokens", tokens, "Tokens", role="admin", gives="list"),
    Route(
        "POST",
        "/tokens",
        create_token,
        "Make a token",
        role="admin",
        status=201,
        body={
            "type": "object",
            "properties": {"name": _NAME, "role": _ROLE},
            "required": ["name", "role"],
            "additionalProperties": False,
        },
    ),
    Route("DELETE", "/tokens/{id}", remove_token, "Void a token", role="admin", status=204),
    Route("GET", "/users", users, "Users", role="admin", gives="list"),
    Route(
        "POST",
        "/users",
        create_user,
        "Add a user",
        role="admin",
        status=201,
        body={
            "type": "object",
            "properties": {"name": _NAME, "role": _ROLE, "password": _NAME},
            "required": ["name", "role", "password"],
            "additionalProperties": False,
        },
    ),
)
