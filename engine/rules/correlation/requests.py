"""Consulting: a request judged by the rules against the state facts it joins, changing nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from engine.core.decisions import Ask, Decision, Verdict
from engine.core.facts import Fact
from engine.core.values import Json
from engine.lang.expression import evaluate
from engine.lang.model import Selector
from engine.rules.correlation.core import Core, digest, encode
from engine.rules.correlation.deciding import because, decided
from engine.rules.correlation.facts import Record
from engine.rules.correlation.joins import Given, at_hand
from engine.rules.correlation.plan import RulePlan
from engine.rules.correlation.runtime import Runtime

REQUEST = "request"
"""The one candidate of a request that chooses nothing."""
CHOOSES = {"task": "model"}
"""Requests that choose among the subjects of a kind."""


class RequestRule(Runtime):
    """A rule over a request kind: it only remembers which joined facts it holds for."""

    remembers = False

    def __init__(self, plan: RulePlan, core: Core) -> None:
        super().__init__(plan, core)
        self.asked = next(slot for slot in plan.when.slots if slot.mode == "request")

    def on_fact(self, record: Record, mask: int, *, again: bool) -> None:
        for slot in self.slots.get(record.table.name, ()):
            self.when.note(slot, record, mask)
        self.note_foreign(self.unless, record, mask)

    def on_gone(self, record: Record) -> None:
        self.on_fact(record, 0, again=False)

    def snapshot(self) -> dict[str, Any]:
        return {"open": []}

    def restore(self, stored: Mapping[str, Any], away: int) -> None:
        """Remembers nothing but last facts, which `show_all` brings."""

    def adopt(self, stored: Mapping[str, Any], records: Sequence[Record]) -> None:
        self.show_all(records)

    def resync(self, record: Record) -> None:
        self.on_fact(record, record.mask, again=False)

    def judge(self, request: Record, at: int) -> Iterator[Given]:
        """The true combinations that a request makes with what is known."""
        if self.asked.holds(request.mask):
            for combination in self.when.around(self.asked, request, at):
                yield at_hand(self.plan.when, combination)

    def decide(
        self, hand: Given, at: int, number: int, asked: str
    ) -> Iterator[tuple[Decision, Given]]:
        """What the rule says of one combination; `asked` is the request's data as JSON text."""
        rule, core = self.rule, self.core
        combination = tuple(
            next((record for slot, record in hand if slot is own), None)
            for own in self.plan.when.slots
        )
        key = self.keying.of(combination, at)
        if key is None:
            return
        shown = self.keying.shown(key)
        firing = digest(f"[{encode(rule.id)}, {encode(shown)}, {at}, {number}, {asked}]")
        scope = self.told(hand, at)
        scope["firing"] = firing
        reasons = because(self.plan.when, hand)
        if not rule.then:
            yield _decision(rule, at, "record", shown, {}, firing, reasons, -1), hand
        for place, spec in enumerate(rule.then):
            if spec.condition is not None and evaluate(spec.condition, scope) is not True:
                continue
            data = decided(spec, rule, scope, None, core)
            if data is not None:
                yield _decision(rule, at, spec.type, shown, data, firing, reasons, place), hand


def _decision(
    rule: Any,
    at: int,
    kind: Any,
    key: Mapping[str, Json],
    data: Mapping[str, Any],
    firing: str,
    reasons: Any,
    place: int,
) -> Decision:
    return Decision(
        at, rule.ruleset, rule.name, kind, key, data, firing, reasons, place,
        rule.labels, rule.mode,
    )  # fmt: skip


def with_defaults(request: Fact, core: Core) -> Fact:
    """The request with what its kind fills in."""
    kind = core.kinds.get(request.kind)
    if kind is None:
        return request
    missing = {
        name: described.default
        for name, described in kind.fields.items()
        if described.default is not None and name not in request.data
    }
    if not missing:
        return request
    return Fact(request.kind, request.at, None, {**missing, **request.data})


