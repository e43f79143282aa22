"""The engine's whole state as one versioned snapshot, and going on from it.

A restart and a reload are the same act: the facts come back, each rule takes up its own state or,
where it has changed, is judged anew; what is left of rules that are gone ends. Every entry names
its host, so that a snapshot can be divided.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from engine.core.errors import StoreError
from engine.core.facts import Fact
from engine.lang.model import Bundle
from engine.rules.correlation.core import Core, hashed
from engine.rules.correlation.deciding import withdrawn
from engine.rules.correlation.facts import Record
from engine.rules.correlation.handlers import Handler
from engine.rules.correlation.runtime import Runtime
from engine.rules.correlation.stored import fact_in, fact_out

VERSION: Final = 1


def identity(bundle: Bundle) -> str:
    """What a snapshot's state was judged by: the same again needs no judging anew."""
    rules = [(rule.id, rule.fingerprint, repr(rule.vars)) for rule in bundle.rules]
    calendars = sorted(repr(calendar) for calendar in bundle.calendars.values())
    return hashed(bundle.commit, rules, repr(bundle.hosts), bundle.timezone, calendars)


def snapshot(bundle: Bundle, core: Core, rules: Mapping[str, Runtime]) -> dict[str, Any]:
    """All there is to know, as JSON."""
    return {
        "version": VERSION,
        "bundle": identity(bundle),
        "clock": core.clock,
        "facts": [
            {"fact": fact_out(record.fact), "timed": record.mask & ~table.steady}
            for table in core.tables.values()
            for record in table.records.values()
        ],
        "rules": {
            name: {"fingerprint": runtime.rule.fingerprint, **runtime.snapshot()}
            for name, runtime in rules.items()
        },
        "counters": dict(core.counters),
        "fired_at": core.fired_at,
        "ordinals": dict(core.ordinals),
    }


def restore(
    stored: Mapping[str, Any],
    bundle: Bundle,
    core: Core,
    rules: Mapping[str, Runtime],
    handlers: Mapping[str, Handler],
) -> None:
    """Goes on from a snapshot; raises `StoreError` for one of a version not known here.

    What ends by it is decided at the core's clock.
    """
    if stored.get("version") != VERSION:
        raise StoreError(
            f"the engine's snapshot is of version {stored.get('version')!r}; this Wakil reads "
            f"version {VERSION}"
        )
    same = stored["bundle"] == identity(bundle)
    away = max(core.clock - stored["clock"], 0)
    core.counters.update(stored["counters"])
    core.fired_at, core.ordinals = stored["fired_at"], dict(stored["ordinals"])
    _take_in_facts(stored["facts"], core, same=same)
    before: Mapping[str, Mapping[str, Any]] = stored["rules"]
    for name, state in before.items():
        if name not in rules:
            for one in state["open"]:
                withdrawn(name, one["shown"], one["firing"], one["alerted"], core.clock, core)
    for name, runtime in rules.items():
        known = before.get(name)
        records = _records_for(runtime, core, handlers)
        if known is None:
            runtime.show_all(records)
        elif known["fingerprint"] == runtime.rule.fingerprint:
            runtime.restore(known, away)
            if not same or not runtime.remembers:
                for record in records:
                    runtime.resync(record)
        else:
            runtime.adopt(known, records)


def _take_in_facts(stored: Sequence[Mapping[str, Any]], core: Core, *, same: bool) -> None:
    for one in stored:
        fact: Fact = fact_in(one["fact"])
        table = core.tables.get(fact.kind)
        if table is None or table.kind.mode != "state":
            core.counters["facts_of_unknown_kind"] += 1
            continue
        mask = core.judge(fact)
        if same:
            mask = mask & table.steady | one["timed"]
        table.add(Record(table, table.subject(fact), fact, mask))


def _records_for(runtime: Runtime, core: Core, handlers: Mapping[str, Handler]) -> list[Record]:
    """The last facts that a rule would have seen."""
    kinds = dict.fromkeys(kind for plan in runtime.plan.conditions for kind in plan.kinds)
    return [
        record
        for kind in sorted(kinds)
        for record in core.tables[kind].records.values()
        if not handlers[kind].is_own_alert(runtime, record.fact)
    ]
