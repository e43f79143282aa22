"""State rules: true for a time, then firing, then resolving."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from engine.core.decisions import Because
from engine.rules.correlation.core import Core
from engine.rules.correlation.deadlines import AFTER, BEFORE, Deadline
from engine.rules.correlation.deciding import because
from engine.rules.correlation.facts import FOREVER, Record
from engine.rules.correlation.joins import Combination, at_hand
from engine.rules.correlation.keys import Key
from engine.rules.correlation.plan import ConditionPlan, RulePlan, Slot
from engine.rules.correlation.runtime import OpenFiring, Runtime, Upcoming
from engine.rules.correlation.shares import Shares
from engine.rules.correlation.watch import (
    HELD,
    IDLE,
    OPEN,
    THROTTLED,
    WAITING,
    Watch,
    host_of,
    lapse,
)


class StateRule(Runtime):
    """A rule over state kinds. `watches` by key; `resting` by record: where it is a member."""

    def __init__(self, plan: RulePlan, core: Core) -> None:
        super().__init__(plan, core)
        self.watches: Shares[Watch] = Shares(self._forget)
        self.resting: dict[Record, dict[Combination, Watch]] = {}
        self.held: dict[Watch, None] = {}
        self._grouped = self.keying.grouped
        self._moving = plan.when.timed or plan.when.that is not None

    # ── facts ─────────────────────────────────────────────────────────────────────────────────

    def on_fact(self, record: Record, mask: int, *, again: bool) -> None:
        at = self.core.clock
        if record.watchers is not None:
            record.watchers.discard(self)
        resting = self.resting.get(record)
        touched: dict[Watch, None] = dict.fromkeys(resting.values()) if resting else {}
        if again and resting:
            self._start_anew(resting)
        if self.until is not None:
            self._end_by_until(record, mask, touched, at)
        for slot in self.slots.get(record.table.name, ()):
            self._judge(slot, record, mask, touched, at)
        if self.note_foreign(self.unless, record, mask):
            touched.update(self.held)
        for watch in touched:
            self.settle(watch, at, record)

    def on_gone(self, record: Record) -> None:
        touched = self._remove(record)
        for watch in touched:
            watch.times.clear()
        if self.note_foreign(self.unless, record, 0):
            touched.update(self.held)
        self.note_foreign(self.until, record, 0)
        for watch in touched:
            self.settle(watch, self.core.clock, record)

    def _remove(self, record: Record) -> dict[Watch, None]:
        """Takes a record out of every combination; gives the keys it was in."""
        for slot in self.slots.get(record.table.name, ()):
            self.when.note(slot, record, 0)
        resting = self.resting.get(record, {})
        touched = dict.fromkeys(resting.values())
        for combination, watch in list(resting.items()):
            self._drop(watch, combination)
        return touched

    def _start_anew(self, resting: Mapping[Combination, Watch]) -> None:
        """A stale subject is back: what had not fired on it counts from now."""
        for combination, watch in list(resting.items()):
            if watch.phase != OPEN and combination in watch.members:
                self._drop(watch, combination)
                if not watch.members:
                    self._calm(watch)

    def _judge(
        self, slot: Slot, record: Record, mask: int, touched: dict[Watch, None], at: int
    ) -> None:
        """Brings the combinations that hold `record` in `slot` up to date."""
        self.when.note(slot, record, mask)
        now: dict[Combination, Key] = {}
        if slot.holds(mask):
            for combination in self.when.around(slot, record, at):
                key = self.keying.of(combination, at)
                if key is None:
                    self.core.counters["facts_without_by"] += 1
                else:
                    now[combination] = key
        before = self.resting.get(record)
        if before:
            for combination, watch in list(before.items()):
                if combination[slot.index] is record and now.get(combination) != watch.key:
                    if combination in now:
                        self._drop(watch, combination)
                    else:
                        self._leave(watch, combination)
        for combination, key in now.items():
            joined = self._watch(key, combination, at)
            if joined is not None and self._join(joined, combination, at):
                touched[joined] = None

    def _watch(self, key: Key, combination: Combination, at: int) -> Watch | None:
        watch = self.watches.get(key)
        if watch is None:
            watch = Watch(key, host_of(combination), at, combination)
            if not self.watches.add(watch):
                return None
        watch.seen = at
        return watch

    def _join(self, watch: Watch, combination: Combination, at: int) -> bool:
        """A combination is true; gives whether that is news."""
        if combination in watch.spent:
            return False
        before = watch.members.get(combination)
        watch.members[combination] = True
        watch.example = combination
        if before is None:
            if lapse(combination) < at:
                del watch.members[combination]
                return True
            for record in combination:
                if record is not None:
                    self.resting.setdefault(record, {})[combination] = watch
            if self.rule.count is not None:
                watch.times.append(at)
        return True

    def _leave(self, watch: Watch, combination: Combination) -> None:
        """A combination's condition has ended."""
        latched = self.until is not None and (self._grouped or watch.phase == OPEN)
        if combination in watch.members and latched:
            watch.members[combination] = False
        else:
            self._drop(watch, combination)

    def _drop(self, watch: Watch, combination: Combination) -> None:
        watch.members.pop(combination, None)
        watch.spent.pop(combination, None)
        for record in combination:
            if record is not None:
                resting = self.resting.get(record)
                if resting is not None:
                    resting.pop(combination, None)
                    if not resting:
                        del self.resting[record]

    # ── until ─────────────────────────────────────────────────────────────────────────────────

    def _end_by_until(self, record: Record, mask: int, touched: dict[Watch, None], at: int) -> None:
        """A fact has come: do members end by it?"""
        assert self.until is not None
        watches = dict(touched)
        if self.note_foreign(self.until, record, mask):
            watches.update(dict.fromkeys(w for w in self.watches if w.members))
        for watch in watches:
            if watch.phase != OPEN and not self._grouped:
                continue
            for combination in list(watch.members):
                if not self.until.holds_for(at_hand(self.plan.when, combination), at):
                    continue
                ended = [combination] if self._grouped else list(watch.members)
                for one in ended:
                    self._end(watch, one)
                touched[watch] = None
                if not self._grouped:
                    watch.times.clear()
                    break

    def _end(self, watch: Watch, combination: Combination) -> None:
        if watch.members.pop(combination, False):
            watch.spent[combination] = None
        else:
            self._drop(watch, combination)

    def _watch_until(self, watch: Watch) -> None:
        """Where `until` is true already, the next fact ends what has just begun, whatever it
        changes."""
        if self.until is None:
            return
        at = self.core.clock
        for combination in watch.members:
            hand = at_hand(self.plan.when, combination)
            if self.until.holds_for(hand, at):
                for _, record in hand:
                    if record.watchers is None:
                        record.watchers = set()
                    record.watchers.add(self)

    # ── the life of a firing ──────────────────────────────────────────────────────────────────

    def on_edge(self, at: int) -> None:
        for watch in self.watches:
            self.settle(watch, at)

    def settle(
        self, watch: Watch, at: int, cause: Record | None = None, *, after: bool = False
    ) -> None:
        """Does for a key whatever its truth now asks for; may be called at any time."""
        true = self._is_true(watch, at, after=after)
        if watch.phase == OPEN:
            if true:
                self._schedule_lapse(watch)
                return
            self._resolve(watch, at, cause)
        if not self._prune(watch, at, after=after) or not self._is_true(watch, at, after=after):
            self._calm(watch)
            return
        if watch.since is None:
            watch.since = at
        if at < (due := watch.since + (self.rule.for_ or 0)):
            self._wait(watch, WAITING, due)
        elif self.is_throttled(watch.last, at):
            self._wait(watch, THROTTLED, (watch.last or 0) + (self.rule.throttle or 0))
        else:
            self._fire_unless(watch, at)

    def on_deadline(self, owner: Watch, at: int, *, after: bool) -> None:
        if self._moving and owner.phase != OPEN:
            for combination in list(owner.members):
                if not self.still(combination, at):
                    self._drop(owner, combination)
        self.settle(owner, at, after=after)

    def still(self, combination: Combination, at: int) -> bool:
        """Whether what reads the time holds at `at` as well."""
        hand = at_hand(self.plan.when, combination)
        that = self.plan.when.that
        if not all(slot.holds(self.core.mask_at(record, at)) for slot, record in hand):
            return False
        return that is None or that(self.when.scope(hand, at)) is True

    def _is_true(self, watch: Watch, at: int, *, after: bool) -> bool:
        count, within = self.rule.count, self.rule.within
        if count is None or within is None:
            return bool(watch.members)
        first = at - within + (1 if after else 0)
        watch.times = [time for time in watch.times if time >= first]
        return len(watch.times) >= count

    def _prune(self, watch: Watch, at: int, *, after: bool) -> bool:
        """Stale facts do not count for what has not fired; False where none is left."""
        limit = at + (1 if after else 0)
        for combination in list(watch.members):
            if lapse(combination) < limit:
                self._drop(watch, combination)
        return bool(watch.members) or self.rule.count is not None

    def _fire_unless(self, watch: Watch, at: int) -> None:
        soonest = FOREVER
        for combination in watch.members or [watch.example]:
            until = self.held_until(at_hand(self.plan.when, combination), at)
            if until is None:
                self._fire(watch, combination, at)
                return
            soonest = min(soonest, until)
        self.held[watch] = None
        self._wait(watch, HELD, soonest, AFTER)

    def _fire(self, watch: Watch, combination: Combination, at: int) -> None:
        self.held.pop(watch, None)
        hand = at_hand(self.plan.when, combination)
        key = self.keying.shown(watch.key)
        watch.firing = self.core.firing_id(self.rule.id, key, at)
        watch.phase, watch.fired, watch.last = OPEN, at, at
        watch.severity = self.rule.severity
        scope = self.when.scope(hand, at)
        scope["members"] = [self._member(c) for c in watch.members]
        host = next((record.host for slot, record in hand if slot.hosted), None)
        reasons = because(self.plan.when, hand)
        raised = self.speaker.fire(watch.firing, key, at, scope, reasons, host)
        watch.severity = raised or watch.severity
        watch.alerted = raised is not None
        self.core.deadlines.clear(watch)
        self._schedule_lapse(watch)
        self._watch_until(watch)

    def _member(self, combination: Combination) -> dict[str, Any]:
        """A member as templates read it."""
        shown: dict[str, Any] = {}
        for slot, record in at_hand(self.plan.when, combination):
            shown[slot.name] = record.fact.data
            if record.host is not None:
                shown["host"] = record.host
        return shown

    def _resolve(
        self, watch: Watch, at: int, cause: Record | None, reason: str | None = None
    ) -> None:
        key = self.keying.shown(watch.key)
        self.speaker.resolve(watch.firing, key, at, self._why_ended(cause), reason)
        watch.phase, watch.since = IDLE, None
        self.core.deadlines.clear(watch)

    def _why_ended(self, cause: Record | None) -> tuple[Because, ...]:
        """The fact that ended it, beside the condition that it bears on."""
        if cause is None:
            return ()
        plans: list[ConditionPlan] = [p for p in (self.plan.until, self.plan.when) if p is not None]
        for plan in plans:
            for slot in plan.slots:
                if slot.kind == cause.table.name:
                    source = plan.source
                    place = source.position
                    return (Because(source.text, place.file, place.line, cause.fact),)
        return ()

    def _calm(self, watch: Watch) -> None:
        """Nothing is true that could fire."""
        watch.phase, watch.since = IDLE, None
        self.held.pop(watch, None)
        self.core.deadlines.clear(watch)
        if watch.idle and not self.is_throttled(watch.last, self.core.clock):
            self.watches.remove(watch)

    def _wait(self, watch: Watch, phase: str, due: int, when: int = BEFORE) -> None:
        """Waits for `due`, or for the first of the facts to go stale."""
        watch.phase = phase
        if phase != HELD:
            self.held.pop(watch, None)
        stale = min((lapse(combination) for combination in watch.members), default=FOREVER)
        if stale < due:
            due, when = stale, AFTER
        if due < FOREVER:
            self.core.deadlines.set(due, when, self.order, self, watch)
        else:
            self.core.deadlines.clear(watch)

    def _schedule_lapse(self, watch: Watch) -> None:
        """With `count`, an open firing ends when fewer remain in the window."""
        count, within = self.rule.count, self.rule.within
        if count is not None and within is not None and len(watch.times) >= count:
            lapses = watch.times[-count] + within
            self.core.deadlines.set(lapses, AFTER, self.order, self, watch)

    def _forget(self, watch: Watch) -> None:
        self.held.pop(watch, None)
        self.core.deadlines.clear(watch)
        for combination in [*watch.members, *watch.spent]:
            self._drop(watch, combination)

    # ── views ─────────────────────────────────────────────────────────────────────────────────

    def rests_on(self, record: Record) -> bool:
        return any(watch.phase == OPEN for watch in self.resting.get(record, {}).values())

    def open(self) -> Iterator[OpenFiring]:
        at = self.core.clock
        for watch in self.watches:
            if watch.phase == OPEN:
                stale = bool(watch.members) and all(lapse(c) < at for c in watch.members)
                yield OpenFiring(
                    watch.firing, self.rule.id, self.keying.shown(watch.key), watch.fired,
                    watch.severity, stale,
                )  # fmt: skip

    def upcoming(self, deadline: Deadline) -> Upcoming | None:
        watch: Watch = deadline.owner
        kind: Any = {WAITING: "fires", THROTTLED: "throttled", OPEN: "lapses"}.get(watch.phase)
        if deadline.phase == AFTER and watch.phase != OPEN:
            kind = "stale"
        if kind is None:
            return None
        key = self.keying.shown(watch.key)
        return Upcoming(deadline.at, kind, self.rule.id, key, watch.since)

    def withdraw(self, at: int) -> None:
        for watch in self.watches:
            if watch.phase == OPEN:
                self._resolve(watch, at, None, "withdrawn")

    def counters(self) -> Mapping[str, int]:
        shares = self.watches
        return {"keys": len(shares), "expired": shares.expired, "refused": shares.refused}
