"""Event rules: every match fires; `count` within a window; parts that stay true for a while."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Final

from engine.core.values import HOUR
from engine.rules.correlation.core import Core
from engine.rules.correlation.deciding import because
from engine.rules.correlation.facts import Match, Record
from engine.rules.correlation.joins import Combination, at_hand
from engine.rules.correlation.keys import Key
from engine.rules.correlation.plan import RulePlan, Slot
from engine.rules.correlation.runtime import Runtime
from engine.rules.correlation.shares import Shares
from engine.rules.correlation.stored import joiner_in, joiner_out
from engine.rules.correlation.watch import host_of

MATCHES: Final = 1_000
"""Matches of an event part remembered for one subject."""
TIMES: Final = 256
"""Times remembered for a key's `count` beyond those that it needs."""
LATEST: Final = HOUR
"""So much later than the clock a late event may still complete a count."""


class EventKey:
    """What an event rule remembers of one key."""

    __slots__ = ("host", "key", "last", "seen", "times")

    def __init__(self, key: Key, host: str | None, at: int) -> None:
        self.key = key
        self.host = host
        self.seen = at
        self.last: int | None = None
        self.times: list[int] = []

    @property
    def kept(self) -> bool:
        return False


class Matches:
    """The matches of one event part for one subject, oldest first."""

    __slots__ = ("host", "key", "matches", "seen", "slot")

    def __init__(self, key: Key, slot: Slot, host: str | None, at: int) -> None:
        self.key = key
        self.slot = slot
        self.host = host
        self.seen = at
        self.matches: deque[Match] = deque()

    @property
    def kept(self) -> bool:
        return False


