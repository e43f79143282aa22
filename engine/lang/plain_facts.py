"""The short way through the door: a fact that says all it must, flat and of the declared types.

Nearly every fact is one. It is taken in a single loop over its fields; whatever is not plain (or
wrong) is left to the door, which says precisely what is odd about it. So this way never refuses,
warns or counts, and what it lets in is what the door would have let in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from engine.core.facts import Fact, FactKind
from engine.core.values import parse_instant
from engine.lang.bounds import AHEAD, MAX_HOST, MAX_INTEGER, MAX_KEY, MAX_KEYS, MAX_SIZE
from engine.lang.kind_checks import Check, asks, classes_of

PlainWay = Callable[[Any, "str | None", "int | None"], "Fact | None"]
"""Takes a raw fact, the host of one that names none, and the receiver's clock (None: there is
none); gives None where it is not plain."""
_SCALARS: Final[frozenset[type]] = frozenset({bool, int, float, str, type(None)})
_TYPE_ALONE: Final = frozenset({"type"})


def plain_way(kind: FactKind, checks: Mapping[str, Check]) -> PlainWay:
    """The short way of one kind. `checks` are the door's, by field; where a field's schema asks
    for types alone, its classes stand for its check."""
    properties: Mapping[str, Any] = kind.schema.get("properties", {})
    names = [each for each in properties if each not in kind.renamed and len(each) <= MAX_KEY]
    classes = {each: _classes(properties[each]) for each in names[:MAX_KEYS]}
    asked = [(each, checks[each]) for each in classes if asks(properties[each], beside=_TYPE_ALONE)]
    defaults = {each: its["default"] for each, its in properties.items() if "default" in its}
    needed = frozenset(kind.schema.get("required", ()))
    name, hosted = kind.name, not kind.is_global
    room = MAX_SIZE - 8 * (len(classes) + 1) - sum(map(len, classes))

    def plain(raw: Any, default: str | None, now: int | None) -> Fact | None:
        data, host, text = raw.get("data"), raw.get("host"), raw.get("at")
        said = 2 + (host is not None) + (text is not None)
        if len(raw) != said or data.__class__ is not dict or (host is not None and not hosted):
            return None
        if host is None:
            host = default if hosted else None
        elif not _is_host(host):
            return None
        at = now if text is None else parse_instant(text)
        if at is None or (hosted and host is None) or (now is not None and at > now + AHEAD):
            return None
        if not _is_flat(data, classes, room) or (needed and not needed <= data.keys()):
            return None
        for field, check in asked:
            if field in data and check(data[field]) is not None:
                return None
        if defaults and not defaults.keys() <= data.keys():
            data = {**defaults, **data}
        return Fact(name, at, host, data)

    return plain


def _is_flat(data: dict[str, Any], classes: Mapping[str, frozenset[type]], room: int) -> bool:
    """Whether all fields are declared, of their types, numbers within bounds, and not too long."""
    try:
        for field, value in data.items():
            its = value.__class__
            if its not in classes[field]:
                return False
            if its is str:
                room -= len(value)
            elif its is float:
                if value - value != 0.0:
                    return False
            elif its is int and not -MAX_INTEGER <= value <= MAX_INTEGER:
                return False
    except KeyError:
        return False
    return room >= 0


def _is_host(host: Any) -> bool:
    return host.__class__ is str and 0 < len(host) <= MAX_HOST and host.isprintable()


def _classes(schema: Mapping[str, Any]) -> frozenset[type]:
    """The scalars that a field may hold as far as its types go."""
    types = schema.get("type")
    return _SCALARS if types is None else _SCALARS & classes_of(types)
