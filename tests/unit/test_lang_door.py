"""The short way through the door lets in what the long way lets in, and nothing else."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest

from engine.core.errors import FactRefused
from engine.core.facts import FactKind
from engine.lang.bounds import MAX_SIZE
from engine.lang.door import Admitted, Door
from engine.lang.kinds import kind_of_schema, shipped_kinds

AT = "2026-01-01T00:00:00Z"
VALUES: tuple[Any, ...] = (
    True, False, None, 0, 1, -7, 2**63 - 1, 2**63, -(2**63) + 1, -(2**63), 0.0, 2.0, 95.5, 1e308,
    math.inf, math.nan, "", "up", "critical", "x" * 300, [], ["a", 1], {}, {"deep": [{"er": 1}]},
)  # fmt: skip
HOSTS: tuple[Any, ...] = ("web-1", "web-1", "", None, 7, "h" * 254, "new\nline", "ö")
TIMES: tuple[Any, ...] = (AT, AT, "2026-01-01 00:00:00.25+02:00", "yesterday", "", None, 12)


def own() -> FactKind:
    """A kind with every word that a field may say."""
    properties: dict[str, Any] = {
        "used_percent": {"type": "number", "minimum": 0, "maximum": 100},
        "state": {"enum": ["up", "down", 1]},
        "note": {"type": ["string", "null"], "maxLength": 10, "pattern": "^[a-z]*$"},
        "any": {"description": "whatever"},
        "count": {"type": "integer", "default": 3, "x-was": "old_count"},
        "flag": {"type": "boolean"},
        "list": {"type": "array", "items": {"type": "string"}},
    }
    schema = {
        "type": "object", "x-mode": "state", "properties": properties, "required": ["flag"],
    }  # fmt: skip
    return kind_of_schema("own", schema)


KINDS = {**shipped_kinds(), "own": own()}


def said(door: Door, raw: dict[str, Any], **how: Any) -> Admitted | str:
    try:
        return door.admit_with_warnings(raw, **how)
    except FactRefused as refused:
        return refused.message


def random_fact(draw: random.Random) -> dict[str, Any]:
    name = draw.choice(["own", *sorted(KINDS)])
    fields = [*KINDS[name].fields, *KINDS[name].renamed, "undeclared"]
    data: Any = {
        field: draw.choice(VALUES) for field in fields if draw.random() < draw.choice((0.2, 0.9))
    }
    if name == "own" and draw.random() < 0.7:
        data = {"flag": True, "used_percent": 95.5, "state": "up", "note": "abc", "any": None}
    raw = {"at": draw.choice(TIMES), "kind": name, "host": draw.choice(HOSTS), "data": data}
    if (KINDS[name].is_global and draw.random() < 0.5) or draw.random() < 0.1:
        del raw[draw.choice(["at", "host", "data"])]
    return raw


@pytest.mark.parametrize("seed", range(20))
def test_both_ways_say_the_same(seed: int) -> None:
    draw = random.Random(seed)
    door = Door(KINDS)
    for _ in range(300):
        raw = random_fact(draw)
        how: dict[str, Any] = {
            "host_default": draw.choice([None, "here"]),
            "now": draw.choice([None, 0, 1_767_225_600_000_000, 1_767_225_000_000_000]),
            "strict": draw.random() < 0.5,
        }
        long_way = said(door, {**raw, "gone": False}, **how)
        # repr, because a number that is not one equals nothing
        assert repr(said(door, raw, **how)) == repr(long_way)


def test_defaults_stand_where_a_field_is_missing() -> None:
    raw = {"at": AT, "kind": "own", "host": "web-1", "data": {"flag": True}}
    fact = Door(KINDS).admit(raw)
    assert fact.data == {"count": 3, "flag": True}
    assert raw["data"] == {"flag": True}


def test_what_is_too_large_is_refused_though_it_is_flat() -> None:
    door = Door(KINDS)
    data: dict[str, Any] = {"flag": True, "count": 1}
    frame = 8 * 4 + len("flagcountany")
    raw = {"at": AT, "kind": "own", "host": "web-1", "data": data}
    data["any"] = "x" * (MAX_SIZE - frame)
    assert door.admit(raw).data["any"] == data["any"]
    data["any"] += "x"
    with pytest.raises(FactRefused, match="larger than 256 KiB"):
        door.admit(raw)
