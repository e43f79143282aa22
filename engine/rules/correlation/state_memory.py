"""What a state rule's snapshot holds, and how the rule goes on from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from engine.core.values import Json
from engine.rules.correlation.facts import FOREVER
from engine.rules.correlation.joins import Combination
from engine.rules.correlation.stored import (
    combination_in,
    combination_out,
    joiner_in,
    joiner_out,
    record_in,
    record_out,
)
from engine.rules.correlation.watch import HELD, OPEN, WAITING, Watch

if TYPE_CHECKING:
    from engine.rules.correlation.state import StateRule

_PLAIN = ("phase", "since", "firing", "fired", "last", "severity", "alerted", "times", "seen")


def snapshot(rule: StateRule) -> dict[str, Any]:
    """All keys in their order, and what is noted for joins."""
    watches = [_out(rule, watch) for watch in rule.watches]
    watching = [
        record_out(record)
        for table in rule.core.tables.values()
        for record in table.records.values()
        if record.watchers and rule in record.watchers
    ]
    return {
        "watches": watches,
        "open": [one for one in watches if one["phase"] == OPEN],
        "joined": [joiner_out(joiner) for joiner in (rule.when, rule.unless, rule.until)],
        "watching": watching,
    }


def _out(rule: StateRule, watch: Watch) -> dict[str, Json]:
    stored: dict[str, Json] = {name: getattr(watch, name) for name in _PLAIN}
    stored["times"] = list(watch.times)
    return stored | {
        "key": list(watch.key),
        "host": watch.host,
        "shown": dict(rule.keying.shown(watch.key)),
        "members": [[combination_out(c), holds] for c, holds in watch.members.items()],
        "spent": [combination_out(c) for c in watch.spent],
        "example": combination_out(watch.example),
        "due": watch.due,
    }


def take_up(watch: Watch, stored: Mapping[str, Any]) -> None:
    """A key goes on as what is stored, its members aside."""
    for name in _PLAIN:
        setattr(watch, name, stored[name])
    watch.times = list(stored["times"])


def restore(rule: StateRule, stored: Mapping[str, Any], away: int) -> None:
    """Takes all keys up again. A `for` goes on if Wakil was away for less than the stale time."""
    joiners = (rule.when, rule.unless, rule.until)
    for noted, joiner in zip(stored["joined"], joiners, strict=True):
        joiner_in(noted, joiner, rule.core)
    for name in stored["watching"]:
        record = record_in(name, rule.core)
        if record is not None:
            rule.watch_next(record)
    stale_after = min(
        (rule.core.tables[slot.kind].stale_after for slot in rule.plan.when.slots),
        default=FOREVER,
    )
    waiting: list[tuple[int, Watch]] = []
    for one in stored["watches"]:
        watch = _in(rule, one)
        if watch.phase == WAITING and away and away >= stale_after:
            _start_anew(rule, watch)
        else:
            waiting.append((one["due"], watch))
    for _, watch in sorted(waiting, key=lambda pair: pair[0]):
        rule.schedule(watch)


def _in(rule: StateRule, stored: Mapping[str, Any]) -> Watch:
    core = rule.core
    example = combination_in(stored["example"], core) or ()
    watch = Watch(tuple(stored["key"]), stored["host"], stored["seen"], example)
    take_up(watch, stored)
    rule.watches.add(watch)
    for names, holds in stored["members"]:
        combination = combination_in(names, core)
        if combination is not None:
            watch.members[combination] = holds
            _rest(rule, watch, combination)
    for names in stored["spent"]:
        combination = combination_in(names, core)
        if combination is not None:
            watch.spent[combination] = None
            _rest(rule, watch, combination)
    if watch.phase == HELD:
        rule.held[watch] = None
    return watch


def _rest(rule: StateRule, watch: Watch, combination: Combination) -> None:
    for record in combination:
        if record is not None:
            rule.resting.setdefault(record, {})[combination] = watch


def _start_anew(rule: StateRule, watch: Watch) -> None:
    """What was waiting waits for its subjects' next facts."""
    for combination in list(watch.members):
        for record in combination:
            if record is not None:
                rule.watch_next(record)
        rule.drop(watch, combination)
    rule.calm(watch)
