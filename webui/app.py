"""The Flask application: API, live updates and the built panel behind one gate."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from typing import Any, Final

from flask import Flask, Response, g, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from engine.core.errors import WakilError
from webui.api.json_text import dump
from webui.api.openapi import describe
from webui.api.problems import ApiProblem, problem_of, respond
from webui.api.requests import read_body, read_query
from webui.api.routes import ROUTES
from webui.api.routing import Answer, Call, Route, Services
from webui.auth.gate import (
    Caller,
    check_arrival,
    check_rights,
    cookie_name,
    find_caller,
)
from webui.auth.headers import SECURITY_HEADERS
from webui.auth.sessions import LASTS
from webui.auth.throttle import Throttle
from webui.history import History
from webui.live import Live
from webui.panel_files import add_panel
from webui.settings import WebSettings
from webui.system import System

_log = logging.getLogger(__name__)
PREFIX: Final = "/api/v1"
OPENAPI: Final = "openapi"


def create_app(system: System, settings: WebSettings) -> Flask:
    """The application; `app.extensions["wakil-live"]` is its `Live`, to be stopped at the end."""
    app = Flask("webui", static_folder=None)
    services = Services(Throttle(system.clock), History(system.store.journal, system.clock))
    roles: dict[str, Any] = {route.endpoint: route.role for route in ROUTES}
    roles |= {OPENAPI: "viewer", "docs": "viewer", "panel": None, "asset": None, "file": None}
    for route in ROUTES:
        rule = PREFIX + route.path.replace("{", "<").replace("}", ">")
        view = _view(route, system, services)
        app.add_url_rule(rule, route.endpoint, view, methods=[route.method])
    document = describe(ROUTES, system.version)
    app.add_url_rule(f"{PREFIX}/openapi.json", OPENAPI, lambda: _json(document))
    add_panel(app, settings.static)
    app.before_request(_gate(system, settings, roles))
    app.after_request(_finish)
    app.register_error_handler(Exception, _failed)
    live = Live(system, services.history, settings)
    live.attach(app)
    app.extensions["wakil-live"] = live
    return app


def _gate(
    system: System, settings: WebSettings, roles: dict[str, Any]
) -> Callable[[], Response | None]:
    def gate() -> None:
        g.request_id = uuid.uuid4().hex[:16]
        g.arrival = arrival = check_arrival(
            request.headers,  # type: ignore[arg-type]  # a Mapping in all but name
            request.remote_addr or "",
            request.scheme,
            request.method,
            settings,
        )
        authorization = request.headers.get("Authorization")
        role = roles.get(request.endpoint or "", "viewer")
        g.caller = None
        if role is None:
            return
        cookie = request.cookies.get(cookie_name(arrival))
        caller = find_caller(system.store, system.clock, authorization, cookie)
        csrf = request.headers.get("X-CSRF-Token")
        g.caller = check_rights(caller, role, request.method, csrf)

    return gate


def _view(route: Route, system: System, services: Services) -> Callable[..., Response]:
    def view(**path: str) -> Response:
        caller: Caller | None = g.caller
        call = Call(
            system=system,
            services=services,
            arrival=g.arrival,
            who=None if caller is None else caller.who,
            cookie=None if caller is None else caller.cookie,
            path=path,
            query=read_query(route, request.args),
            body=read_body(route, request),
        )
        return _answer(route.handler(call))

    return view


def _answer(answer: Answer) -> Response:
    response = _json(answer.body, answer.status)
    response.headers.update(dict(answer.headers))
    if answer.cookie is not None:
        response.set_cookie(
            cookie_name(g.arrival),
            answer.cookie,
            max_age=LASTS // 1_000_000 if answer.cookie else 0,
            httponly=True,
            samesite="Strict",
            secure=g.arrival.scheme == "https",
        )
    return response


def _json(body: Any, status: int = 200) -> Response:
    if status == 204:
        return Response(status=204)
    return Response(dump(body), status, mimetype="application/json")


def _finish(response: Response) -> Response:
    for name, value in SECURITY_HEADERS.items():
        response.headers[name] = value
    response.headers.setdefault("Cache-Control", "no-store")
    if response.status_code >= 400 and "request_id" in g:
        response.headers["X-Request-Id"] = g.request_id
    return response


def _failed(error: Exception) -> Response:
    """Every error is a problem document; what was not foreseen is logged and shown as 500."""
    if isinstance(error, ApiProblem):
        return respond(error)
    if isinstance(error, HTTPException):
        return respond(_http_problem(error))
    if isinstance(error, SQLAlchemyError):
        _log.error("the database failed request %s", g.get("request_id"), exc_info=error)
        return respond(problem_of(error))
    if isinstance(error, WakilError):
        return respond(problem_of(error))
    _log.error("request %s failed", g.get("request_id"), exc_info=error)
    return respond(ApiProblem(500, "internal", "something went wrong; the log says what"))


def _http_problem(error: HTTPException) -> ApiProblem:
    status = error.code or 500
    if isinstance(error, MethodNotAllowed):
        allowed = ", ".join(sorted(error.valid_methods or ()))
        detail = f"{request.method} is not possible here; {allowed} is"
        return ApiProblem(405, "method-not-allowed", detail, headers={"Allow": allowed})
    if status == 404:
        return ApiProblem(404, "not-found", "there is nothing at this address")
    code = (error.name or "error").lower().replace(" ", "-")
    return ApiProblem(status, code, error.description or error.name or "")
