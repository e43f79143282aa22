"""A small installation as the API would describe it, at a time near now."""

from __future__ import annotations

import math
import time
from typing import Any

JsonObject = dict[str, Any]

NOW = time.time()
COMMIT = "8c1f2aed41b0c7e93f5d2a8b6e0f1c3d4a5b6c7d"


def at(seconds: float) -> str:
    """A time `seconds` from the start of the tests, as the API writes it."""
    instant = NOW + seconds
    return (
        time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(instant))
        + f".{int(instant * 1e3) % 1000:03}Z"
    )


def history(base: float, swing: float, seed: int) -> list[list[float]]:
    """An hour of values, a point a minute."""
    return [
        [NOW - 3600 + 60 * step, base + swing * math.sin(step / 3 + seed) * math.cos(step * seed)]
        for step in range(60)
    ]


def host(name: str, state: str, cpu: float, memory: float, mount: str, used: float) -> JsonObject:
    return {
        "name": name,
        "state": state,
        "labels": {"role": name.split("-")[0]},
        "cpu": cpu,
        "memory": memory,
        "disk": {"mount": mount, "used_percent": used},
        "last_fact": at(-1),
        "cpu_history": history(cpu, 6, len(name) + int(used)),
        "memory_history": history(memory, 1.5, int(used)),
    }


def agent(name: str, state: str = "running", error: str | None = None) -> JsonObject:
    return {
        "id": name,
        "description": f"Collects {name}",
        "state": state,
        "every_seconds": 5,
        "last_collect": at(-2),
        "last_error": error,
        "facts": [name],
        "failures": 3 if error else 0,
        "next_collect": at(3),
    }


def fact(used: float, seconds: float) -> JsonObject:
    data = {"mount": "/", "device": "/dev/vda1", "used_percent": used, "free_bytes": 4404019200}
    return {"at": at(seconds), "kind": "disk", "host": "web-1", "data": data}


def because(used: float, seconds: float) -> list[JsonObject]:
    full = {"condition": "disk.used_percent >= vars.full", "file": "policies/disk.yaml", "line": 7}
    boot = {"condition": 'disk.mount != "/boot"', "file": "policies/disk.yaml", "line": 7}
    seen = fact(used, seconds)
    return [{**full, "fact": seen}, {**boot, "fact": seen}]


def decision(firing: str, kind: str, seconds: float, key: JsonObject, **data: Any) -> JsonObject:
    return {
        "id": f"{firing}-{kind}",
        "at": at(seconds),
        "arrived": at(seconds),
        "rule": data.pop("rule", "disk-almost-full"),
        "ruleset": "disk",
        "decision": kind,
        "key": key,
        "data": data,
        "firing": firing,
        "because": because(91.4, seconds - 300),
        "commit": COMMIT,
    }


def alert(
    name: str, firing: str, severity: str, text: str, seconds: float, **more: Any
) -> JsonObject:
    return {
        "id": name,
        "ruleset": "disk",
        "rule": more.pop("rule", "disk-almost-full"),
        "key": {"host": "db-2", "mount": "/var"},
        "text": text,
        "severity": severity,
        "status": "open",
        "firing": firing,
        "opened": at(seconds),
        "resolved": None,
        "resolved_reason": None,
        "acknowledged_by": None,
        "stale": False,
        "labels": {"team": "ops"},
        "runs": [],
        **more,
    }


def step(
    path: str, name: str, uses: str, begun: float, ended: float | None, **more: Any
) -> JsonObject:
    return {
        "path": path,
        "name": name,
        "phase": more.pop("phase", "steps"),
        "status": "succeeded",
        "uses": uses,
        "attempt": 1,
        "started": at(begun),
        "ended": None if ended is None else at(ended),
        "inputs": {},
        "outputs": {},
        "error": None,
        "log": "",
        **more,
    }


def run(
    name: str, playbook: str, status: str, begun: float, ended: float | None, **more: Any
) -> JsonObject:
    return {
        "id": name,
        "playbook": playbook,
        "status": status,
        "rule": "disk/disk-almost-full",
        "firing": None,
        "inputs": {"mount": "/var", "keep": "7d"},
        "commit": COMMIT,
        "host": "db-2",
        "created": at(begun),
        "started": at(begun),
        "ended": None if ended is None else at(ended),
        "error": None,
        "reasons": [],
        "requester": "rule:disk/disk-almost-full",
        "dry_run": False,
        "steps": [],
        **more,
    }
