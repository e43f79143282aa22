"""JSON in and out: limits before work, strict numbers, nothing that is not JSON."""

from __future__ import annotations

import json
import math
import re
from typing import Any, Final, NoReturn

DEEPEST: Final = 64
_BRACKETS: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)


class InvalidJson(ValueError):
    """Text that is not JSON, or nests too deeply."""


def parse(text: bytes) -> Any:
    """A JSON document in UTF-8. Depth is measured before anything recurses.

    Raises `InvalidJson`.
    """
    _measure_depth(text)
    try:
        return json.loads(text.decode("utf-8"), parse_constant=_refuse, parse_float=_finite)
    except InvalidJson:
        raise
    except UnicodeDecodeError:
        raise InvalidJson("the body is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise InvalidJson(
            f"the body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        ) from None
    except ValueError:
        raise InvalidJson("the body holds a number with too many digits") from None


def dump(body: Any) -> str:
    """Compact JSON; a number that JSON cannot write becomes null."""
    try:
        return json.dumps(body, separators=(",", ":"), allow_nan=False)
    except ValueError:
        return json.dumps(_without_nan(body), separators=(",", ":"))


def _measure_depth(text: bytes) -> None:
    depth = 0
    for found in _BRACKETS.finditer(text):
        first = found[0][0]
        if first in b"[{":
            depth += 1
            if depth > DEEPEST:
                raise InvalidJson(f"the body nests deeper than {DEEPEST} levels")
        elif first in b"]}":
            depth -= 1


def _refuse(name: str) -> NoReturn:
    raise InvalidJson(f"{name} is not a JSON number")


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise InvalidJson(f"the number {text[:20]} is too large")
    return value


def _without_nan(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _without_nan(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(inner) for inner in value]
    return value
