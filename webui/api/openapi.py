"""The OpenAPI 3.1 document, made from the table of routes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from webui.api.routing import Parameter, Route

_PROBLEM = {"$ref": "#/components/schemas/Problem"}


def describe(routes: Iterable[Route], version: str) -> dict[str, Any]:
    """The whole document."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(f"/api/v1{route.path}", {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Wakil",
            "version": version,
            "description": "Facts in, decisions and runs out; the panel uses nothing else.",
        },
        "paths": paths,
        "components": {
            "schemas": {"Problem": _problem_schema(), "Page": _page_schema()},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "wakil_session"},
            },
        },
        "security": [{"token": []}, {"session": []}],
    }


def _operation(route: Route) -> dict[str, Any]:
    name = re.sub(r"[^a-z0-9]+", "_", f"{route.method} {route.path}".lower()).strip("_")
    operation: dict[str, Any] = {
        "operationId": name,
        "summary": route.summary,
        "description": (route.handler.__doc__ or route.summary).strip(),
        "tags": [route.path.split("/")[1]],
        "responses": _responses(route),
        "x-role": route.role or "none",
    }
    if route.role is None:
        operation["security"] = []
    parameters = [_path_parameter(each) for each in re.findall(r"{(\w+)}", route.path)]
    parameters += [_query_parameter(each) for each in route.query]
    if route.method != "GET" and route.role is not None:
        parameters.append(
            {
                "name": "X-CSRF-Token",
                "in": "header",
                "required": False,
                "schema": {"type": "string"},
                "description": "Needed with a session cookie, not with a token.",
            }
        )
    if parameters:
        operation["parameters"] = parameters
    if route.body is not None:
        operation["requestBody"] = {
            "required": route.body_required,
            "content": {"application/json": {"schema": route.body}},
        }
    return operation


def _responses(route: Route) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object"}
    if route.gives == "list":
        schema = {"$ref": "#/components/schemas/Page"}
    good: dict[str, Any] = {"description": route.summary}
    if route.status != 204:
        good["content"] = {"application/json": {"schema": schema}}
    problem = {
        "description": "A problem document",
        "content": {"application/problem+json": {"schema": _PROBLEM}},
    }
    responses = {str(route.status): good, "default": problem}
    if route.role is not None:
        responses["401"] = problem
    if route.role not in (None, "viewer"):
        responses["403"] = problem
    return responses


def _path_parameter(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _query_parameter(parameter: Parameter) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "integer" if parameter.type == "integer" else "string"}
    if parameter.type == "instant":
        schema["format"] = "date-time"
    if parameter.enum:
        schema["enum"] = list(parameter.enum)
    shown: dict[str, Any] = {"name": parameter.name, "in": "query", "schema": schema}
    if parameter.description:
        shown["description"] = parameter.description
    return shown


def _problem_schema() -> dict[str, Any]:
    texts = {name: {"type": "string"} for name in ("type", "title", "detail", "code")}
    return {
        "type": "object",
        "description": "RFC 9457; `code` is stable, `detail` is for people.",
        "properties": {**texts, "status": {"type": "integer"}},
        "required": ["type", "title", "status", "detail", "code"],
    }


def _page_schema() -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "items": {"type": "array", "items": {"type": "object"}},
            "next": {"type": ["string", "null"], "description": "`cursor` of the next page."},
        },
        "required": ["items", "next"],
    }
