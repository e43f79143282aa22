"""Facts and their kinds: what was observed, and the declared type of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from engine.core.values import MINUTE, Json, format_instant

Mode = Literal["state", "event", "request"]


@dataclass(slots=True)
class Fact:
    """Something observed.

    Treated as immutable by everyone; not frozen, because a frozen dataclass costs twice as much
    to make and facts are made by the hundred thousand. `at` is effective time, `arrived` the
    receiver's (0: the same), both microseconds UTC.
    """

    kind: str
    at: int
    host: str | None
    data: Mapping[str, Any]
    gone: bool = False
    arrived: int = 0

    def to_json(self) -> dict[str, Json]:
        """The documented form, as in a JSONL file (`gone` only where true)."""
        shown: dict[str, Json] = {"at": format_instant(self.at), "kind": self.kind}
        if self.host is not None:
            shown["host"] = self.host
        shown["data"] = dict(self.data)
        if self.gone:
            shown["gone"] = True
        return shown


@dataclass(frozen=True, slots=True)
class FieldType:
    """What a kind says of one field; `types` are JSON Schema type names, empty for any."""

    name: str
    types: frozenset[str] = frozenset()
    required: bool = False
    enum: tuple[Json, ...] | None = None
    reference: str | None = None
    """`x-ref`: the `kind.field` whose subject this names."""
    description: str = ""
    properties: Mapping[str, FieldType] | None = None
    """Of an object with declared members; None where anything may stand inside."""
    items: FieldType | None = None
    default: Json = None


@dataclass(frozen=True, slots=True)
class FactKind:
    """A declared fact kind (`schema/facts/NAME.schema.json`)."""

    name: str
    mode: Mode
    key: tuple[str, ...] = ()
    """Fields that, with the host, name its subject."""
    is_global: bool = False
    complete: bool = False
    stale_after: int | None = 15 * MINUTE
    """Microseconds; None is `never` (always so for events and requests)."""
    fields: Mapping[str, FieldType] = field(default_factory=dict)
    open: bool = False
    """Any field may be read, declared or not (kind `event`, webhook bodies)."""
    renamed: Mapping[str, str] = field(default_factory=dict)
    """`x-was`: old field name to today's."""
    description: str = ""
    schema: Mapping[str, Any] = field(default_factory=dict)

    def subject(self, fact: Fact) -> tuple[Any, ...]:
        """The identity of what `fact` is about: its host (unless global) and its key fields."""
        values = tuple(fact.data.get(name) for name in self.key)
        return values if self.is_global else (fact.host, *values)


Catalogue = Mapping[str, FactKind]
