"""Facts, subjects and combinations as a snapshot holds them: plain JSON, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.core.facts import Fact
from engine.core.values import Json
from engine.rules.correlation.core import Core
from engine.rules.correlation.facts import Match, Record
from engine.rules.correlation.joins import Combination, Joiner


def fact_out(fact: Fact) -> list[Json]:
    """A fact as `[kind, at, host, data, arrived]`."""
    return [fact.kind, fact.at, fact.host, dict(fact.data), fact.arrived]


def fact_in(stored: list[Any]) -> Fact:
    """The fact that `fact_out` stored."""
    kind, at, host, data, arrived = stored
    return Fact(kind, at, host, data, False, arrived)


def record_out(record: Record | None) -> list[Json] | None:
    """A subject by its name: `[kind, …]`."""
    return None if record is None else [record.table.name, *record.subject]


def record_in(stored: list[Any] | None, core: Core) -> Record | None:
    """The subject of that name; None where it is not known any more."""
    if stored is None:
        return None
    table = core.tables.get(stored[0])
    return table.records.get(tuple(stored[1:])) if table is not None else None


def combination_out(combination: Combination) -> list[Json]:
    """A combination by the names of its subjects."""
    return [record_out(record) for record in combination]


def combination_in(stored: list[Any], core: Core) -> Combination | None:
    """The combination; None where one of its subjects is not known any more."""
    combination = tuple(record_in(one, core) for one in stored)
    known = all(
        (one is None) is (was is None) for one, was in zip(combination, stored, strict=True)
    )
    return combination if known else None


def copies_out(combination: Combination) -> list[Json]:
    """A combination whose facts need not be the last of their subjects."""
    return [None if record is None else fact_out(record.fact) for record in combination]


def copies_in(stored: list[Any], core: Core) -> Combination:
    """The combination that `copies_out` stored."""
    return tuple(None if one is None else _copy(fact_in(one), core) for one in stored)


def _copy(fact: Fact, core: Core) -> Record | None:
    table = core.tables.get(fact.kind)
    return None if table is None else Record(table, table.subject(fact), fact, core.judge(fact))


def joiner_out(joiner: Joiner | None) -> list[Json]:
    """What is noted for each slot, in the order in which it was."""
    if joiner is None:
        return []
    return [
        [
            {"fact": fact_out(r.fact), "subject": list(r.subject), "until": r.until}
            if isinstance(r, Match)
            else record_out(r)
            for r in joiner.of_slot(slot)
        ]
        for slot in joiner.plan.slots
    ]


def joiner_in(stored: list[Any], joiner: Joiner | None, core: Core) -> None:
    """Notes again what was noted."""
    if joiner is None:
        return
    for slot, noted in zip(joiner.plan.slots, stored, strict=True):
        for one in noted:
            record = _match_in(one, core) if isinstance(one, Mapping) else record_in(one, core)
            if record is not None:
                joiner.note(slot, record, record.mask)


def _match_in(stored: Mapping[str, Any], core: Core) -> Record | None:
    record = _copy(fact_in(stored["fact"]), core)
    return None if record is None else Match(record, tuple(stored["subject"]), stored["until"])
