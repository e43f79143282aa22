"""The door: what arrives from outside becomes a fact, or is refused with a precise reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from engine.core.errors import FactRefused
from engine.core.facts import Catalogue, Fact, FactKind
from engine.core.values import parse_instant
from engine.lang.bounds import (
    AHEAD,
    MAX_DEPTH,
    MAX_HOST,
    MAX_INTEGER,
    MAX_KEY,
    MAX_KEYS,
    MAX_SIZE,
)
from engine.lang.expression.suggest import did_you_mean
from engine.lang.kind_checks import Check, asks, compile_check, type_name, with_article
from engine.lang.plain_facts import PlainWay, plain_way
from engine.lang.yaml import shorten

_BESIDE: Final = frozenset({"at", "kind", "host", "data", "gone"})


@dataclass(frozen=True, slots=True)
class Admitted:
    """A fact let in, and what was odd about it, in sentences."""

    fact: Fact
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Gate:
    """What the door knows of one kind."""

    kind: FactKind
    checks: Mapping[str, Check]
    required: tuple[str, ...]
    defaults: Mapping[str, Any]
    closed: bool


class Door:
    """Admits facts of a catalogue's kinds. Safe to use from several threads.

    `unknown` counts fields that their kind does not declare, by `kind.field`, at most 1,000 names.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self.unknown: Counter[str] = Counter()
        self._gates = {name: _gate(kind) for name, kind in catalogue.items()}
        self._plain: dict[Any, PlainWay] = {
            name: plain_way(gate.kind, gate.checks) for name, gate in self._gates.items()
        }

    def admit(
        self,
        raw: Mapping[str, Any],
        *,
        host_default: str | None = None,
        now: int | None = None,
        strict: bool = True,
    ) -> Fact:
        """The fact that `raw` (`{at, kind, host, data, gone}`) says; see `admit_with_warnings`."""
        if (fact := self._short(raw, host_default, now)) is not None:
            return fact
        return self.admit_with_warnings(raw, host_default=host_default, now=now, strict=strict).fact

    def admit_with_warnings(
        self,
        raw: Mapping[str, Any],
        *,
        host_default: str | None = None,
        now: int | None = None,
        strict: bool = True,
    ) -> Admitted:
        """As `admit`, with the warnings.

        `now` is the receiver's clock (microseconds): the time of a fact without `at`, which may
        be at most 5 minutes ahead of it; None in a simulation. `host_default` is the host of a
        hosted fact that names none. With `strict` False a wrong type is a warning and the fact
        is let in as it is, but for values that JSON does not have (a number that is not finite,
        or beyond 64 bits): those are left out. Raises FactRefused.
        """
        if (fact := self._short(raw, host_default, now)) is not None:
            return Admitted(fact)
        gate, warnings = self._gate_of(raw), []
        kind = gate.kind
        at = _instant(raw.get("at"), now)
        host, odd = _host(raw.get("host"), kind, host_default)
        warnings.extend(odd)
        gone = raw.get("gone", False)
        if not isinstance(gone, bool):
            raise FactRefused(f"'gone' must be true or false, not {shorten(repr(gone))}")
        if gone and kind.mode != "state":
            raise FactRefused(f"only a state can be gone; {kind.name} is {_article(kind.mode)}")
        data = raw.get("data", {})
        if not isinstance(data, dict):
            raise FactRefused(f"'data' must be an object, not {with_article(type_name(data))}")
        if not strict:
            data, left_out = _measurable(data, kind)
            warnings.extend(left_out)
        _measure(data)
        data = _renamed(data, kind)
        for wrong in self._wrong(gate, data, gone=gone):
            if strict:
                raise FactRefused(wrong)
            warnings.append(wrong)
        if gate.defaults and not gate.defaults.keys() <= data.keys():
            data = {**gate.defaults, **data}
        return Admitted(Fact(kind.name, at, host, data, gone), tuple(warnings))

    def _short(self, raw: Any, host_default: str | None, now: int | None) -> Fact | None:
        """The fact where it is as nearly all are; what is odd goes the long way."""
        if raw.__class__ is not dict:
            return None
        name = raw.get("kind")
        plain = self._plain.get(name) if name.__class__ is str else None
        return None if plain is None else plain(raw, host_default, now)

    def _gate_of(self, raw: Mapping[str, Any]) -> _Gate:
        if not isinstance(raw, dict):
            raise FactRefused(f"a fact is an object, not {with_article(type_name(raw))}")
        name = raw.get("kind")
        if not isinstance(name, str):
            raise FactRefused("a fact needs 'kind', the name of its kind")
        gate = self._gates.get(name)
        if gate is None:
            hint = did_you_mean(name[:MAX_KEY], self._gates)
            raise FactRefused(f"there is no fact kind '{shorten(name)}'{hint}")
        for key in raw:
            if key not in _BESIDE:
                hint = did_you_mean(str(key)[:MAX_KEY], _BESIDE) or "; fields belong into 'data'"
                raise FactRefused(f"a fact has no '{shorten(str(key))}'{hint}")
        return gate

    def _wrong(self, gate: _Gate, data: Mapping[str, Any], *, gone: bool) -> list[str]:
        found: list[str] = []
        name = gate.kind.name
        checks = gate.checks
        for field, value in data.items():
            check = checks.get(field)
            if check is None:
                if field not in gate.kind.fields and not gate.kind.open:
                    self._count(f"{name}.{field}")
                    if gate.closed:
                        found.append(f"{name} has no field '{shorten(field)}'")
            elif (wrong := check(value)) is not None:
                found.append(f"{name}.{field}{'' if wrong[0] in '.[' else ' '}{wrong}")
        if not gone:
            found.extend(f"{name} needs '{each}'" for each in gate.required if each not in data)
        return found

    def _count(self, name: str) -> None:
        if name in self.unknown or len(self.unknown) < MAX_KEYS:
            self.unknown[name] += 1


