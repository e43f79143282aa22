"""What a schema asks of a single value: whether it fits, and how to say what would."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import re2

from engine.lang.expression.suggest import one_of

_TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "null": (type(None),),
}
_WORDS = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "boolean": "true or false",
    "null": "null",
    "integer": "a whole number",
    "number": "a number",
}


def matches_type(value: Any, schema: Mapping[str, Any]) -> bool:
    """Whether the value has one of the JSON types that `type` names (any without `type`)."""
    if "anyOf" in schema and "type" not in schema:
        return True
    types = schema.get("type")
    if types is None:
        return True
    if isinstance(types, str):
        return _is(value, types)
    return any(_is(value, name) for name in types)


def _is(value: Any, name: str) -> bool:
    if name in {"number", "integer"}:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return False
        return name == "number" or isinstance(value, int) or value.is_integer()
    return isinstance(value, _TYPES[name])


def matches(value: Any, schema: Mapping[str, Any]) -> bool:
    """Whether a scalar meets what its schema asks beyond its type."""
    if "enum" in schema and not any(_same(value, allowed) for allowed in schema["enum"]):
        return False
    if "const" in schema and not _same(value, schema["const"]):
        return False
    if isinstance(value, str):
        if len(value) < schema.get("minLength", 0):
            return False
        return (
            "pattern" not in schema or compile_pattern(schema["pattern"]).search(value) is not None
        )
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        least, most = schema.get("minimum"), schema.get("maximum")
        return (least is None or value >= least) and (most is None or value <= most)
    return True


def _same(one: Any, other: Any) -> bool:
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


@cache
def compile_pattern(pattern: str) -> Any:
    """A pattern compiled by RE2, linear always; raises `re2.error`."""
    options = re2.Options()
    options.log_errors = False
    return re2.compile(pattern, options=options)


def expected_words(schema: Mapping[str, Any]) -> str:
    """What the schema wants, for the middle of a sentence: `a duration such as 5m or 2h`."""
    if "x-is" in schema:
        return str(schema["x-is"])
    if "enum" in schema:
        return one_of([_shown(value) for value in schema["enum"]], 20).replace(" and ", " or ")
    if "const" in schema:
        return _shown(schema["const"])
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(expected_words(branch) for branch in schema["anyOf"]))
    types = schema.get("type", "text")
    words = " or ".join(_WORDS[name] for name in ([types] if isinstance(types, str) else types))
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None and most is not None:
        return f"{words} from {least} to {most}"
    if least is not None:
        return f"{words} of at least {least}"
    if schema.get("minLength", 0) > 0:
        return f"{words} that is not empty"
    return words


def _shown(value: Any) -> str:
    return (
        {True: "true", False: "false", None: "null"}.get(value, str(value))
        if not isinstance(value, (int, float)) or isinstance(value, bool)
        else str(value)
    )
