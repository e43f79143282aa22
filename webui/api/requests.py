"""What a request carries, read strictly: query parameters and JSON bodies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from flask import Request
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match
from referencing import Registry
from werkzeug.exceptions import RequestEntityTooLarge

from engine.core.values import parse_instant
from webui.api.json_text import InvalidJson, parse
from webui.api.problems import ApiProblem
from webui.api.routing import Parameter, Route

LONGEST_LIST: Final = 10_000


def read_query(route: Route, arguments: Mapping[str, str]) -> dict[str, Any]:
    """The route's parameters that were given, as their types. Raises a 400."""
    return {
        parameter.name: _value(parameter, arguments[parameter.name])
        for parameter in route.query
        if arguments.get(parameter.name)
    }


def read_body(route: Route, request: Request) -> Any:
    """The body as the route's schema allows it; None where there is none.

    Raises 413, 415, 400 and 422 problems.
    """
    if route.body is None:
        return None
    request.max_content_length = route.most_bytes
    if request.content_length is not None and request.content_length > route.most_bytes:
        raise _too_large(route)
    if not _has_body(request):
        if not route.body_required:
            return None
        raise ApiProblem(400, "missing-body", "a JSON body is needed")
    if request.mimetype != "application/json":
        raise ApiProblem(415, "not-json", "the body must be application/json")
    try:
        body = parse(request.get_data(cache=False))
    except RequestEntityTooLarge:
        raise _too_large(route) from None
    except InvalidJson as error:
        raise ApiProblem(400, "invalid-json", str(error)) from None
    _check(route, body)
    return body


def _has_body(request: Request) -> bool:
    chunked = "chunked" in request.headers.get("Transfer-Encoding", "").lower()
    return bool(request.content_length) or chunked


def _too_large(route: Route) -> ApiProblem:
    return ApiProblem(
        413, "too-large", f"the body may have {route.most_bytes:,} bytes".replace(",", " ")
    )


def _check(route: Route, body: Any) -> None:
    if isinstance(body, list) and len(body) > LONGEST_LIST:
        message = f"a list may have {LONGEST_LIST:,} items".replace(",", " ")
        raise ApiProblem(422, "invalid-body", message)
    validator = _validator(route)
    if validator.is_valid(body):
        return
    shown, place = _first_wrong(validator, body)
    error: ValidationError | None = best_match(validator.iter_errors(shown))
    assert error is not None
    words = _words(_of_its_type(error))
    if words.startswith("[0]"):
        words = f"[{place}]{words.removeprefix('[0]')}"
    raise ApiProblem(422, "invalid-body", words)


def _first_wrong(validator: Draft202012Validator, body: Any) -> tuple[Any, int]:
    """What to explain: of a list only its first wrong item, and its place there; for each further
    one would cost time and say the same."""
    if isinstance(body, list) and len(body) > 1:
        for place, item in enumerate(body):
            if not validator.is_valid([item]):
                return [item], place
    return body, 0


def _of_its_type(error: ValidationError) -> ValidationError:
    """Of `oneOf` what is wrong with the alternative of the body's own type, where there is one."""
    branches: dict[object, list[ValidationError]] = {}
    for inner in error.context or ():
        branches.setdefault(inner.relative_schema_path[0], []).append(inner)
    for errors in branches.values():
        if not any(inner.validator == "type" and not inner.relative_path for inner in errors):
            return best_match(errors) or error
    return error


_validators: dict[str, Draft202012Validator] = {}


def _validator(route: Route) -> Draft202012Validator:
    found = _validators.get(route.endpoint)
    if found is None:
        # An empty registry: a `$ref` to elsewhere must never be fetched.
        registry: Registry[Any] = Registry()
        found = Draft202012Validator(route.body or {}, registry=registry)
        _validators[route.endpoint] = found
    return found


def _words(error: ValidationError) -> str:
    place = "".join(
        f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path
    ).lstrip(".")
    message = error.message if len(error.message) <= 300 else f"does not fit: {error.validator}"
    return f"{place}: {message}" if place else message


def _value(parameter: Parameter, text: str) -> Any:
    if parameter.type == "integer":
        if not text.isascii() or not text.isdigit() or len(text) > 9 or int(text) == 0:
            raise _unfit(parameter, "a whole number above 0")
        return int(text)
    if parameter.type == "instant":
        instant = parse_instant(text)
        if instant is None:
            raise _unfit(parameter, "a time such as 2026-01-01T00:00:00Z")
        return instant
    if parameter.enum and text not in parameter.enum:
        raise _unfit(parameter, f"one of {', '.join(parameter.enum)}")
    return text


def _unfit(parameter: Parameter, wanted: str) -> ApiProblem:
    return ApiProblem(400, "invalid-parameter", f"{parameter.name} must be {wanted}")