def _gate(kind: FactKind) -> _Gate:
    properties: Mapping[str, Any] = kind.schema.get("properties", {})
    return _Gate(
        kind=kind,
        checks={name: compile_check(its) for name, its in properties.items() if asks(its)},
        required=tuple(kind.schema.get("required", ())),
        defaults={name: its["default"] for name, its in properties.items() if "default" in its},
        closed=kind.schema.get("additionalProperties") is False,
    )


def _article(mode: str) -> str:
    return f"an {mode}" if mode == "event" else f"a {mode}"


def _instant(given: Any, now: int | None) -> int:
    if given is None and now is not None:
        return now
    at = parse_instant(given)
    if at is None:
        shown = "missing" if given is None else f"not {shorten(repr(given))}"
        raise FactRefused(f"'at' must be a time such as 2026-01-01T00:00:00Z, {shown}")
    if now is not None and at > now + AHEAD:
        raise FactRefused(f"'at' is more than 5 minutes ahead of this clock: {shorten(str(given))}")
    return at


def _host(given: Any, kind: FactKind, default: str | None) -> tuple[str | None, list[str]]:
    if kind.is_global:
        odd = [f"{kind.name} has no host: '{shorten(str(given))}' is dropped"] if given else []
        return None, odd
    if given is None:
        if default is None:
            raise FactRefused(f"a {kind.name} fact needs 'host'")
        return default, []
    if not isinstance(given, str) or not given or len(given) > MAX_HOST or not given.isprintable():
        raise FactRefused(f"'host' must be a name, not {shorten(repr(given))}")
    return given, []


def _renamed(data: dict[str, Any], kind: FactKind) -> dict[str, Any]:
    """`x-was`: an old field's value under today's name, unless that stands there already."""
    if not kind.renamed or not kind.renamed.keys() & data.keys():
        return data
    moved = {key: value for key, value in data.items() if key not in kind.renamed}
    for old, new in kind.renamed.items():
        if old in data:
            moved.setdefault(new, data[old])
    return moved


def _measurable(data: dict[str, Any], kind: FactKind) -> tuple[dict[str, Any], list[str]]:
    """Without the fields that could not be kept, and a warning for each; if it is too much even
    then, without those that the kind does not declare."""
    kept: dict[str, Any] = {}
    warnings: list[str] = []
    for name, value in data.items():
        if (wrong := _too_much({name: value})) is not None:
            warnings.append(f"{kind.name}.{shorten(str(name))} is left out: {wrong}")
        else:
            kept[name] = value
    if (wrong := _too_much(kept)) is not None:
        known = {name: value for name, value in kept.items() if name in kind.fields}
        if len(known) < len(kept):
            warnings.append(f"{len(kept) - len(known)} unknown fields are left out: {wrong}")
            kept = known
    return kept, warnings


def _too_much(data: dict[str, Any]) -> str | None:
    """Why these fields cannot be kept; None where they can."""
    try:
        _measure(data)
    except FactRefused as refused:
        return refused.message
    return None


def _measure(data: dict[str, Any]) -> None:
    """Refuses what is too large, too deep, or not JSON: no recursion, one look at each value."""
    if len(data) > MAX_KEYS:
        raise FactRefused(f"{len(data)} fields; at most {MAX_KEYS} are taken")
    size = 0
    waiting: list[tuple[Any, int]] = [(data, 1)]
    while waiting:
        value, depth = waiting.pop()
        size += 8 + _weigh(value)
        if isinstance(value, dict):
            waiting.extend((item, depth + 1) for item in value.values())
        elif isinstance(value, list):
            waiting.extend((item, depth + 1) for item in value)
        if size > MAX_SIZE or len(waiting) > MAX_SIZE:
            raise FactRefused(f"larger than {MAX_SIZE // 1024} KiB")
        if depth > MAX_DEPTH:
            raise FactRefused(f"nested deeper than {MAX_DEPTH} levels")


def _weigh(value: Any) -> int:
    """Characters that a single value, or the keys of an object, hold; refuses what is not JSON."""
    kind = type(value)
    if kind is str:
        return len(value)
    if kind is float:
        if value - value != 0.0:
            raise FactRefused("a number that is not finite")
    elif kind is int:
        if not -MAX_INTEGER <= value <= MAX_INTEGER:
            raise FactRefused("a whole number beyond 64 bits")
    elif kind is dict:
        if any(type(key) is not str or len(key) > MAX_KEY for key in value):
            raise FactRefused(f"a field's name longer than {MAX_KEY} characters")
        return sum(map(len, value))
    elif kind not in {list, bool, type(None)}:
        raise FactRefused(f"a value that JSON does not have: {kind.__name__}")
    return 0
