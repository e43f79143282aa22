"""`absent`: what fires when a key's matches stop coming."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from engine.rules.correlation.core import Core
from engine.rules.correlation.deadlines import AFTER, BEFORE, Deadline
from engine.rules.correlation.deciding import because, without_fact
from engine.rules.correlation.facts import FOREVER, Record
from engine.rules.correlation.joins import Combination, at_hand
from engine.rules.correlation.keys import Key
from engine.rules.correlation.plan import ConditionPlan, RulePlan, Slot
from engine.rules.correlation.runtime import OpenFiring, Runtime, Upcoming
from engine.rules.correlation.shares import Shares
from engine.rules.correlation.stored import copies_in, copies_out, joiner_in, joiner_out
from engine.rules.correlation.watch import host_of

_PLAIN = (
    "host", "seen", "last", "firing", "fired", "last_fired", "severity", "alerted", "over", "due",
)  # fmt: skip


class Clock:
    """One key's clock: `last` is its last match. `key` None: nothing has matched yet at all."""

    __slots__ = (
        "alerted", "combination", "due", "fired", "firing", "host", "key", "last", "last_fired",
        "over", "seen", "severity",
    )  # fmt: skip

    def __init__(self, key: Key | None, host: str | None, at: int) -> None:
        self.key: Any = key
        self.host = host
        self.seen = at
        self.last = at
        self.combination: Combination = ()
        self.due = 0
        self.firing = ""
        self.fired = 0
        self.last_fired: int | None = None
        self.severity = ""
        self.alerted = False
        self.over = False
        """Of the empty key: something has matched, and it never fires again."""

    @property
    def kept(self) -> bool:
        return bool(self.firing)


