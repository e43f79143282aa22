"""State rules: true for a time, then firing, then resolving."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from engine.core.decisions import Because
from engine.rules.correlation import state_memory as memory
from engine.rules.correlation.core import Core
from engine.rules.correlation.deadlines import AFTER, BEFORE, Deadline
from engine.rules.correlation.deciding import because
from engine.rules.correlation.facts import FOREVER, Record
from engine.rules.correlation.joins import Combination, at_hand
from engine.rules.correlation.keys import Key
from engine.rules.correlation.membership import Membership
from engine.rules.correlation.plan import ConditionPlan, RulePlan
from engine.rules.correlation.runtime import OpenFiring, Upcoming
from engine.rules.correlation.watch import (
    HELD,
    IDLE,
    OPEN,
    THROTTLED,
    WAITING,
    Watch,
    lapse,
)


class StateRule(Membership):
    """The part of a state rule that faces time."""

    def __init__(self, plan: RulePlan, core: Core) -> None:
        super().__init__(plan, core)
        self.adopting: dict[Key, Mapping[str, Any]] = {}
        """Firings open before the rule changed, until it is known whether they still hold."""
        self._moving = plan.when.timed or plan.when.that is not None

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
            self._resolve(watch, self.core.clock, cause)
        if not self._prune(watch, at, after=after) or not self._is_true(watch, at, after=after):
            self.calm(watch)
            return
        if self._adopted(watch):
            return
        if watch.since is None:
            watch.since = at
        if at < (due := watch.since + (self.rule.for_ or 0)):
            self._wait(watch, WAITING, due)
        elif self.is_throttled(watch.last, at):
            self._wait(watch, THROTTLED, (watch.last or 0) + (self.rule.throttle or 0))
        else:
            self._fire_unless(watch, at + after)

    def on_deadline(self, owner: Watch, at: int, *, after: bool) -> None:
        if self._moving and owner.phase != OPEN:
            for combination in list(owner.members):
                if not self.still(combination, at):
                    self.drop(owner, combination)
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
                self.drop(watch, combination)
        return bool(watch.members) or self.rule.count is not None

    def _fire_unless(self, watch: Watch, at: int) -> None:
        """Fires on the first member that nothing holds back at `at`."""
        soonest = FOREVER
        for combination in watch.members or [watch.example]:
            hand = at_hand(self.plan.when, combination) if self.unless is not None else []
            until = self.held_until(hand, at)
            if until is None:
                self._fire(watch, combination, self.core.clock)
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
        scope = self.told(hand, at)
        if "members" in self.reads:
            scope["members"] = [self._member(c) for c in watch.members]
        host = next((record.host for slot, record in hand if slot.hosted), None)
        reasons = because(self.plan.when, hand)
        raised = self.speaker.fire(watch.firing, key, at, scope, reasons, host)
        watch.severity = raised or watch.severity
        watch.alerted = raised is not None
        self.core.deadlines.clear(watch)
        self._schedule_lapse(watch)
        self.watch_until(watch)

    def _member(self, combination: Combination) -> dict[str, Any]:
        """A member as templates read it."""
        shown: dict[str, Any] = {}
        for slot, record in at_hand(self.plan.when, combination):
            shown[slot.name] = record.fact.data
            if record.host is not None:
                shown["host"] = record.host
        return shown

    def _resolve(self, watch: Watch, at: int, cause: Record | None) -> None:
        key = self.keying.shown(watch.key)
        reasons = self._why_ended(cause)
        self.speaker.resolve(watch.firing, key, at, reasons, alerted=watch.alerted)
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

    def calm(self, watch: Watch) -> None:
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

    def schedule(self, watch: Watch) -> None:
        """Sets the deadline that a key taken up again waits for."""
        since, last = watch.since or 0, watch.last or 0
        if watch.phase == OPEN:
            self._schedule_lapse(watch)
        elif watch.phase == WAITING:
            self._wait(watch, WAITING, since + (self.rule.for_ or 0))
        elif watch.phase == THROTTLED:
            self._wait(watch, THROTTLED, last + (self.rule.throttle or 0))
        elif watch.phase == HELD:
            self._wait(watch, HELD, self._held_until(watch, self.core.clock) or 0, AFTER)

    def _held_until(self, watch: Watch, at: int) -> int | None:
        """When what holds a key back goes stale, at the earliest; None where nothing does."""
        soonest = FOREVER
        for combination in watch.members or [watch.example]:
            until = self.held_until(at_hand(self.plan.when, combination), at)
            if until is None:
                return None
            soonest = min(soonest, until)
        return soonest

    def _schedule_lapse(self, watch: Watch) -> None:
        """With `count`, an open firing ends when fewer remain in the window."""
        count, within = self.rule.count, self.rule.within
        if count is not None and within is not None and len(watch.times) >= count:
            lapses = watch.times[-count] + within
            self.core.deadlines.set(lapses, AFTER, self.order, self, watch)

    # ── views ─────────────────────────────────────────────────────────────────────────────────

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
        since, last = watch.since or 0, watch.last or 0
        key = self.keying.shown(watch.key)
        match watch.phase:
            case "waiting":  # as long as its facts keep coming
                due = since + (self.rule.for_ or 0)
                return Upcoming(due, "fires", self.rule.id, key, watch.since)
            case "throttled":
                due = last + (self.rule.throttle or 0)
                return Upcoming(due, "throttled", self.rule.id, key, watch.since)
            case "open":
                return Upcoming(deadline.at, "lapses", self.rule.id, key, watch.since)
            case _:
                return None

    # ── memory ────────────────────────────────────────────────────────────────────────────────

    def snapshot(self) -> dict[str, Any]:
        return memory.snapshot(self)

    def restore(self, stored: Mapping[str, Any], away: int) -> None:
        memory.restore(self, stored, away)

    def adopt(self, stored: Mapping[str, Any], records: Sequence[Record]) -> None:
        self.adopting = {tuple(one["key"]): one for one in stored["open"]}
        self.show_all(records)
        at = self.core.clock
        for one in self.adopting.values():
            self.speaker.resolve(one["firing"], one["shown"], at, alerted=one["alerted"])
        self.adopting = {}

    def _adopted(self, watch: Watch) -> bool:
        """Whether a firing from before the rule changed goes on as this key's."""
        before = self.adopting.pop(watch.key, None) if self.adopting else None
        if before is None:
            return False
        memory.take_up(watch, before)
        self._schedule_lapse(watch)
        self.watch_until(watch)
        return True

    def resync(self, record: Record) -> None:
        moved = self.rule.by is not None and any("labels" in by.names for by in self.rule.by)
        for slot in self.slots.get(record.table.name, ()):
            moved = moved or self.when.is_noted(slot, record) is not slot.holds(record.mask)
        for joiner in (self.unless, self.until):
            for slot in joiner.plan.slots if joiner is not None else ():
                if joiner is not None and slot.kind == record.table.name and slot.mode == "state":
                    moved = moved or joiner.is_noted(slot, record) is not slot.holds(record.mask)
        if moved:
            self.on_fact(record, record.mask, again=False)
