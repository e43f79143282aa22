"""Who counts as true for a key of a state rule: combinations, from `when` to `until`."""

from __future__ import annotations

from collections.abc import Mapping

from engine.rules.correlation.core import Core
from engine.rules.correlation.facts import Record
from engine.rules.correlation.joins import Combination, at_hand
from engine.rules.correlation.keys import Key
from engine.rules.correlation.plan import ConditionPlan, RulePlan, Slot
from engine.rules.correlation.runtime import Runtime
from engine.rules.correlation.shares import Shares
from engine.rules.correlation.watch import OPEN, Watch, host_of, in_order, lapse


class Membership(Runtime):
    """The part of a state rule that faces facts. `watches` by key; `resting` by record: the
    combinations it is in, and whose key they count for."""

    def __init__(self, plan: RulePlan, core: Core) -> None:
        super().__init__(plan, core)
        self.watches: Shares[Watch] = Shares(self.forget)
        self.resting: dict[Record, dict[Combination, Watch]] = {}
        self.held: dict[Watch, None] = {}
        self.grouped = self.keying.grouped

    def sees_every(self, slot: Slot, condition: ConditionPlan) -> bool:
        """Where a key or a join rests on fields that are not the subject's own name, it may move
        though no condition changes."""
        subject = {"host", *(f"{slot.name}.{name}" for name in self.core.kinds[slot.kind].key)}
        moves = any(
            by.text.strip() not in subject and slot.name in by.names for by in self.rule.by or ()
        )
        join = condition.source.join
        joined = len(condition.slots) > 1 or self.is_foreign(slot)
        by_fields = any(name != "host" for name in join or ())
        return moves or (joined and (by_fields or self._refers(slot, condition)))

    def _refers(self, slot: Slot, condition: ConditionPlan) -> bool:
        slots = {*(s.name for s in condition.slots), *(s.name for s in self.plan.when.slots)}
        key = self.core.kinds[slot.kind].key
        return any(
            name not in key and target.partition(".")[0] in slots
            for name, target in slot.references.items()
        )

    def settle(
        self, watch: Watch, at: int, cause: Record | None = None, *, after: bool = False
    ) -> None:
        """Does for a key whatever its truth now asks for; may be called at any time."""
        raise NotImplementedError

    def calm(self, watch: Watch) -> None:
        """Nothing of a key is true that could fire."""
        raise NotImplementedError

    # ── facts ─────────────────────────────────────────────────────────────────────────────────

    def on_fact(self, record: Record, mask: int, *, again: bool) -> None:
        at = self.core.clock
        resting = self.resting.get(record)
        touched: dict[Watch, None] = dict.fromkeys(resting.values()) if resting else {}
        if again and resting:
            self._start_anew(resting)
        if self.until is not None:
            self._end_by_until(record, mask, touched, at)
        for slot in self.slots.get(record.table.name, ()):
            self._judge(slot, record, mask, touched, at)
        if self.unless is not None and self.note_foreign(self.unless, record, mask):
            touched.update(self.held)
        for watch in in_order(touched):
            self.settle(watch, at, record)

    def on_gone(self, record: Record) -> None:
        touched = self._remove(record)
        for watch in touched:
            watch.times.clear()
        if self.note_foreign(self.unless, record, 0):
            touched.update(self.held)
        self.note_foreign(self.until, record, 0)
        for watch in in_order(touched):
            self.settle(watch, self.core.clock, record)

    def _remove(self, record: Record) -> dict[Watch, None]:
        """Takes a record out of every combination; gives the keys it was in."""
        for slot in self.slots.get(record.table.name, ()):
            self.when.note(slot, record, 0)
        resting = self.resting.get(record, {})
        touched = dict.fromkeys(resting.values())
        for combination, watch in list(resting.items()):
            self.drop(watch, combination)
        return touched

    def _start_anew(self, resting: Mapping[Combination, Watch]) -> None:
        """A stale subject is back: what had not fired on it counts from now."""
        for combination, watch in list(resting.items()):
            if watch.phase != OPEN and combination in watch.members:
                self.drop(watch, combination)
                if not watch.members:
                    self.calm(watch)

    def _judge(
        self, slot: Slot, record: Record, mask: int, touched: dict[Watch, None], at: int
    ) -> None:
        """Brings the combinations that hold `record` in `slot` up to date."""
        self.when.note(slot, record, mask)
        before = self.resting.get(record)
        held = slot.holds(mask)
        if not held and not before:
            return
        now: dict[Combination, Key] = {}
        if held:
            for combination in self.when.around(slot, record, at):
                key = self.keying.of(combination, at)
                if key is None:
                    self.core.counters["facts_without_by"] += 1
                else:
                    now[combination] = key
        if before:
            for combination, watch in list(before.items()):
                if combination[slot.index] is record and now.get(combination) != watch.key:
                    if combination in now:
                        self.drop(watch, combination)
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
        latched = self.until is not None and (self.grouped or watch.phase == OPEN)
        if combination in watch.members and latched:
            watch.members[combination] = False
        else:
            self.drop(watch, combination)

    def drop(self, watch: Watch, combination: Combination) -> None:
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
            if watch.phase != OPEN and not self.grouped:
                continue
            for combination in list(watch.members):
                if not self.until.holds_for(at_hand(self.plan.when, combination), at):
                    continue
                ended = [combination] if self.grouped else list(watch.members)
                for one in ended:
                    self._end(watch, one)
                touched[watch] = None
                if not self.grouped:
                    watch.times.clear()
                    break

        for slot in self.until.plan.slots:
            if slot.mode == "event" and slot.kind == record.table.name:
                self.until.note(slot, record, 0)  # an event ends what is open now, nothing later

    def _end(self, watch: Watch, combination: Combination) -> None:
        if watch.members.pop(combination, False):
            watch.spent[combination] = None
        else:
            self.drop(watch, combination)

    def watch_until(self, watch: Watch) -> None:
        """Where `until` is true already, the next fact ends what has just begun, whatever it
        changes."""
        if self.until is None:
            return
        at = self.core.clock
        for combination in watch.members:
            hand = at_hand(self.plan.when, combination)
            if self.until.holds_for(hand, at):
                for _, record in hand:
                    self.watch_next(record)

    def watch_next(self, record: Record) -> None:
        """Asks to see a subject's next fact, whatever it changes."""
        if record.watchers is None:
            record.watchers = set()
        record.watchers.add(self)

    def forget(self, watch: Watch) -> None:
        self.held.pop(watch, None)
        self.core.deadlines.clear(watch)
        for combination in [*watch.members, *watch.spent]:
            self.drop(watch, combination)

    def rests_on(self, record: Record) -> bool:
        return any(watch.phase == OPEN for watch in self.resting.get(record, {}).values())

    def counters(self) -> Mapping[str, int]:
        shares = self.watches
        return {"keys": len(shares), "expired": shares.expired, "refused": shares.refused}
