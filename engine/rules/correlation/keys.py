"""Keys and subjects as hashable values that come back exactly from JSON.

Python calls 1, 1.0 and True the same dictionary key; the language does not. Texts and whole
numbers, which nearly all keys are, stand for themselves; anything else is tagged JSON text.
"""

from __future__ import annotations

import json
from typing import Any, Final

from engine.core.values import Json

Key = tuple[Any, ...]
_TAG: Final = "\0"


def plain(value: Any) -> Any:
    """A hashable stand-in for any JSON value, distinct for distinct values."""
    kind = value.__class__
    if (kind is str and value[:1] != _TAG) or kind is int or value is None:
        return value
    return _TAG + json.dumps(value, sort_keys=True, default=str)


def original(value: Any) -> Json:
    """The JSON value that `plain` stood in for."""
    if value.__class__ is str and value[:1] == _TAG:
        return json.loads(value[1:])  # type: ignore[no-any-return]
    return value  # type: ignore[no-any-return]


def as_text(key: Key) -> str:
    """A key for people and for the `subject` of an alert fact: its values, parted by spaces."""
    return " ".join(
        "—" if v is None else v if isinstance(v, str) else json.dumps(v)
        for v in (original(value) for value in key)
    )
