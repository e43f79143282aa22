"""The way of a fact: judged, compared with what its subject had, shown to the rules it concerns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from engine.core.facts import Fact, FactKind
from engine.lang.expression import compile_expression
from engine.rules.correlation.core import Core
from engine.rules.correlation.facts import Record, Table
from engine.rules.correlation.plan import KindPlan
from engine.rules.correlation.runtime import Runtime
from engine.rules.correlation.surroundings import Surroundings, calendars_read
from engine.rules.matcher import Judge

REMEMBERED: Final = 4_096
"""Distinct sets of changed conditions whose rules are remembered."""


class Handler:
    """One kind of one engine. `take` is the hot path of a state fact or an event."""

    def __init__(self, kind: FactKind, plan: KindPlan, judge: Judge, core: Core) -> None:
        self.kind = kind
        self.core = core
        self.table = core.tables[kind.name] = Table(kind)
        self.judge = judge
        if plan.timed:
            first = len(plan.judged)
            self.table.steady = (1 << first) - 1
            self.table.timed = _timed(plan, first, core.surroundings)
        self.has_timed = bool(plan.timed)
        self._calendar_bits = 0
        for place, condition in enumerate(plan.timed):
            if calendars_read(condition.expression):
                self._calendar_bits |= 1 << (len(plan.judged) + place)
        self._concerned: list[tuple[Runtime, int, bool]] = []
        self._remembered: dict[int, tuple[Runtime, ...]] = {}
        self._always = False

    def concern(self, runtime: Runtime, bits: int, every: bool) -> None:
        """A rule wants to see this kind's facts; rules come in their order."""
        self._concerned.append((runtime, bits, every))
        self._always = self._always or every

    @property
    def runtimes(self) -> Sequence[Runtime]:
        return [runtime for runtime, _, _ in self._concerned]

    def mask(self, fact: Fact) -> int:
        """All conditions of a fact, as they hold now."""
        mask = self.judge(fact.host, fact.data)
        return mask | self.table.timed(fact, self.core.clock) if self.has_timed else mask

    def take(self) -> Callable[[Fact], None]:
        """The function that a fact of this kind is given to, prepared."""
        if self.kind.mode == "event":
            return self._event
        if self.kind.mode == "request":
            return self._request
        return self._prepared()

    def _prepared(self) -> Callable[[Fact], None]:
        """State facts: where nothing has changed, a handful of dictionary operations."""
        core, table, slow = self.core, self.table, self._state
        records, judge, stale_after = table.records, self.judge, table.stale_after
        if self._always or self.has_timed or len(self.kind.key) > 1:
            return lambda fact: slow(fact, table.subject(fact))
        name = self.kind.key[0] if self.kind.key else None
        is_global = self.kind.is_global

        known, show = records.get, self.show

        def take(fact: Fact) -> None:
            host = fact.host
            if name is None:
                record = known(() if is_global else (host,))
            else:
                value = fact.data.get(name)
                if (value < "\1") if value.__class__ is str else value.__class__ is not int:
                    slow(fact, table.subject(fact))
                    return
                record = known((value,) if is_global else (host, value))
            if record is None or fact.gone or record.watchers:
                slow(fact, table.subject(fact))
                return
            last = record.fact.at
            if fact.at < last or core.clock - last > stale_after:
                slow(fact, record.subject)
                return
            mask = judge(host, fact.data)
            record.fact = fact
            if mask != record.mask:
                changed = mask ^ record.mask
                record.mask = mask
                show(record, changed, again=False)

        return take

    # ── facts off the hot path ────────────────────────────────────────────────────────────────

    def _state(self, fact: Fact, subject: tuple[Any, ...]) -> None:
        record = self.table.records.get(subject)
        if record is not None and fact.at < record.fact.at:
            self.core.counters["facts_late"] += 1
            return
        if fact.gone:
            if record is not None:
                record.fact = fact if fact.data else record.fact
                self.gone(record)
            return
        mask = self.mask(fact)
        if record is None:
            if self.table.is_full(fact.host) and not self._make_room(fact.host):
                self.core.counters["subjects_refused"] += 1
                return
            record = Record(self.table, subject, fact, mask)
            self.table.add(record)
            self.show(record, mask, again=False)
            return
        again = self.core.clock > record.lapses
        changed = mask ^ record.mask
        record.fact = fact
        record.mask = mask
        self.show(record, mask | changed if again else changed, again=again)

    def gone(self, record: Record) -> None:
        """A subject is gone: nothing holds for it any more."""
        self.table.remove(record)
        record.mask = 0
        for runtime in self.runtimes:
            if not self.is_own_alert(runtime, record.fact):
                runtime.on_gone(record)

    def _make_room(self, host: str | None) -> bool:
        """Forgets what a host has not spoken of for longest; never what a firing rests on."""
        runtimes = self.runtimes

        def kept(record: Record) -> bool:
            return any(runtime.rests_on(record) for runtime in runtimes)

        going = self.table.oldest(host, kept)
        for record in going:
            self.table.remove(record)
            record.mask = 0
            for runtime in runtimes:
                runtime.on_evicted(record)
        self.core.counters["subjects_expired"] += len(going)
        return bool(going)

    def _event(self, fact: Fact) -> None:
        self.core.switched.clear()
        if fact.gone:
            record = Record(self.table, self.table.subject(fact), fact, 0)
            for runtime in self.runtimes:
                runtime.on_gone(record)
            return
        mask = self.mask(fact)
        if mask:
            record = Record(self.table, self.table.subject(fact), fact, mask)
            for runtime in self._of(mask, every=False):
                runtime.on_fact(record, mask, again=False)

    def _request(self, fact: Fact) -> None:
        """A request is put to the rules by `consult`; as a fact it changes nothing."""
        self.core.counters["requests_as_facts"] += 1

    # ── rules ─────────────────────────────────────────────────────────────────────────────────

    def show(self, record: Record, changed: int, *, again: bool) -> None:
        """Shows a subject to the rules that its changed conditions concern."""
        watchers, record.watchers = record.watchers, None
        if not changed and not self._always and not watchers:
            return
        mask = record.mask
        concerned = self._of(changed, every=True)
        if watchers:
            both = {*concerned, *watchers}
            concerned = tuple(sorted(both, key=lambda runtime: runtime.order))
        for runtime in concerned:
            if not self.is_own_alert(runtime, record.fact):
                runtime.on_fact(record, mask, again=again)

    def rejudge(self, record: Record) -> None:
        """A calendar has opened or closed: what reads one is judged again."""
        now = self.core.mask_at(record, self.core.clock)
        mask = record.mask & ~self._calendar_bits | now & self._calendar_bits
        changed, record.mask = mask ^ record.mask, mask
        for runtime, bits, _ in self._concerned:
            if bits & changed or runtime.plan.calendars:
                runtime.on_time(record, mask)

    def is_own_alert(self, runtime: Runtime, fact: Fact) -> bool:
        """A rule never sees its own alert."""
        return self.kind.name == "alert" and (
            f"{fact.data.get('ruleset')}/{fact.data.get('rule')}" == runtime.rule.id
        )

    def _of(self, changed: int, *, every: bool) -> tuple[Runtime, ...]:
        known = self._remembered.get(changed)
        if known is None:
            if len(self._remembered) >= REMEMBERED:
                self._remembered.clear()
            known = self._remembered[changed] = tuple(
                runtime
                for runtime, bits, always in self._concerned
                if bits & changed or (always and every)
            )
        return known


def _timed(plan: KindPlan, first: int, surroundings: Surroundings) -> Callable[[Fact, int], int]:
    """Judges a kind's conditions that read the time, as bits above the matcher's."""
    judged = [
        (
            1 << (first + place),
            condition.kind,
            condition.vars,
            compile_expression(condition.expression),
        )
        for place, condition in enumerate(plan.timed)
    ]

    def timed(fact: Fact, at: int) -> int:
        mask = 0
        for bit, kind, variables, evaluate in judged:
            scope = surroundings.scope(fact.host, variables, at)
            scope[kind] = fact.data
            if evaluate(scope) is True:
                mask |= bit
        return mask

    return timed
