"""Bare durable-rules on the same facts: a net per kind, ready-made JSON, `when` only.

The strongest form it has: posted events, so that an unmatched fact is not kept, and no reading of
what matched. It runs in a child process, because a net with too many satisfied rules may crash.
"""

from __future__ import annotations

import json
import multiprocessing
import time
from typing import Any

import durable_rules_engine as durable

from benchmarks.workload import KINDS, Weather, bare_rule, kind, stream


def nets(rules: int) -> dict[str, int]:
    """Handles by kind."""
    handles = {}
    for place in range(min(KINDS, rules)):
        written = {
            f"r{number}": {"all": [{"m": bare_rule(number)}]}
            for number in range(place, rules, KINDS)
        }
        handles[kind(place)] = durable.create_ruleset(f"{kind(place)}-{rules}", json.dumps(written))
    return handles


def run(rules: int, weather: Weather, count: int, seed: int) -> dict[str, float]:
    """Facts a second of CPU, and how many facts it refused (more than 64 rules satisfied)."""
    handles = nets(rules)
    facts = [
        (handles.get(fact.kind), json.dumps({"id": str(number), "sid": "0", **fact.data}))
        for number, fact in enumerate(stream(weather, count, seed))
    ]
    refused = 0
    began = time.process_time()
    for handle, text in facts:
        if handle is None:
            continue
        try:
            status, _ = durable.assert_event(handle, text)
            if status == 0:
                drain(handle)
        except durable.error:
            refused += 1
    return {"per_second": count / (time.process_time() - began), "refused": refused}


def drain(handle: int) -> None:
    while (started := durable.start_action(handle)) is not None:
        while durable.complete_and_start_action(handle, started[2]) is not None:
            pass


def measure(rules: int, weather: Weather, count: int, seed: int) -> dict[str, float] | None:
    """`run` in a child of its own; None where durable-rules crashed or hung."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_send, args=(sender, rules, weather, count, seed))
    child.start()
    sender.close()
    try:
        result: dict[str, Any] | None = receiver.recv() if receiver.poll(120) else None
    except EOFError:
        result = None
    if child.is_alive() and result is None:
        child.kill()
    child.join()
    return result


def _send(sender: Any, rules: int, weather: Weather, count: int, seed: int) -> None:
    sender.send(run(rules, weather, count, seed))
    sender.close()
