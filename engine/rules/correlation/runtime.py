"""What every rule has at run time: its joins, its key, its voice; and what holds a firing back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from engine.core.values import Json
from engine.rules.correlation.core import Core
from engine.rules.correlation.deadlines import Deadline
from engine.rules.correlation.deciding import Speaker
from engine.rules.correlation.facts import Match, Record
from engine.rules.correlation.joins import Given, Joiner
from engine.rules.correlation.keying import Keying, joins_on_host
from engine.rules.correlation.plan import ConditionPlan, RulePlan, Slot
from engine.rules.correlation.surroundings import names_read


@dataclass(frozen=True, slots=True)
class OpenFiring:
    """A firing that has not ended; `since` is when it fired, `stale` that its facts are."""

    id: str
    rule: str
    key: Mapping[str, Json]
    since: int
    severity: str
    stale: bool


@dataclass(frozen=True, slots=True)
class Upcoming:
    """What will happen if nothing changes."""

    at: int
    type: Literal["fires", "stale", "absent", "throttled", "lapses"]
    rule: str
    key: Mapping[str, Json]
    since: int | None


@dataclass(frozen=True, slots=True)
class Interest:
    """What a rule wants to see of a kind: facts that change one of `bits`, or every fact."""

    bits: int
    every: bool


class Runtime:
    """One rule of one engine. Subclasses say what facts do to it."""

    remembers = True
    """Its snapshot holds what it noted; otherwise last facts are shown to it again."""

    def __init__(self, plan: RulePlan, core: Core) -> None:
        rule = plan.rule
        self.plan = plan
        self.rule = rule
        self.order = plan.order
        self.core = core
        self.by_host = joins_on_host(rule, plan.when)
        self.when = self._joiner(plan.when, self.by_host)
        self.keying = Keying(rule, plan.when, self.when, core.kinds)
        # A member of a group is judged with its own host, whatever the group's key has.
        beside = self.by_host or (self.keying.grouped and rule.kind_mode == "state")
        self.unless = self._joiner(plan.unless, beside) if plan.unless else None
        self.until = self._joiner(plan.until, beside) if plan.until else None
        self.speaker = Speaker(rule, core)
        self.reads = names_read(rule.then)
        """What `then` reads: a firing's scope holds what is dear to make only where it is read."""
        self.own = {slot.name for slot in plan.when.slots}
        self.slots: dict[str, list[Slot]] = {}
        for slot in plan.when.slots:
            self.slots.setdefault(slot.kind, []).append(slot)

    def _joiner(self, plan: ConditionPlan, by_host: bool) -> Joiner:
        core = self.core
        return Joiner(plan, core.kinds, core.surroundings, self.rule.vars, by_host=by_host)

    def interest(self) -> Mapping[str, Interest]:
        """By kind: what this rule wants to see."""
        found: dict[str, Interest] = {}
        for condition in self.plan.conditions:
            moving = condition.that is not None or condition.timed
            for slot in condition.slots:
                before = found.get(slot.kind, Interest(0, False))
                every = before.every or moving or self.sees_every(slot, condition)
                found[slot.kind] = Interest(before.bits | slot.bits, every)
        return found

    def sees_every(self, slot: Slot, condition: ConditionPlan) -> bool:
        """Whether each fact matters to a slot, even one that changes no truth."""
        return False

    def told(self, hand: Given, at: int) -> dict[str, Any]:
        """The scope of a firing's texts and inputs."""
        return self.when.scope(hand, at, timed="time" in self.reads)

    # ── what facts and time do: for subclasses ────────────────────────────────────────────────

    def on_fact(self, record: Record, mask: int, *, again: bool) -> None:
        """A fact has come for `record`, whose conditions now hold as in `mask`. `again`: it comes
        after a time in which the subject was stale."""
        raise NotImplementedError

    def on_time(self, record: Record, mask: int) -> None:
        """No fact has come, but a calendar has opened or closed."""
        self.on_fact(record, mask, again=False)

    def on_gone(self, record: Record) -> None:
        """A subject is gone."""
        raise NotImplementedError

    def on_evicted(self, record: Record) -> None:
        """A subject had to be forgotten; nothing open rests on it."""
        self.on_gone(record)

    def on_deadline(self, owner: Any, at: int, *, after: bool) -> None:
        """A deadline of this rule has come; `after`: all facts of the instant have been seen."""
        raise NotImplementedError

    def on_edge(self, at: int) -> None:
        """A calendar that the rule reads has opened or closed; its facts have been rejudged."""

    def rests_on(self, record: Record) -> bool:
        """Whether an open firing rests on a subject."""
        return False

    def open(self) -> Iterator[OpenFiring]:
        """This rule's open firings."""
        return iter(())

    def upcoming(self, deadline: Deadline) -> Upcoming | None:
        """What a deadline of this rule means to people."""
        return None

    def snapshot(self) -> dict[str, Any]:
        """What must outlive a restart. `open` lists what is open, for whoever ends it should the
        rule be gone by then: `{"key", "shown", "firing", "alerted", …}`."""
        raise NotImplementedError

    def restore(self, stored: Mapping[str, Any], away: int) -> None:
        """Goes on from a snapshot of the same rule after `away` microseconds."""
        raise NotImplementedError

    def adopt(self, stored: Mapping[str, Any], records: Sequence[Record]) -> None:
        """The rule has changed: judges it anew on the last facts of its kinds; of what `stored`
        holds open, what is still true stays."""
        raise NotImplementedError

    def resync(self, record: Record) -> None:
        """Content beside the rule has changed (a host's labels): brings one subject up to date."""

    def show_all(self, records: Sequence[Record]) -> None:
        """Judges the rule on last facts, as if they had just come."""
        for record in records:
            self.on_fact(record, record.mask, again=False)

    def counters(self) -> Mapping[str, int]:
        """`keys`, and what happened to them."""
        return {}

    # ── what holds a firing back ──────────────────────────────────────────────────────────────

    def is_foreign(self, slot: Slot) -> bool:
        """Whether a slot is of another kind than the rule's own: its facts are joined."""
        return slot.name not in self.own

    def note_foreign(self, joiner: Joiner | None, record: Record, mask: int) -> bool:
        """Notes a fact in a condition's joined slots; True where there is one for its kind."""
        found = False
        if joiner is not None:
            for slot in joiner.plan.slots:
                if slot.kind != record.table.name or not self.is_foreign(slot):
                    continue
                if slot.mode == "state":
                    joiner.note(slot, record, mask)
                elif slot.holds(mask):
                    stays = record.fact.at + (joiner.plan.source.within or 0)
                    joiner.note(slot, Match(record, record.subject, stays), mask)
                found = True
        return found

    def held_until(self, hand: Given, at: int) -> int | None:
        """None where `unless` lets a firing be; else when what holds it back goes stale."""
        if self.unless is None:
            return None
        beside = next(self.unless.beside(hand, at), None)
        if beside is None:
            return None
        return min((record.lapses for _, record in beside), default=1 << 62)

    def is_throttled(self, last: int | None, at: int) -> bool:
        """Whether the last firing of a key is too recent for another."""
        throttle = self.rule.throttle
        return throttle is not None and last is not None and at - last < throttle
