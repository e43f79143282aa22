"""Simulation: the engine over recorded facts, as fast as it goes, the same every time."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from engine.core.decisions import Decision
from engine.core.facts import Fact
from engine.core.text import escape_json
from engine.lang.model import Bundle
from engine.rules.durable.matcher import build_durable
from engine.rules.engine import Engine
from engine.rules.matcher import Build


def simulate(
    bundle: Bundle,
    facts: Iterable[Fact],
    until: int | None = None,
    matcher: Build = build_durable,
) -> Iterator[Decision]:
    """Decisions in order. The clock is the facts' own time; it ends at the last fact, or at
    `until` (microseconds UTC) with every deadline up to then. A request is put to the rules."""
    engine: Engine | None = None
    try:
        for fact in facts:
            if until is not None and fact.at > until:
                break
            if engine is None:
                engine = Engine(bundle, now=fact.at, matcher=matcher)
            yield from engine.feed(fact)
            kind = bundle.kinds.get(fact.kind)
            if kind is not None and kind.mode == "request":
                yield from engine.consult(fact).decisions
        if engine is not None and until is not None:
            yield from engine.tick(until)
    finally:
        if engine is not None:
            engine.close()


def as_line(decision: Decision) -> str:
    """A decision as one line of JSON, keys sorted, the same bytes in every run."""
    shown = decision.to_json()
    try:
        line = orjson.dumps(shown, option=orjson.OPT_SORT_KEYS)
    except (orjson.JSONEncodeError, TypeError):
        line = orjson.dumps(_encodable(shown), option=orjson.OPT_SORT_KEYS)
    return escape_json(line.decode())


def _encodable(value: Any) -> Any:
    """What JSON has no way to say, said as near as it can: huge integers and numbers that are
    none as text, halves of surrogate pairs as U+FFFD."""
    if isinstance(value, dict):
        return {str(_encodable(key)): _encodable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_encodable(item) for item in value]
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**64 else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return str(value)
