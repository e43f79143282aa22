"""Rules laid out for judging: every condition on single facts as a bit of its kind's mask."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.core.facts import Catalogue
from engine.core.values import Json
from engine.lang.expression import Evaluator, compile_expression
from engine.lang.model import Bundle, Condition, Part, Rule
from engine.rules.correlation.surroundings import calendars_read, reads_time
from engine.rules.matcher import Judged


@dataclass(slots=True)
class Slot:
    """What one joined fact stands for: all parts of one name, which are about the same fact."""

    name: str
    kind: str
    mode: str
    hosted: bool
    every: bool
    """All its parts must hold (`all`), or any (`any`)."""
    index: int = 0
    parts: list[Part] = field(default_factory=list)
    bits: int = 0
    part_bits: list[int] = field(default_factory=list)
    references: Mapping[str, str] = field(default_factory=dict)
    """Fields that name another kind's subject: field to `kind.field`."""

    def holds(self, mask: int) -> bool:
        found = mask & self.bits
        return found == self.bits if self.every else found != 0


@dataclass(slots=True)
class ConditionPlan:
    """A condition whose parts are slots; `that` is judged over each combination."""

    source: Condition
    every: bool
    slots: list[Slot]
    that: Evaluator | None
    timed: bool
    """Its truth may change while facts do not."""
    calendars: frozenset[str]

    @property
    def kinds(self) -> frozenset[str]:
        return frozenset(slot.kind for slot in self.slots)

    @property
    def lone(self) -> bool:
        """One slot, and nothing to judge beside its bits."""
        return len(self.slots) == 1 and self.that is None and not self.timed


@dataclass(slots=True)
class KindPlan:
    """A kind's judged conditions: the matcher's bits first, then those that read the time."""

    judged: list[Judged] = field(default_factory=list)
    timed: list[Judged] = field(default_factory=list)
    places: dict[tuple[str, str], int] = field(default_factory=dict)
    timed_places: dict[tuple[str, str], int] = field(default_factory=dict)


@dataclass(slots=True)
class RulePlan:
    """A rule with its conditions laid out; `order` is its place among all rules."""

    rule: Rule
    order: int
    switch: str | None
    """The rule set's name where it is a `match: first` switch."""
    when: ConditionPlan
    until: ConditionPlan | None
    unless: ConditionPlan | None

    @property
    def conditions(self) -> tuple[ConditionPlan, ...]:
        return tuple(c for c in (self.when, self.until, self.unless) if c is not None)

    @property
    def calendars(self) -> frozenset[str]:
        return frozenset().union(*(condition.calendars for condition in self.conditions))


class Planner:
    """Lays out a bundle's rules; `kinds` is what the matcher is then built of.

    Timed conditions get bits too, but above all of the matcher's: their bits are settled once all
    rules have been seen, so that `finish` must be called before a slot is asked.
    """

    def __init__(self, bundle: Bundle) -> None:
        self._kinds: Catalogue = bundle.kinds
        self.kinds: dict[str, KindPlan] = {}
        self.rules: list[RulePlan] = []
        self._open: list[tuple[Slot, tuple[str, int, bool]]] = []
        order = 0
        for ruleset in bundle.rulesets:
            for rule in ruleset.rules:
                order += 1
                if ruleset.enabled and rule.enabled:
                    switch = ruleset.name if ruleset.first_match else None
                    self.rules.append(self._rule(rule, order, switch))
        self._finish()

    def judged(self) -> dict[str, list[Judged]]:
        """The conditions for the matcher, by kind."""
        return {kind: plan.judged for kind, plan in self.kinds.items()}

    def _rule(self, rule: Rule, order: int, switch: str | None) -> RulePlan:
        return RulePlan(
            rule,
            order,
            switch,
            self._condition(rule, rule.when),
            self._condition(rule, rule.until) if rule.until else None,
            self._condition(rule, rule.unless) if rule.unless else None,
        )

    def _condition(self, rule: Rule, condition: Condition) -> ConditionPlan:
        every = condition.operator == "all"
        slots: dict[str, Slot] = {}
        for part in condition.parts:
            slot = slots.get(part.name)
            if slot is None:
                kind = self._kinds[part.kind]
                slot = slots[part.name] = Slot(
                    part.name,
                    part.kind,
                    kind.mode,
                    not kind.is_global,
                    every,
                    len(slots),
                    references={
                        name: described.reference
                        for name, described in kind.fields.items()
                        if described.reference is not None
                    },
                )
            slot.parts.append(part)
            self._open.append((slot, self._place(part, rule.vars)))
        expressions = [part.condition for part in condition.parts]
        if condition.that is not None:
            expressions.append(condition.that)
        return ConditionPlan(
            condition,
            every,
            list(slots.values()),
            compile_expression(condition.that) if condition.that is not None else None,
            any(reads_time(expression) for expression in expressions),
            frozenset().union(*(calendars_read(expression) for expression in expressions)),
        )

    def _place(self, part: Part, variables: Mapping[str, Json]) -> tuple[str, int, bool]:
        """Where a part's truth stands: kind, place, and whether it is a timed one."""
        plan = self.kinds.setdefault(part.kind, KindPlan())
        expression = part.condition
        timed = reads_time(expression)
        read = variables if "vars" in expression.names else {}
        shape = (expression.text, json.dumps(read, sort_keys=True, default=str))
        places, judged = (plan.timed_places, plan.timed) if timed else (plan.places, plan.judged)
        place = places.get(shape)
        if place is None:
            place = places[shape] = len(judged)
            judged.append(Judged(part.kind, expression, read))
        return part.kind, place, timed

    def _finish(self) -> None:
        for slot, (kind, place, timed) in self._open:
            first = len(self.kinds[kind].judged) if timed else 0
            slot.bits |= 1 << (first + place)
            slot.part_bits.append(1 << (first + place))
        self._open.clear()
