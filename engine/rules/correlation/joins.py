"""Which facts belong together: combinations of the facts for which a condition's slots hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from engine.core.facts import Catalogue
from engine.core.values import MISSING, Json
from engine.rules.correlation.facts import Record
from engine.rules.correlation.keys import plain
from engine.rules.correlation.plan import ConditionPlan, Slot
from engine.rules.correlation.surroundings import Surroundings

Combination = tuple[Record | None, ...]
"""A record for each slot, in the order of slots; None where `any` needs none."""
Given = list[tuple[Slot, Record]]
Read = Callable[[Record], Any]


class Joiner:
    """One condition of one rule, and the facts for which each of its slots holds.

    Facts stay noted while their truth lasts; staleness is judged when they are asked for.
    """

    def __init__(
        self,
        plan: ConditionPlan,
        kinds: Catalogue,
        surroundings: Surroundings,
        variables: Mapping[str, Json],
        *,
        by_host: bool,
    ) -> None:
        """`by_host`: kinds with a host join on it, unless the condition says what to join on.
        False: the rule's key has none, and kinds with a host join only where it says so."""
        self.plan = plan
        self._kinds = kinds
        self._surroundings = surroundings
        self.labels_of = surroundings.labels_of
        self._variables = variables
        self._by_host = by_host
        self._says = plan.source.join is not None
        self._checks: dict[tuple[str, str], list[tuple[Read, Read]]] = {}
        self._true: list[dict[str | None, dict[Any, Record]]] = [{} for _ in plan.slots]

    # ── what holds ────────────────────────────────────────────────────────────────────────────

    def note(self, slot: Slot, record: Record, mask: int) -> None:
        """Remembers whether a slot holds for a record."""
        hosts = self._true[slot.index]
        if slot.holds(mask):
            hosts.setdefault(record.host, {})[record.subject] = record
            return
        share = hosts.get(record.host)
        if share is not None and share.pop(record.subject, None) is not None and not share:
            del hosts[record.host]

    def is_noted(self, slot: Slot, record: Record) -> bool:
        """Whether the slot held for the record when it was noted last."""
        return record.subject in self._true[slot.index].get(record.host, ())

    def of_slot(self, slot: Slot) -> Iterator[Record]:
        """Every record a slot holds for."""
        for share in self._true[slot.index].values():
            yield from share.values()

    # ── combinations ──────────────────────────────────────────────────────────────────────────

    def around(self, slot: Slot, record: Record, at: int) -> Iterator[Combination]:
        """The true combinations that hold `record` in `slot`, its own truth taken as given."""
        plan = self.plan
        if plan.lone:
            yield (record,)
        elif plan.every and len(plan.slots) > 1 and not self._may_join(plan.slots):
            return
        elif plan.every:
            others = [other for other in plan.slots if other is not slot]
            for given in self._extend([(slot, record)], others, at):
                if plan.that is None or self._that(given, at):
                    yield self._ordered(given)
        elif plan.that is None or self._that([(slot, record)], at):
            yield self._ordered([(slot, record)])

    def holds_for(self, hand: Given, at: int) -> bool:
        """Whether the condition is true for the facts at hand joined with any others.

        Slots whose name is at hand mean that very fact; the others are joined with it.
        """
        return next(self.beside(hand, at), None) is not None

    def beside(self, hand: Given, at: int) -> Iterator[Given]:
        """The joined facts, beside those at hand, with which the condition is true."""
        plan = self.plan
        names = {slot.name: record for slot, record in hand}
        if plan.every:
            if not all(s.holds(names[s.name].mask) for s in plan.slots if s.name in names):
                return
            others = [slot for slot in plan.slots if slot.name not in names]
            if not self._may_join(others) or (not hand and self._lost(others)):
                return
            for given in self._extend(list(hand), others, at):
                if plan.that is None or self._that(given, at):
                    yield given[len(hand) :]
            return
        for slot in plan.slots:
            if slot.name in names:
                held = slot.holds(names[slot.name].mask)
                if held and (plan.that is None or self._that(hand, at)):
                    yield []
                continue
            if not self._may_join([slot]) or (not hand and self._lost([slot])):
                continue
            for given in self._extend(list(hand), [slot], at):
                if plan.that is None or self._that(given, at):
                    yield given[len(hand) :]

    def joins(self, hand: Given, slot: Slot, record: Record) -> bool:
        """Whether a record in one of the condition's slots joins the facts at hand."""
        return all(self._agree(other, known, slot, record) for other, known in hand)

    def _may_join(self, slots: Iterable[Slot]) -> bool:
        return self._by_host or self._says or not any(slot.hosted for slot in slots)

    def _lost(self, slots: Iterable[Slot]) -> bool:
        """With no fact at hand there is no host to join on."""
        return not self._says and any(slot.hosted for slot in slots)

    def _extend(self, given: Given, slots: list[Slot], at: int) -> Iterator[Given]:
        if not slots:
            yield given
            return
        slot = slots[0]
        for record in self._candidates(slot, given):
            if record.lapses >= at and all(
                self._agree(other, known, slot, record) for other, known in given
            ):
                yield from self._extend([*given, (slot, record)], slots[1:], at)

    def _candidates(self, slot: Slot, given: Given) -> Iterable[Record]:
        hosts = self._true[slot.index]
        if slot.hosted and self._joins_host():
            for other, record in given:
                if other.hosted:
                    return list(hosts.get(record.host, {}).values())
        return [record for share in hosts.values() for record in share.values()]

    def _joins_host(self) -> bool:
        join = self.plan.source.join
        return self._by_host if join is None else "host" in join

    def _agree(self, one: Slot, known: Record, other: Slot, record: Record) -> bool:
        pair = (one.name, other.name)
        checks = self._checks.get(pair)
        if checks is None:
            checks = self._checks[pair] = list(self._pairs(one, other))
        for left, right in checks:
            value = left(known)
            if value is MISSING or plain(value) != plain(right(record)):
                return False
        return True

    def _pairs(self, one: Slot, other: Slot) -> Iterator[tuple[Read, Read]]:
        """What two slots join on, as pairs of readers."""
        join = self.plan.source.join
        if join is not None:
            for name in join:
                if self._has(one, name) and self._has(other, name):
                    yield self._read(name), self._read(name)
            return
        if self._by_host and one.hosted and other.hosted:
            yield _host, _host
        for name, target in one.references.items():
            if target.partition(".")[0] == other.kind:
                yield self._read(name), self._read(target.partition(".")[2])
        for name, target in other.references.items():
            if target.partition(".")[0] == one.kind:
                yield self._read(target.partition(".")[2]), self._read(name)

    def _has(self, slot: Slot, name: str) -> bool:
        if name == "host" or name.startswith("labels."):
            return slot.hosted
        kind = self._kinds[slot.kind]
        return kind.open or name in kind.fields or name in kind.key

    def _read(self, name: str) -> Read:
        if name == "host":
            return _host
        if name.startswith("labels."):
            label = name[7:]
            return lambda record: self.labels_of(record.host).get(label, MISSING)
        return lambda record: record.fact.data.get(name, MISSING)

    def _that(self, given: Given, at: int) -> bool:
        that = self.plan.that
        return that is None or that(self.scope(given, at, timed=self.plan.timed)) is True

    def scope(self, given: Given, at: int, *, timed: bool = True) -> dict[str, Any]:
        """All that an expression over these facts can read; `timed`: the time as well."""
        host = next((record.host for slot, record in given if slot.hosted), None)
        scope = self._surroundings.scope(host, self._variables, at, timed=timed)
        for slot, record in given:
            scope[slot.name] = record.fact.data
        return scope

    def _ordered(self, given: Given) -> Combination:
        places: list[Record | None] = [None] * len(self.plan.slots)
        for slot, record in given:
            places[slot.index] = record
        return tuple(places)


def _host(record: Record) -> Any:
    return record.host


def at_hand(plan: ConditionPlan, combination: Combination) -> Given:
    """A combination as slots with their records; the empty one has none."""
    if len(combination) == 1 and combination[0] is not None:
        return [(plan.slots[0], combination[0])]
    return [
        (slot, record)
        for slot, record in zip(plan.slots, combination, strict=False)
        if record is not None
    ]
