"""How long a request's verdict takes: fifty rules that choose among twenty models."""

from __future__ import annotations

import json
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.workload import START
from engine.core.facts import Fact
from engine.lang.loader import load
from engine.rules.engine import Engine

RULES, MODELS = 50, 20


def _rule(number: int) -> dict[str, Any]:
    """Five shapes that take turns: two prefer, one denies, two join models."""
    shapes: tuple[tuple[Any, dict[str, Any]], ...] = (
        (f'task.priority != "critical" and task.type != "kind-{number}"',
         {"prefer": {"tier": "free"}}),
        (f'"team-{number % 7}" in task.labels',
         {"deny": {"provider": f"provider-{number % 4}"}, "reason": "not for this team"}),
        (f"task.estimated_tokens > {number * 400}",
         {"prefer": {"labels": {"size": "large"}}}),
        ({"all": ["defined(task.max_seconds)", f"model.p95_seconds > {8 + number / 10}"]},
         {"deny": "candidate", "reason": "too slow"}),
        ({"all": [f"task.estimated_tokens > {number * 300}", "defined(model.success_rate)"],
          "that": "model.success_rate < 0.5"},
         {"deny": "candidate", "reason": "{{ model.id }} fails too often"}),
    )  # fmt: skip
    when, decision = shapes[number % len(shapes)]
    return {"name": f"rule-{number}", "when": when, "then": [decision]}


def _models(draw: random.Random) -> list[Fact]:
    return [
        Fact("model", START, None, {
            "id": f"model-{number}", "provider": f"provider-{number % 4}",
            "tier": "free" if number % 3 else "paid", "capabilities": ["chat"],
            "healthy": True, "success_rate": draw.uniform(0.3, 1),
            "p95_seconds": draw.uniform(1, 15),
            "labels": {"size": "large" if number % 2 else "small"},
        })
        for number in range(MODELS)
    ]  # fmt: skip


def _task(draw: random.Random, at: int) -> Fact:
    return Fact("task", at, None, {
        "type": "chat", "priority": draw.choice(["low", "normal", "critical"]),
        "estimated_tokens": draw.randrange(20_000), "max_seconds": draw.uniform(1, 30),
        "labels": [f"team-{draw.randrange(10)}"], "caller": f"caller-{draw.randrange(1000)}",
    })  # fmt: skip


def consulting(count: int) -> dict[str, Any]:
    """Milliseconds of CPU a verdict, over so many requests that all differ."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "policies").mkdir()
        rules = {"name": "models", "rules": [_rule(number) for number in range(RULES)]}
        (root / "policies" / "models.yaml").write_text(json.dumps(rules), "utf-8")
        engine = Engine(load(root, actions={}, agents={}, shared=False), now=START)
    draw = random.Random(1)
    for fact in _models(draw):
        engine.feed(fact)
    spent, decided, left = [], 0, 0
    for number in range(count):
        task = _task(draw, START + number)
        began = time.thread_time()
        verdict = engine.consult(task)
        spent.append((time.thread_time() - began) * 1e3)
        decided += len(verdict.decisions)
        left += len(verdict.candidates)
    engine.close()
    cut = statistics.quantiles(spent, n=100)
    return {
        "rules": RULES,
        "models": MODELS,
        "p50_ms": cut[49],
        "p99_ms": cut[98],
        "decisions": decided / count,
        "candidates_left": left / count,
    }
