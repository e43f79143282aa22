"""A rule's key: the subjects of its facts, or the values of its `by`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from engine.core.facts import Catalogue
from engine.core.values import MISSING, Json
from engine.lang.expression import Expression, compile_expression
from engine.lang.expression.nodes import Field, Name
from engine.lang.model import Rule
from engine.rules.correlation.facts import Record
from engine.rules.correlation.joins import Combination, Given, Joiner, at_hand
from engine.rules.correlation.keys import Key, original, plain
from engine.rules.correlation.plan import ConditionPlan, Slot

Source = tuple[int | None, str]
"""A slot's index (None: of the first that has it) and a subject field, or `host`."""


class Keying:
    """Makes the keys of one rule. `names` are the key's fields as `by` would name them."""

    def __init__(self, rule: Rule, plan: ConditionPlan, joiner: Joiner, kinds: Catalogue) -> None:
        self._plan = plan
        self._joiner = joiner
        self._by = [self._reader(by) for by in rule.by] if rule.by is not None else None
        if self._by is not None:
            self.names = tuple(by.text.strip() for by in rule.by or ())
            self._sources: list[Source] = []
        else:
            fields = _all_fields(plan, kinds) if plan.every else _shared_fields(plan, kinds)
            self.names = tuple(name for name, _ in fields)
            self._sources = [source for _, source in fields]
        self.grouped = self._by is not None and not self._names_subject(kinds)
        """Several subjects share one key, so that each is a member."""

    def of(self, combination: Combination, at: int) -> Key | None:
        """The key of a combination; None where a `by` value is missing, or its facts differ."""
        if self._by is not None:
            return self._by_values(combination, at)
        return tuple(self._subject_value(source, combination) for source in self._sources)

    def shown(self, key: Key | None) -> Mapping[str, Json]:
        """The key as decisions show it; None is the empty key, its fields null."""
        if key is None:
            return dict.fromkeys(self.names)
        return {name: original(value) for name, value in zip(self.names, key, strict=True)}

    def _subject_value(self, source: Source, combination: Combination) -> Any:
        index, name = source
        record = (
            next(r for r in combination if r is not None) if index is None else combination[index]
        )
        if record is None:
            return None
        return record.host if name == "host" else plain(record.fact.data.get(name))

    def _by_values(self, combination: Combination, at: int) -> Key | None:
        values: list[Any] = []
        hand = at_hand(self._plan, combination)
        for read in self._by or ():
            value = read(hand, at)
            if value is MISSING:
                return None
            values.append(plain(value))
        return tuple(values)

    def _reader(self, by: Expression) -> Callable[[Given, int], Any]:
        """What one field of `by` is of a combination's facts."""
        root = by.root
        if isinstance(root, Name) and root.name == "host":
            return lambda hand, at: _agreed(hand, lambda record: record.host)
        if isinstance(root, Field) and isinstance(root.base, Name):
            name, base = root.name, root.base.name
            if base == "labels":
                labels_of = self._joiner.labels_of
                return lambda hand, at: _agreed(
                    hand, lambda record: labels_of(record.host).get(name, MISSING)
                )
            if base not in {"vars", "time"}:
                return lambda hand, at: next(
                    (r.fact.data.get(name, MISSING) for slot, r in hand if slot.name == base),
                    MISSING,
                )
        evaluate = compile_expression(by)
        return lambda hand, at: evaluate(self._joiner.scope(hand, at))

    def _names_subject(self, kinds: Catalogue) -> bool:
        """Whether `by` holds every subject field, so that a key is one subject."""
        for slot in self._plan.slots:
            if slot.hosted and "host" not in self.names:
                return False
            if any(f"{slot.name}.{name}" not in self.names for name in kinds[slot.kind].key):
                return False
        return True


def _agreed(hand: Given, read: Callable[[Record], Any]) -> Any:
    """What all facts that have a host say alike; missing where they differ or none has one."""
    found = [read(record) for slot, record in hand if slot.hosted]
    if not found or any(value != found[0] for value in found):
        return MISSING
    return MISSING if found[0] is None else found[0]


def joins_on_host(rule: Rule, plan: ConditionPlan) -> bool:
    """Whether kinds with a host join on it by default: not where the rule's own key has none
    through `by`, or because the rule is over a request."""
    if rule.kind_mode == "request":
        return False
    return rule.by is None or any(by.text.strip() == "host" for by in rule.by)


def _all_fields(plan: ConditionPlan, kinds: Catalogue) -> list[tuple[str, Source]]:
    """The subjects of all parts: one `host` where they join on it."""
    fields: list[tuple[str, Source]] = []
    hosted = [slot for slot in plan.slots if slot.hosted]
    join = plan.source.join
    if len(hosted) == 1 or (hosted and (join is None or "host" in join)):
        fields.append(("host", (hosted[0].index, "host")))
    else:
        fields += [(f"{slot.name}.host", (slot.index, "host")) for slot in hosted]
    return fields + [field for slot in plan.slots for field in _own_fields(slot, kinds)]


def _own_fields(slot: Slot, kinds: Catalogue) -> list[tuple[str, Source]]:
    return [(f"{slot.name}.{name}", (slot.index, name)) for name in kinds[slot.kind].key]


def _shared_fields(plan: ConditionPlan, kinds: Catalogue) -> list[tuple[str, Source]]:
    """The subject fields that all parts of an `any` have."""
    if len(plan.slots) == 1:
        return _all_fields(plan, kinds)
    fields: list[tuple[str, Source]] = []
    if all(slot.hosted for slot in plan.slots):
        fields.append(("host", (None, "host")))
    first, *others = (kinds[slot.kind].key for slot in plan.slots)
    shared = [name for name in first if all(name in other for other in others)]
    return fields + [(name, (None, name)) for name in shared]
