"""How fast rules are: `python -m benchmarks.rules [--json] [--quick] [--only PART …]`.

Speeds are medians of rounds in which the engine and bare durable-rules take turns on one machine,
so that only their ratios count. The aims stand beside what was measured.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import bare, peer, whole
from benchmarks.consult import consulting
from benchmarks.workload import Weather

Result = dict[str, Any]
RULES = (10, 100, 1000)


def speeds(quick: bool) -> list[Result]:
    """Whole engine and bare durable-rules, calm and storm, by number of rules."""
    rounds = 2 if quick else 5
    results: list[Result] = []
    for rules in RULES:
        content = whole.bundle(rules)
        for weather in ("calm", "storm"):
            results.append(_turns(content, rules, weather, rounds))
    calm = {row["rules"]: row["engine"] for row in results if row["weather"] == "calm"}
    growth = calm[RULES[0]] / calm[RULES[-1]]
    results.append({"part": "growth", "calm_10_to_1000": growth, "aim": "<= 2.5"})
    for row in results:
        if row.get("weather") == "storm" and row["decisions_per_fact"]:
            spent = 1e6 / row["engine"] - 1e6 / calm[row["rules"]]
            row["us_per_decision"] = spent / row["decisions_per_fact"]
    results.append(_json_lines(quick))
    return results


def _json_lines(quick: bool) -> Result:
    """A line of JSON in to decisions out, beside ansible-rulebook, start taken off both."""
    ours = whole.lines_per_second(whole.bundle(100), 20_000)
    other = peer.events_per_second(2_000 if quick else 20_000)
    return {
        "part": "json line",
        "rules": 100,
        "engine": ours,
        "ansible_rulebook": other,
        "ratio": ours / other if other else None,
        "aim": ">= 50" if other else "not installed",
    }


def _turns(content: Any, rules: int, weather: Weather, rounds: int) -> Result:
    engine, beside, decided, refused = [], [], [], 0.0
    for turn, (measured, decisions) in enumerate(whole.speed(content, weather, rounds)):
        engine.append(measured)
        decided.append(decisions)
        other = bare.measure(rules, weather, whole.CHUNK, turn + 2)
        if other is not None:
            beside.append(other["per_second"])
            refused = max(refused, other["refused"])
    aims = {100: ">= 1.5", 1000: ">= 2"} if weather == "calm" else {}
    bare_median = statistics.median(beside) if beside else None
    ours = statistics.median(engine)
    return {
        "part": "speed",
        "rules": rules,
        "weather": weather,
        "engine": ours,
        "decisions_per_fact": statistics.mean(decided),
        "bare": bare_median,
        "bare_refused": refused,
        "ratio": ours / bare_median if bare_median else None,
        "aim": aims.get(rules, ""),
    }


def memory(quick: bool) -> list[Result]:
    """Drift over a million facts, and over reloads."""
    facts, times = (100_000, 40) if quick else (1_000_000, 200)
    return [
        {"part": "memory", **whole.drift(whole.bundle(100), facts), "aim": "drift <= 2 MB"},
        {"part": "reload", "rules": 300, **whole.reloads(whole.bundle(300), times), "aim": "flat"},
    ]


def compiling(quick: bool) -> list[Result]:
    """Content with 1,000 rules, from files to a first answer."""
    return [{"part": "compile", **whole.compiling(1000), "aim": "compile < 0.5 s"}]


def consults(quick: bool) -> list[Result]:
    """A request's verdict."""
    return [{"part": "consult", **consulting(1_000 if quick else 10_000), "aim": "p99 < 1 ms"}]


def journal(quick: bool) -> list[Result]:
    """What facts cost on disk."""
    facts = 50_000 if quick else 1_000_000
    return [
        {"part": "journal", "weather": weather, **whole.journal(facts, weather)}
        for weather in ("calm", "storm")
    ]


PARTS: dict[str, Callable[[bool], list[Result]]] = {
    "speed": speeds,
    "memory": memory,
    "compile": compiling,
    "consult": consults,
    "journal": journal,
}


def shown(value: Any) -> str:
    """A figure for people."""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return "—" if value is None else str(value)


def show(results: list[Result]) -> None:
    """A line each, aligned by part."""
    for result in results:
        figures = [f"{name} {shown(value)}" for name, value in result.items() if name != "part"]
        print(f"{result['part']:<17}" + " · ".join(figures), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="How fast rules are.")
    parser.add_argument("--json", action="store_true", help="JSON lines instead of a table")
    parser.add_argument("--quick", action="store_true", help="less of everything")
    parser.add_argument("--only", action="append", choices=sorted(PARTS), help="this part alone")
    chosen = parser.parse_args()
    for name in chosen.only or PARTS:
        results = PARTS[name](chosen.quick)
        if chosen.json:
            for result in results:
                print(json.dumps(result), flush=True)
        else:
            show(results)


if __name__ == "__main__":
    main()
