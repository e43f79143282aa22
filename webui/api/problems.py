"""Errors as RFC 9457 problem documents: a stable `code` for programs, a sentence for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from flask import Response
from sqlalchemy.exc import SQLAlchemyError

from engine.core.errors import FactRefused, LangError, NotFound, Refused, StoreError, WakilError
from engine.core.values import Json
from engine.playbook.inputs import InvalidInputs
from engine.store.paging import CursorError
from webui.api.json_text import dump
from webui.auth.secrets import WeakPassword
from webui.auth.tokens import InvalidName
from webui.system import problem_to_json

_STATUS: Final[tuple[tuple[type[WakilError], int], ...]] = (
    (CursorError, 400),
    (NotFound, 404),
    (FactRefused, 422),
    (LangError, 422),
    (InvalidInputs, 422),
    (WeakPassword, 422),
    (InvalidName, 422),
    (Refused, 409),
    (StoreError, 503),
    (WakilError, 400),
)


@dataclass(eq=False)
class ApiProblem(Exception):
    """An answer that is an error."""

    status: int
    code: str
    detail: str
    more: Mapping[str, Json] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


def problem_of(error: WakilError | SQLAlchemyError) -> ApiProblem:
    """How an error raised on purpose is shown; a database's own words are not."""
    if isinstance(error, SQLAlchemyError):
        return ApiProblem(503, "database", "the database cannot be used now; try again")
    status = next(status for kind, status in _STATUS if isinstance(error, kind))
    more: dict[str, Json] = {}
    if isinstance(error, LangError):
        more["problems"] = [problem_to_json(problem) for problem in error.problems]
    if isinstance(error, Refused):
        more["reasons"] = list(error.reasons)
    return ApiProblem(status, error.code, error.message, more)


def respond(problem: ApiProblem) -> Response:
    """The problem document."""
    body: dict[str, Json] = {
        "type": f"urn:wakil:problem:{problem.code}",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
        **problem.more,
    }
    response = Response(dump(body), problem.status, mimetype="application/problem+json")
    response.headers.update(dict(problem.headers))
    return response