def consult(request: Record, rules: Sequence[RequestRule], core: Core, at: int) -> Verdict:
    """All rules' word on one request, combined."""
    candidates = _candidates(request.fact, core)
    said: list[tuple[Decision, Given, Selector | None]] = []
    switched: set[str] = set()
    asked = encode(request.fact.data)
    for rule in rules:
        switch = rule.plan.switch
        if switch in switched:
            continue
        number = 0
        for hand in rule.judge(request, at):
            number += 1
            if rule.held_until(hand, at) is not None:
                continue
            for decision, given in rule.decide(hand, at, number, asked):
                then = rule.rule.then
                chosen = then[decision.place].selector if decision.place >= 0 else None
                said.append((decision, given, chosen))
        if number and switch is not None:
            switched.add(switch)
    return _combined(request.fact, candidates, said, core)


def _candidates(request: Fact, core: Core) -> dict[str, Fact | None]:
    """What the request may be given, in the order first heard of."""
    kind = CHOOSES.get(request.kind)
    if kind is None:
        return {REQUEST: None}
    table = core.tables.get(kind)
    records = table.records.values() if table is not None else ()
    return {str(record.fact.data.get("id")): record.fact for record in records}


def _combined(
    request: Fact,
    candidates: Mapping[str, Fact | None],
    said: Sequence[tuple[Decision, Given, Selector | None]],
    core: Core,
) -> Verdict:
    """`deny` beats `require` beats `prefer`; requires intersect; prefers order as written."""
    denied: dict[str, str] = {}
    named = _Named(candidates)
    for wanted in ("deny", "require"):
        for decision, given, chosen in said:
            if decision.decision != wanted:
                continue
            names = named.by(chosen, given)
            if wanted == "require":
                names = {name: None for name in candidates if name not in names}
            for name in names:
                denied.setdefault(name, str(decision.data["reason"]))
    left = [name for name in candidates if name not in denied]
    preferred = [named.by(chosen, given) for d, given, chosen in said if d.decision == "prefer"]
    left.sort(key=lambda name: [name not in names for names in preferred])
    asks = dict.fromkeys(
        Ask(
            str(decision.data["role"]),
            str(decision.data["reason"]),
            decision.data["count"],
            decision.data["not_requester"],
            decision.data["timeout"],
            decision.data["on_timeout"],
        )
        for decision, _, _ in said
        if decision.decision == "ask"
    )
    decisions = tuple(decision for decision, _, _ in said)
    return Verdict(request, decisions, tuple(left), denied, tuple(asks))


class _Named:
    """Which candidates a selector names, in their order: found once for each selector, but for
    `candidate`, which depends on the facts at hand."""

    def __init__(self, candidates: Mapping[str, Fact | None]) -> None:
        self._candidates = candidates
        self._known: dict[int, dict[str, None]] = {}

    def by(self, chosen: Selector | None, given: Given) -> dict[str, None]:
        if chosen is not None and chosen.candidate and not chosen.everything:
            return self._at_hand(given)
        names = self._known.get(id(chosen))
        if names is None:
            names = self._known[id(chosen)] = {
                name: None for name, fact in self._candidates.items() if _selects(chosen, fact)
            }
        return names

    def _at_hand(self, given: Given) -> dict[str, None]:
        found = set()
        for _, record in given:
            name = str(record.fact.data.get("id"))
            fact = self._candidates.get(name)
            if fact is not None and fact.kind == record.table.name:
                found.add(name)
        if len(found) < 2:
            return dict.fromkeys(found)
        return {name: None for name in self._candidates if name in found}


def _selects(chosen: Selector | None, fact: Fact | None) -> bool:
    """Whether a selector names a candidate. The request itself is named by `true` alone."""
    if chosen is None or chosen.everything:
        return True
    if fact is None:
        return False
    data = fact.data
    fields = (("id", chosen.id), ("provider", chosen.provider), ("tier", chosen.tier))
    if any(wanted is not None and data.get(field) != wanted for field, wanted in fields):
        return False
    if chosen.capability is not None:
        has = data.get("capabilities")
        if not isinstance(has, list) or chosen.capability not in has:
            return False
    labels = data.get("labels")
    known = labels if isinstance(labels, Mapping) else {}
    return all(known.get(label) == value for label, value in chosen.labels.items())
