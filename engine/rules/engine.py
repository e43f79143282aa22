"""The pure engine: facts in, decisions out. No threads, no clock, no input or output.

It is a function of (snapshot, facts in order): live operation, tests and simulation run this very
object. `feed` is given a fact, `tick` the time; both return what was decided, in order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from engine.core.decisions import Decision, Verdict
from engine.core.facts import Fact
from engine.lang.model import Bundle
from engine.rules.correlation import memory
from engine.rules.correlation.absent import AbsentRule
from engine.rules.correlation.core import CHAIN, Core, Fed
from engine.rules.correlation.deadlines import AFTER, BEFORE
from engine.rules.correlation.events import EventRule
from engine.rules.correlation.facts import Record
from engine.rules.correlation.handlers import Handler
from engine.rules.correlation.plan import KindPlan, Planner, RulePlan
from engine.rules.correlation.requests import RequestRule, consult, with_defaults
from engine.rules.correlation.runtime import OpenFiring, Runtime, Upcoming
from engine.rules.correlation.state import StateRule
from engine.rules.correlation.surroundings import Surroundings
from engine.rules.durable.matcher import build_durable
from engine.rules.matcher import Build

FED: Final = 10_000
"""Facts that rules may decide in answer to one outside fact, whatever their chains' length."""
_NOTHING: Final[Sequence[Decision]] = ()


class Engine:
    """One bundle at work. Times are microseconds UTC; not safe for use from several threads."""

    def __init__(
        self,
        bundle: Bundle,
        *,
        now: int,
        matcher: Build = build_durable,
        snapshot: Mapping[str, Any] | None = None,
    ) -> None:
        """Starts at `now`, or goes on from a `snapshot` after a restart at `now`."""
        self._build = matcher
        clock = now if snapshot is None else max(now, snapshot.get("clock", now))
        self._load(bundle, clock)
        if snapshot is not None:
            self._go_on(snapshot)

    def _load(self, bundle: Bundle, now: int) -> None:
        planner = Planner(bundle)
        surroundings = Surroundings(bundle)
        self.bundle = bundle
        self._matcher = self._build(planner.judged(), surroundings)
        self._core = Core(bundle.kinds, surroundings, now, judge=self._judge)
        self._handlers = {
            name: Handler(
                kind, planner.kinds.get(name, KindPlan()), self._matcher.judge(name), self._core
            )
            for name, kind in bundle.kinds.items()
        }
        self._rules = {plan.rule.id: _runtime(plan, self._core) for plan in planner.rules}
        for runtime in self._rules.values():
            for kind, interest in runtime.interest().items():
                self._handlers[kind].concern(runtime, interest.bits, interest.every)
        self._takers = {name: handler.take() for name, handler in self._handlers.items()}
        self._edges = Edges(self._core, self._handlers, list(self._rules.values()))

    def _go_on(self, snapshot: Mapping[str, Any]) -> None:
        """Takes up what was; what has become due meanwhile is decided with the next call."""
        memory.restore(snapshot, self.bundle, self._core, self._rules, self._handlers)
        self._feed_back()
        self._edges.catch_up(snapshot["clock"])
        self._advance(self._core.clock, BEFORE)

    def snapshot(self) -> dict[str, Any]:
        """The whole state as JSON: versioned, every entry with its host."""
        return memory.snapshot(self.bundle, self._core, self._rules)

    def reload(self, bundle: Bundle, now: int) -> Sequence[Decision]:
        """Goes on with other content from `now`. A rule unchanged in condition and timing keeps its
        state, a changed one is judged anew, one that is gone resolves what it had open."""
        decided = list(self.tick(now))
        stored = self.snapshot()
        before = self._matcher
        self._load(bundle, self._core.clock)
        before.close()
        self._go_on(stored)
        return [*decided, *self._drained()]

    # ── facts and time ────────────────────────────────────────────────────────────────────────

    def feed(self, fact: Fact, now: int | None = None) -> Sequence[Decision]:
        """Takes a fact. `now` is the receiver's clock; None: the fact's own time (simulation)."""
        core = self._core
        at = fact.at if now is None else now
        if at > core.clock:
            heap = core.deadlines.heap
            if heap and heap[0][0] <= at:
                self._advance(at, BEFORE)
            core.clock = at
        take = self._takers.get(fact.kind)
        if take is None:
            core.counters["facts_of_unknown_kind"] += 1
        else:
            take(fact)
        if core.out:
            return self._drained()
        return _NOTHING

    def tick(self, now: int) -> Sequence[Decision]:
        """Time alone has passed: decides whatever was due up to and with `now`."""
        self._advance(now, AFTER)
        self._core.clock = max(self._core.clock, now)
        return self._drained()

    def next_deadline(self) -> int | None:
        """When `tick` should be called at the latest, microseconds; None: never."""
        return self._core.deadlines.next()

    def _advance(self, at: int, phase: int) -> None:
        """All deadlines up to an instant, each with what the facts it decides bring about."""
        core = self._core
        while (due := core.deadlines.pop(at, phase)) is not None:
            instant, when, runtime, owner = due
            core.clock = max(core.clock, instant)
            runtime.on_deadline(owner, instant, after=when == AFTER)
            self._feed_back()

    def _drained(self) -> Sequence[Decision]:
        self._feed_back()
        core = self._core
        decided, core.out = core.out, []
        return decided

    def _feed_back(self) -> None:
        """Facts that rules decided come in at the same instant, chains of at most 16."""
        core = self._core
        count, cut = 0, False
        while core.fed:
            fed = core.fed.popleft()
            count += 1
            handler = self._handlers.get(fed.fact.kind)
            if (fed.depth > CHAIN or count > FED) and handler is not None and handler.runtimes:
                # What no rule looks at answers nothing: it is known, and the chain ends there.
                if not cut:
                    core.out.append(_cut_off(fed, core))
                cut = True
                continue
            take = self._takers.get(fed.fact.kind)
            if take is not None:
                core.depth = fed.depth
                take(fed.fact)
        core.depth = 0

    # ── requests ──────────────────────────────────────────────────────────────────────────────

    def consult(self, request: Fact) -> Verdict:
        """The rules' word on a request, against what is known now; changes nothing."""
        core = self._core
        request = with_defaults(request, core)
        handler = self._handlers.get(request.kind)
        if handler is None:
            return Verdict(request, (), ("request",), {}, ())
        at = max(core.clock, request.at)
        mask = handler.judge(None, request.data) | handler.table.timed(request, at)
        rules = [
            rule
            for rule in self._rules.values()
            if isinstance(rule, RequestRule) and rule.asked.kind == request.kind
        ]
        return consult(Record(handler.table, (), request, mask), rules, core, at)

    def _judge(self, fact: Fact) -> int:
        handler = self._handlers.get(fact.kind)
        return handler.mask(fact) if handler is not None else 0

    # ── views ─────────────────────────────────────────────────────────────────────────────────

    def facts(self, kind: str | None = None, host: str | None = None) -> Sequence[Fact]:
        """The last state facts, of one kind or all, of one host or all."""
        tables = self._core.tables
        chosen = list(tables.values()) if kind is None else [tables[kind]] if kind in tables else []
        return [
            record.fact
            for table in chosen
            for record in (table.records.values() if host is None else table.of_host(host))
        ]

    def firings(self) -> Sequence[OpenFiring]:
        """What is open, in the order of the rules."""
        return [firing for runtime in self._rules.values() for firing in runtime.open()]

    def upcoming(self, limit: int) -> Sequence[Upcoming]:
        """What will happen if nothing changes, soonest first."""
        found: list[Upcoming] = []
        for deadline in self._core.deadlines.alive():
            coming = deadline.runtime.upcoming(deadline)
            if coming is not None:
                found.append(coming)
        return sorted(found, key=lambda coming: coming.at)[:limit]

    def counters(self) -> Mapping[str, int]:
        """What happened so far, and how much is remembered."""
        total = Counter(self._core.counters)
        for runtime in self._rules.values():
            total.update(runtime.counters())
        total["subjects"] = sum(len(table.records) for table in self._core.tables.values())
        total["deadlines"] = len(self._core.deadlines.heap)
        for name, value in self._matcher.counters().items():
            total[f"matcher_{name}"] = value
        return total

    def close(self) -> None:
        """Frees what the matcher holds."""
        self._matcher.close()


