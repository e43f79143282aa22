"""How facts lie in the journal: as they came, and packed by kind into columns.

A packed block is zlib over JSON: places and times as differences, hosts by index into a list,
and for each shape (the names of a fact's fields, in order) one column a field. Equal neighbours
then lie together, which compresses to a byte or two a value. Only `json` reads it.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Literal

from engine.core.facts import Fact

Entry = tuple[int, Fact]
"""A fact and its place in the journal."""
MarkerKind = Literal["start", "stop", "reload"]
MARKER = "@"
"""Markers lie in the journal as facts of the kind `@start`, which no fact kind can have."""


@dataclass(frozen=True, slots=True)
class Marker:
    """Where the server started, stopped, or took up other content, among the facts."""

    kind: MarkerKind
    at: int
    data: Mapping[str, Any]


def pack_commit(facts: Iterable[Fact]) -> bytes:
    """One commit as it came: quick to write."""
    rows = [
        [fact.kind, fact.at, fact.arrived, fact.host, int(fact.gone), dict(fact.data)]
        for fact in facts
    ]
    return zlib.compress(json.dumps(rows, separators=(",", ":")).encode(), 1)


def unpack_commit(first: int, body: bytes) -> list[Entry]:
    """The facts of a commit whose first has the place `first`."""
    rows = json.loads(zlib.decompress(body))
    return [
        (first + index, Fact(kind, at, host, data, bool(gone), arrived))
        for index, (kind, at, arrived, host, gone, data) in enumerate(rows)
    ]


def pack_block(entries: Sequence[Entry]) -> bytes:
    """Facts of one kind, in order of their places, as columns."""
    hosts: dict[str | None, int] = {}
    shapes: dict[tuple[str, ...], int] = {}
    columns: list[list[list[Any]]] = []
    host_of, shape_of, gone, lateness = [], [], [], []
    for index, (_, fact) in enumerate(entries):
        names = tuple(fact.data)
        shape = shapes.setdefault(names, len(shapes))
        if shape == len(columns):
            columns.append([[] for _ in names])
        for column, value in zip(columns[shape], fact.data.values(), strict=True):
            column.append(value)
        shape_of.append(shape)
        host_of.append(hosts.setdefault(fact.host, len(hosts)))
        lateness.append(fact.arrived - fact.at)
        if fact.gone:
            gone.append(index)
    block = {
        "places": _differences([place for place, _ in entries]),
        "at": _differences([fact.at for _, fact in entries]),
        "late": lateness,
        "hosts": list(hosts),
        "host": host_of,
        "gone": gone,
        "shapes": list(shapes),
        "shape": shape_of,
        "columns": columns,
    }
    return zlib.compress(json.dumps(block, separators=(",", ":")).encode(), 9)


def unpack_block(kind: str, body: bytes) -> list[Entry]:
    """The facts of a packed block, in order of their places."""
    block = json.loads(zlib.decompress(body))
    gone = set(block["gone"])
    rows: list[Iterator[tuple[Any, ...]]] = [
        zip(*columns, strict=True) if columns else iter(()) for columns in block["columns"]
    ]
    entries = []
    along = zip(
        accumulate(block["places"]),
        accumulate(block["at"]),
        block["late"],
        block["host"],
        block["shape"],
        strict=True,
    )
    for index, (place, at, late, host, shape) in enumerate(along):
        names = block["shapes"][shape]
        values = next(rows[shape]) if names else ()
        data = dict(zip(names, values, strict=True))
        fact = Fact(kind, at, block["hosts"][host], data, index in gone, at + late)
        entries.append((place, fact))
    return entries


def _differences(values: Sequence[int]) -> list[int]:
    return [value - before for value, before in zip(values, [0, *values], strict=False)]
