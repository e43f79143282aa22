"""What is measured: ten kinds, twenty hosts, rules of four shapes, a calm stream and a storm.

The same rules are written as Wakil content and as bare durable-rules (`when` only).
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from engine.core.facts import Fact

KINDS = 10
HOSTS = 20
INTERVAL = 5_000_000
"""Microseconds between two facts of one subject: an agent's default."""
START = 1_767_225_600_000_000
Weather = Literal["calm", "storm"]

SCHEMA = {
    "type": "object",
    "x-mode": "state",
    "x-stale-after": "15m",
    "properties": {
        "used_percent": {"type": "number"},
        "load": {"type": "number"},
        "latency_ms": {"type": "number"},
        "errors": {"type": "integer"},
        "state": {"type": "string"},
    },
}


def kind(number: int) -> str:
    return f"part{number % KINDS}"


def _thresholds(number: int) -> tuple[float, int, str]:
    spread = random.Random(number)
    return (
        spread.randrange(700, 995) / 10,
        spread.randrange(70, 99),
        f"broken-{spread.randrange(8)}",
    )


def wakil_rule(number: int) -> list[str]:
    """A rule as the lines of its YAML; the four shapes take turns, kind by kind."""
    at, (limit, whole, state) = kind(number), _thresholds(number)
    lines = [f"  - name: rule-{number}"]
    match number // KINDS % 4:
        case 0:
            lines += [
                f"    when: {at}.used_percent >= {limit}",
                "    for: 1m",
                f"    until: {at}.used_percent < {limit - 5:.1f}",
            ]
        case 1:
            lines += [f"    when: {at}.errors > {whole}"]
        case 2:
            lines += [f'    when: {at}.load > {limit} and {at}.state != "idle"']
        case _:
            lines += [f'    when: {at}.state == "{state}" or {at}.latency_ms > {limit}']
    return [*lines, f'    then: [{{alert: "{{{{ host }}}} trips rule {number}"}}]']


def bare_rule(number: int) -> dict[str, Any]:
    """The same `when` as durable-rules writes it."""
    limit, whole, state = _thresholds(number)
    match number // KINDS % 4:
        case 0:
            return {"$gte": {"used_percent": limit}}
        case 1:
            return {"$gt": {"errors": whole}}
        case 2:
            return {"$and": [{"$gt": {"load": limit}}, {"$neq": {"state": "idle"}}]}
        case _:
            return {"$or": [{"$eq": {"state": state}}, {"$gt": {"latency_ms": limit}}]}


def write_content(root: Path, rules: int) -> Path:
    """A content directory with the ten kinds and so many rules, one rule set a kind."""
    (root / "policies").mkdir(parents=True)
    (root / "schema" / "facts").mkdir(parents=True)
    for place in range(KINDS):
        schema = root / "schema" / "facts" / f"{kind(place)}.schema.json"
        schema.write_text(json.dumps(SCHEMA), "utf-8")
        lines = [f"name: {kind(place)}", "rules:"]
        for number in range(place, rules, KINDS):
            lines += wakil_rule(number)
        if len(lines) > 2:
            (root / "policies" / f"{kind(place)}.yaml").write_text("\n".join(lines) + "\n", "utf-8")
    return root


def stream(weather: Weather, count: int, seed: int = 1, start: int = START) -> Iterator[Fact]:
    """Facts as agents send them, every subject each five seconds; calm: one fact in ten thousand
    passes limits; storm: every value is drawn anew."""
    draw = random.Random(seed)
    step = INTERVAL // (KINDS * HOSTS)
    for number in range(count):
        wild = weather == "storm" or draw.random() < 0.0001
        high = 100.0 if wild else 65.0
        data = {
            "used_percent": round(draw.uniform(0, high), 2),
            "load": round(draw.uniform(0, high), 2),
            "latency_ms": round(draw.uniform(0, high), 2),
            "errors": int(draw.uniform(0, high)),
            "state": f"broken-{draw.randrange(16)}" if wild else "running",
        }
        host = f"host-{number // KINDS % HOSTS}"
        yield Fact(kind(number), start + number * step, host, data)