class Edges:
    """When calendars open and close: what reads them is judged then too."""

    def __init__(
        self, core: Core, handlers: Mapping[str, Handler], rules: Sequence[Runtime]
    ) -> None:
        self.due = 0
        self._core = core
        self._kinds: dict[str, Handler] = {}
        names: set[str] = set()
        for rule in rules:
            if rule.plan.calendars:
                names |= rule.plan.calendars
                for condition in rule.plan.conditions:
                    self._kinds |= {kind: handlers[kind] for kind in condition.kinds}
        self._rules = [rule for rule in rules if rule.plan.calendars]
        self._names = frozenset(names)
        self._next()

    def catch_up(self, since: int) -> None:
        """After a time away: an edge that was missed is judged at once."""
        edge = self._core.surroundings.next_edge(self._names, since)
        if edge is not None and edge <= self._core.clock:
            self.on_deadline(self, self._core.clock, after=False)

    def _next(self) -> None:
        edge = self._core.surroundings.next_edge(self._names, self._core.clock)
        if edge is not None:
            self._core.deadlines.set(edge, BEFORE, 0, self, self)

    def on_deadline(self, owner: object, at: int, *, after: bool) -> None:
        """A calendar has opened or closed."""
        for handler in self._kinds.values():
            for record in list(handler.table.records.values()):
                handler.rejudge(record)
        for rule in self._rules:
            rule.on_edge(at)
        self._next()

    def upcoming(self, deadline: object) -> None:
        """Nothing that people wait for by itself."""


def _runtime(plan: RulePlan, core: Core) -> Runtime:
    """The kind of rule that a plan is."""
    rule = plan.rule
    if rule.absent is not None:
        return AbsentRule(plan, core)
    if rule.kind_mode == "request":
        return RequestRule(plan, core)
    return EventRule(plan, core) if rule.kind_mode == "event" else StateRule(plan, core)


def _cut_off(fed: Fed, core: Core) -> Decision:
    """The alert that says where a chain of facts was cut."""
    key = {"rule": fed.by}
    text = f"{fed.by} was not answered: facts that rules decide go round in a chain of over {CHAIN}"
    data = {"text": text, "severity": "warning", "tell": "always"}
    firing = core.firing_id("wakil/chain-cut-off", key, core.clock)
    return Decision(core.clock, "wakil", "chain-cut-off", "alert", key, data, firing)