class EventRule(Runtime):
    """A rule with an event part: it fires once per key for each event that completes it."""

    def __init__(self, plan: RulePlan, core: Core) -> None:
        super().__init__(plan, core)
        self.keys: Shares[EventKey] = Shares(_nothing)
        self.recent: Shares[Matches] = Shares(self._forget)
        self.number = 0
        self._stays = plan.when.source.within or self.rule.within or 0
        self._joined = plan.when.every and len(plan.when.slots) > 1

    # ── facts ─────────────────────────────────────────────────────────────────────────────────

    def on_fact(self, record: Record, mask: int, *, again: bool) -> None:
        switch = self.plan.switch
        complete: dict[Key, Combination] = {}
        for slot in self.slots.get(record.table.name, ()):
            found: Record | None = record
            if slot.mode != "event":
                news = slot.holds(mask) and (again or not self.when.is_noted(slot, record))
                self.when.note(slot, record, mask)
                found = record if news else None
            elif not slot.holds(mask) or switch in self.core.switched:
                found = None
            elif self._joined:
                found = self._remember(slot, record)
            if found is not None:
                self._complete(slot, found, complete)
        self.note_foreign(self.unless, record, mask)
        if complete and switch is not None:
            self.core.switched.add(switch)
        for key, combination in sorted(complete.items(), key=lambda item: repr(item[0])):
            self._matched(key, combination, record.fact.at)

    def on_gone(self, record: Record) -> None:
        for slot in self.slots.get(record.table.name, ()):
            if slot.mode == "state":
                self.when.note(slot, record, 0)
        self.note_foreign(self.unless, record, 0)

    def _complete(self, slot: Slot, record: Record, complete: dict[Key, Combination]) -> None:
        at = self.core.clock
        for combination in self.when.around(slot, record, at):
            key = self.keying.of(combination, at)
            if key is None:
                self.core.counters["facts_without_by"] += 1
            else:
                complete.setdefault(key, combination)

    def _remember(self, slot: Slot, record: Record) -> Match:
        """An event part's match stays true for a while, to be joined with what comes."""
        entry = self._entry_of(slot, record)
        entry.seen = self.core.clock
        self.number += 1
        match = Match(record, (*record.subject, self.number), record.fact.at + self._stays)
        self._put(entry, match)
        return match

    def _entry_of(self, slot: Slot, record: Record) -> Matches:
        subject = record.table.subject(record.fact)
        key = (slot.index, *subject)
        entry = self.recent.get(key)
        if entry is None:
            entry = Matches(key, slot, record.host, self.core.clock)
            self.recent.add(entry)
        return entry

    def _put(self, entry: Matches, match: Match) -> None:
        matches, at = entry.matches, self.core.clock
        while matches and (len(matches) >= MATCHES or matches[0].until < at):
            self.when.note(entry.slot, matches.popleft(), 0)
        matches.append(match)
        self.when.note(entry.slot, match, match.mask)

    def _forget(self, entry: Matches) -> None:
        for match in entry.matches:
            self.when.note(entry.slot, match, 0)

    # ── firing ────────────────────────────────────────────────────────────────────────────────

    def _matched(self, key: Key, combination: Combination, when: int) -> None:
        """A match at its own time `when`; what it completes fires now."""
        at = self.core.clock
        entry = None
        if self.rule.count is not None or self.rule.throttle is not None:
            entry = self._entry(key, combination, at)
            if self.rule.count is not None and not self._counted(entry, min(when, at), at):
                return
        if self.held_until(at_hand(self.plan.when, combination), at) is not None:
            self.core.counters["events_held_back"] += 1
            return
        if entry is not None:
            if self.is_throttled(entry.last, at):
                self.core.counters["events_throttled"] += 1
                return
            entry.last = at
        self._fire(key, combination, at)

    def _entry(self, key: Key, combination: Combination, at: int) -> EventKey:
        entry = self.keys.get(key)
        if entry is None:
            entry = EventKey(key, host_of(combination), at)
            self.keys.add(entry)
        entry.seen = at
        return entry

    def _counted(self, entry: EventKey, when: int, at: int) -> bool:
        """Whether this match is the n-th within some window; then the count starts anew."""
        count, within = self.rule.count or 1, self.rule.within or 0
        times = entry.times
        insort(times, when)
        first = bisect_left(times, when - within)
        for start in range(first, len(times) - count + 1):
            if times[start] > when:
                break
            if times[start + count - 1] - times[start] <= within:
                times.clear()
                return True
        too_old = bisect_left(times, at - within - max(within, LATEST))
        del times[: max(too_old, len(times) - count - TIMES)]
        return False

    def _fire(self, key: Key, combination: Combination, at: int) -> None:
        hand = at_hand(self.plan.when, combination)
        shown = self.keying.shown(key)
        firing = self.core.firing_id(self.rule.id, shown, at)
        host = next((record.host for slot, record in hand if slot.hosted), None)
        self.speaker.fire(
            firing, shown, at, self.told(hand, at), because(self.plan.when, hand), host
        )

    # ── memory ────────────────────────────────────────────────────────────────────────────────

    def snapshot(self) -> dict[str, Any]:
        return {
            "keys": [
                {"key": list(e.key), "host": e.host, "seen": e.seen, "last": e.last,
                 "times": list(e.times)}
                for e in self.keys
            ],
            "joined": [joiner_out(joiner) for joiner in (self.when, self.unless)],
            "number": self.number,
            "open": [],
        }  # fmt: skip

    def restore(self, stored: Mapping[str, Any], away: int) -> None:
        joiner_in(stored["joined"][0], self.when, self.core)
        joiner_in(stored["joined"][1], self.unless, self.core)
        self.number = stored["number"]
        for slot in self.plan.when.slots:
            for record in self.when.of_slot(slot):
                if isinstance(record, Match):
                    self._entry_of(slot, record).matches.append(record)
        for one in stored["keys"]:
            entry = EventKey(tuple(one["key"]), one["host"], one["seen"])
            entry.last = one["last"]
            entry.times = list(one["times"])
            self.keys.add(entry)

    def adopt(self, stored: Mapping[str, Any], records: Sequence[Record]) -> None:
        self._note_all(records)

    def resync(self, record: Record) -> None:
        self._note_all([record])

    def show_all(self, records: Sequence[Record]) -> None:
        self._note_all(records)

    def _note_all(self, records: Sequence[Record]) -> None:
        """Last facts are known to the rule, but complete nothing: they have not just come."""
        for record in records:
            for slot in self.slots.get(record.table.name, ()):
                if slot.mode == "state":
                    self.when.note(slot, record, record.mask)
            self.note_foreign(self.unless, record, record.mask)

    def counters(self) -> Mapping[str, int]:
        shares = self.keys
        return {"keys": len(shares), "expired": shares.expired, "refused": shares.refused}


def _nothing(entry: Any) -> None:
    """An entry that nothing else refers to."""
