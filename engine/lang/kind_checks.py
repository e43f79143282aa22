"""A field's schema compiled to one function that says what is wrong with a value, or None.

Only the keywords that `schema/factkind.schema.json` admits exist here, so nothing is fetched, no
pattern backtracks (RE2), and a check costs about as much as looking at the value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from engine.lang.schema_words import compile_pattern
from engine.lang.yaml import shorten

Check = Callable[[Any], str | None]
_NAMES = {
    bool: "boolean", int: "integer", float: "number", str: "string",
    list: "array", dict: "object", type(None): "null",
}  # fmt: skip
_SAYS_NOTHING = frozenset({"description", "title", "default", "examples", "format"})
_ARTICLES = {"integer": "an integer", "array": "an array", "object": "an object", "null": "null"}


def type_name(value: Any) -> str:
    """The JSON Schema name of a value's type."""
    return _NAMES.get(type(value), type(value).__name__)


def with_article(name: str) -> str:
    """`an integer`, `a string` …"""
    return _ARTICLES.get(name, f"a {name}")


def compile_check(schema: Mapping[str, Any]) -> Check:
    """The check of one schema (of a field, an item …)."""
    checks: list[Check] = []
    types = schema.get("type")
    if types is not None:
        checks.append(_types((types,) if isinstance(types, str) else tuple(types)))
    if "enum" in schema:
        checks.append(_enum(tuple(schema["enum"])))
    if "const" in schema:
        checks.append(_enum((schema["const"],)))
    checks.extend(_bounds(schema))
    if "pattern" in schema:
        checks.append(_pattern(schema["pattern"]))
    if "items" in schema:
        checks.append(_items(compile_check(schema["items"])))
    if {"properties", "required"} & schema.keys() or isinstance(
        schema.get("additionalProperties"), (bool, dict)
    ):
        checks.append(_members(schema))
    if len(checks) == 1:
        return checks[0]

    def check(value: Any) -> str | None:
        for each in checks:
            if (wrong := each(value)) is not None:
                return wrong
        return None

    return check


def asks(schema: Mapping[str, Any], *, beside: frozenset[str] = frozenset()) -> bool:
    """Whether a schema says anything about values, the words `beside` not counted."""
    return any(
        not word.startswith("x-") and word not in _SAYS_NOTHING and word not in beside
        for word in schema
    )


def classes_of(names: str | Iterable[str]) -> frozenset[type]:
    """The Python classes of JSON Schema type names; a whole float is an integer beside them."""
    chosen = {names} if isinstance(names, str) else set(names)
    if "number" in chosen:
        chosen.add("integer")
    return frozenset(kind for kind, name in _NAMES.items() if name in chosen)


def _types(names: tuple[str, ...]) -> Check:
    classes = classes_of(names)
    whole = "integer" in names and "number" not in names
    wanted = " or ".join(with_article(name) for name in names)

    def check(value: Any) -> str | None:
        kind = type(value)
        if kind in classes or (whole and kind is float and value.is_integer()):
            return None
        return f"must be {wanted}, not {with_article(type_name(value))}"

    return check


def _enum(allowed: tuple[Any, ...]) -> Check:
    shown = ", ".join(shorten(str(value)) for value in allowed)

    def check(value: Any) -> str | None:
        for each in allowed:
            if value == each and isinstance(value, bool) == isinstance(each, bool):
                return None
        return f"must be one of {shown}, not {shorten(str(value))}"

    return check


def _bounds(schema: Mapping[str, Any]) -> list[Check]:
    found: list[Check] = []
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None or most is not None:
        found.append(_between(least, most, (int, float), lambda value: value, "be"))
    for word, kind in (("Length", str), ("Items", list)):
        least, most = schema.get(f"min{word}"), schema.get(f"max{word}")
        if least is not None or most is not None:
            verb = "have a length of" if kind is str else "have a number of items of"
            found.append(_between(least, most, (kind,), len, verb))
    return found


def _between(
    least: float | None,
    most: float | None,
    kinds: tuple[type, ...],
    measure: Callable[[Any], float],
    verb: str,
) -> Check:
    def check(value: Any) -> str | None:
        if not isinstance(value, kinds) or isinstance(value, bool):
            return None
        size = measure(value)
        if least is not None and size < least:
            return f"must {verb} at least {least}"
        if most is not None and size > most:
            return f"must {verb} at most {most}"
        return None

    return check


def _pattern(pattern: str) -> Check:
    compiled = compile_pattern(pattern)

    def check(value: Any) -> str | None:
        if not isinstance(value, str) or compiled.search(value) is not None:
            return None
        return f"must fit the pattern {shorten(pattern)}"

    return check


def _items(inner: Check) -> Check:
    def check(value: Any) -> str | None:
        if isinstance(value, list):
            for place, item in enumerate(value):
                if (wrong := inner(item)) is not None:
                    return f"[{place}] {wrong}"
        return None

    return check


def _members(schema: Mapping[str, Any]) -> Check:
    known = {name: compile_check(its) for name, its in schema.get("properties", {}).items()}
    required = tuple(schema.get("required", ()))
    others = schema.get("additionalProperties", True)
    other = compile_check(others) if isinstance(others, dict) else None

    def check(value: Any) -> str | None:
        if not isinstance(value, dict):
            return None
        for name in required:
            if name not in value:
                return f"needs '{name}'"
        for name, item in value.items():
            inner = known.get(name, other)
            if inner is not None and (wrong := inner(item)) is not None:
                return f".{shorten(name)} {wrong}"
            if inner is None and others is False:
                return f"has an unknown member '{shorten(name)}'"
        return None

    return check