class AbsentRule(Runtime):
    """Fires for a key `absent` after its last match, and resolves on the next."""

    def __init__(self, plan: RulePlan, core: Core) -> None:
        super().__init__(plan, core)
        self.clocks: Shares[Clock] = Shares(self._stop)
        self.never = Clock(None, None, core.clock)
        self.held: dict[Clock, None] = {}
        self._span = self.rule.absent or 0
        core.deadlines.set(core.clock + self._span, BEFORE, self.order, self, self.never)

    def sees_every(self, slot: Slot, condition: ConditionPlan) -> bool:
        return condition is self.plan.when

    # ── facts ─────────────────────────────────────────────────────────────────────────────────

    def on_fact(self, record: Record, mask: int, *, again: bool) -> None:
        at = self.core.clock
        matched: dict[Key, Combination] = {}
        for slot in self.slots.get(record.table.name, ()):
            if slot.mode == "state" and len(self.plan.when.slots) > 1:
                self.when.note(slot, record, mask)
            if slot.holds(mask):
                for combination in self.when.around(slot, record, at):
                    key = self.keying.of(combination, at)
                    if key is None:
                        self.core.counters["facts_without_by"] += 1
                    else:
                        matched.setdefault(key, combination)
        for key, combination in matched.items():
            self._matched(key, combination, at)
        if self.note_foreign(self.unless, record, mask):
            self._try_held()

    def on_time(self, record: Record, mask: int) -> None:
        if self.note_foreign(self.unless, record, mask):
            self._try_held()

    def on_gone(self, record: Record) -> None:
        for clock in self.clocks:
            if any(one is not None and _same(one, record) for one in clock.combination):
                if clock.firing:
                    self._resolve(clock, self.core.clock)
                self._stop(clock)
                self.clocks.remove(clock)
        for slot in self.slots.get(record.table.name, ()):
            self.when.note(slot, record, 0)
        if self.note_foreign(self.unless, record, 0):
            self._try_held()

    def on_evicted(self, record: Record) -> None:
        """The clock goes on without the fact."""

    def _matched(self, key: Key, combination: Combination, at: int) -> None:
        if not self.never.over:
            self.never.over = True
            if self.never.firing:
                self._resolve(self.never, at, combination)
            self._stop(self.never)
        clock = self.clocks.get(key)
        if clock is None:
            clock = Clock(key, host_of(combination), at)
            if not self.clocks.add(clock):
                return
        clock.last = clock.seen = at
        clock.combination = combination
        self.held.pop(clock, None)
        if clock.firing:
            self._resolve(clock, at, combination)
        if not clock.due:
            self.core.deadlines.set(at + self._span, BEFORE, self.order, self, clock)

    def _stop(self, clock: Clock) -> None:
        self.core.deadlines.clear(clock)
        self.held.pop(clock, None)

    # ── time ──────────────────────────────────────────────────────────────────────────────────

    def on_deadline(self, owner: Clock, at: int, *, after: bool) -> None:
        if owner.firing or owner.over:
            return
        due = owner.last + self._span
        if at < due:
            self.core.deadlines.set(due, BEFORE, self.order, self, owner)
        elif self.is_throttled(owner.last_fired, at):
            due = (owner.last_fired or 0) + (self.rule.throttle or 0)
            self.core.deadlines.set(due, BEFORE, self.order, self, owner)
        else:
            until = self.held_until(at_hand(self.plan.when, owner.combination), at + after)
            if until is None:
                self._fire(owner, self.core.clock)
                return
            self.held[owner] = None
            if until < FOREVER:
                self.core.deadlines.set(max(until, at), AFTER, self.order, self, owner)

    def on_edge(self, at: int) -> None:
        self._try_held()

    def _try_held(self) -> None:
        for clock in list(self.held):
            del self.held[clock]
            self.core.deadlines.clear(clock)
            self.on_deadline(clock, self.core.clock, after=False)

    def _fire(self, clock: Clock, at: int) -> None:
        key = self.keying.shown(clock.key)
        hand = at_hand(self.plan.when, clock.combination)
        reasons = because(self.plan.when, hand) or without_fact(self.plan.when)
        clock.firing = self.core.firing_id(self.rule.id, key, at)
        clock.fired = clock.last_fired = at
        scope = self.told(hand, at)
        raised = self.speaker.fire(clock.firing, key, at, scope, reasons, clock.host)
        clock.severity = raised or self.rule.severity
        clock.alerted = raised is not None

    def _resolve(self, clock: Clock, at: int, combination: Combination = ()) -> None:
        reasons = because(self.plan.when, at_hand(self.plan.when, combination))
        key = self.keying.shown(clock.key)
        self.speaker.resolve(clock.firing, key, at, reasons, alerted=clock.alerted)
        clock.firing = ""

    # ── views ─────────────────────────────────────────────────────────────────────────────────

    def every(self) -> Iterator[Clock]:
        """All clocks, that of the empty key first."""
        yield self.never
        yield from self.clocks

    def open(self) -> Iterator[OpenFiring]:
        for clock in self.every():
            if clock.firing:
                key = self.keying.shown(clock.key)
                yield OpenFiring(
                    clock.firing, self.rule.id, key, clock.fired, clock.severity, False
                )

    def upcoming(self, deadline: Deadline) -> Upcoming | None:
        clock: Clock = deadline.owner
        due = clock.last + self._span
        if deadline.phase == AFTER or clock.firing:
            return None
        key = self.keying.shown(clock.key)
        return Upcoming(max(due, deadline.at), "absent", self.rule.id, key, clock.last)

    # ── memory ────────────────────────────────────────────────────────────────────────────────

    def snapshot(self) -> dict[str, Any]:
        clocks = [self._out(clock) for clock in self.every()]
        return {
            "clocks": clocks,
            "open": [one for one in clocks if one["firing"]],
            "joined": [joiner_out(joiner) for joiner in (self.when, self.unless)],
            "span": self._span,
        }

    def _out(self, clock: Clock) -> dict[str, Any]:
        stored = {name: getattr(clock, name) for name in _PLAIN}
        return stored | {
            "key": None if clock.key is None else list(clock.key),
            "shown": dict(self.keying.shown(clock.key)),
            "combination": copies_out(clock.combination),
            "held": clock in self.held,
        }

    def restore(self, stored: Mapping[str, Any], away: int) -> None:
        joiner_in(stored["joined"][0], self.when, self.core)
        joiner_in(stored["joined"][1], self.unless, self.core)
        self._take_up(stored)

    def adopt(self, stored: Mapping[str, Any], records: Sequence[Record]) -> None:
        """Clocks go on, with the new span; what is open and not due any more resolves."""
        for record in records:
            self.note_foreign(self.unless, record, record.mask)
        if "clocks" not in stored:
            return
        names = set(self.keying.names)
        kept = [one for one in stored["clocks"] if set(one["shown"]) == names]
        self._take_up({"clocks": kept})
        for clock in self.every():
            if clock.firing and clock.last + self._span > self.core.clock:
                self._resolve(clock, self.core.clock)
                due = clock.last + self._span
                self.core.deadlines.set(due, BEFORE, self.order, self, clock)
        for one in stored["open"]:
            if set(one["shown"]) != names:
                at = self.core.clock
                self.speaker.resolve(one["firing"], one["shown"], at, alerted=one["alerted"])

    def show_all(self, records: Sequence[Record]) -> None:
        for record in records:
            self.note_foreign(self.unless, record, record.mask)

    def resync(self, record: Record) -> None:
        if self.note_foreign(self.unless, record, record.mask):
            self._try_held()

    def _take_up(self, stored: Mapping[str, Any]) -> None:
        waiting: list[tuple[int, bool, Clock]] = []
        for one in stored["clocks"]:
            key = one["key"]
            clock = self.never if key is None else Clock(tuple(key), one["host"], one["seen"])
            for name in _PLAIN:
                setattr(clock, name, one[name])
            clock.due = 0
            clock.combination = copies_in(one["combination"], self.core)
            if key is not None:
                self.clocks.add(clock)
            if not clock.firing and not clock.over:
                waiting.append((one["due"], one["held"], clock))
        for _, held, clock in sorted(waiting, key=lambda each: each[0]):
            if held:
                self.held[clock] = None
            # A held clock looks again at once, and waits again where it is still held.
            due = self.core.clock if held else clock.last + self._span
            self.core.deadlines.set(due, BEFORE, self.order, self, clock)

    def counters(self) -> Mapping[str, int]:
        shares = self.clocks
        return {"keys": len(shares), "expired": shares.expired, "refused": shares.refused}


def _same(one: Record, other: Record) -> bool:
    return one.table is other.table and one.subject == other.subject
