"""The machine itself: processors, memory, filesystems, network and its largest processes."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from agents.filesystems import filesystems
from agents.proc import (
    TICKS,
    ProcessEntry,
    all_processes,
    full_name,
    owner,
    read_process,
    uptime,
)
from engine.core.errors import ActionError
from engine.core.ports import (
    ActionContext,
    ActionType,
    AgentContext,
    AgentType,
    Collection,
    Effect,
    Observation,
)
from engine.core.values import SECOND, Json, parse_duration

TOP = 20
_LEAST = 0.2
"""Seconds between two looks below which a rate says nothing."""


@dataclass(slots=True)
class _Sample:
    """What rates are counted from."""

    at: float
    cpu: Mapping[str, float]
    ticks: Mapping[tuple[int, int], int]
    """CPU ticks by (pid, start)."""
    network: Mapping[str, Any]
    cores: int


class Performance:
    """Keeps one earlier sample, from which it counts what happened since."""

    def __init__(self, context: AgentContext) -> None:
        self._before = _sample(list(all_processes()))

    def collect(self) -> Collection:
        """Everything, once."""
        young = _LEAST - (time.monotonic() - self._before.at)
        if young > 0:  # the first look, or one asked for right after another
            time.sleep(young)
        processes = list(all_processes())
        before, now = self._before, _sample(processes)
        self._before = now
        memory = _memory()
        observations = [
            Observation("cpu", _cpu(before, now)),
            Observation("memory", memory),
            *(Observation("disk", disk) for disk in filesystems()),
            *(Observation("network", card) for card in _network(before, now)),
            *(
                Observation("process", process)
                for process in _largest(processes, before, now, memory["total_bytes"])
            ),
        ]
        return Collection(observations, frozenset({"disk", "network", "process"}))


def _sample(processes: list[ProcessEntry]) -> _Sample:
    return _Sample(
        time.monotonic(),
        psutil.cpu_times()._asdict(),
        {(process.pid, process.start_ticks): process.cpu_ticks for process in processes},
        psutil.net_io_counters(pernic=True, nowrap=True),
        psutil.cpu_count() or 1,
    )


def _cpu(before: _Sample, now: _Sample) -> dict[str, Any]:
    """Shares of all processors' time between two samples. `guest` time is part of `user`."""
    spent = {
        name: max(0.0, now.cpu[name] - before.cpu.get(name, 0.0))
        for name in now.cpu
        if not name.startswith("guest")
    }
    total = sum(spent.values()) or 1.0
    idle = spent.get("idle", 0.0) + spent.get("iowait", 0.0)
    load = os.getloadavg()
    return {
        "percent": round(100 * (1 - idle / total), 2) if sum(spent.values()) else 0.0,
        "iowait_percent": round(100 * spent.get("iowait", 0.0) / total, 2),
        "steal_percent": round(100 * spent.get("steal", 0.0) / total, 2),
        "cores": now.cores,
        "load_1m": round(load[0], 2),
        "load_5m": round(load[1], 2),
        "load_15m": round(load[2], 2),
        "load_per_core": round(load[0] / now.cores, 3),
    }


def _memory() -> dict[str, Any]:
    """From /proc/meminfo; what could be had without swapping counts as available."""
    values = {}
    for line in Path("/proc/meminfo").read_text().splitlines():
        name, _, rest = line.partition(":")
        values[name] = int(rest.split()[0]) * 1024
    total, available = values["MemTotal"], values["MemAvailable"]
    swap = values.get("SwapTotal", 0)
    used_swap = swap - values.get("SwapFree", 0)
    return {
        "percent": round(100 * (total - available) / total, 2),
        "available_percent": round(100 * available / total, 2),
        "available_bytes": available,
        "total_bytes": total,
        "swap_percent": round(100 * used_swap / swap, 2) if swap else 0.0,
    }


def _network(before: _Sample, now: _Sample) -> list[dict[str, Any]]:
    """Every interface but loopback, counted from the earlier sample where that has it."""
    up = psutil.net_if_stats()
    seconds = max(now.at - before.at, 1e-6)
    cards = []
    for name, count in now.network.items():
        if name == "lo":
            continue
        earlier = before.network.get(name, count)

        def rate(*fields: str, count: Any = count, earlier: Any = earlier) -> float:
            grown = sum(getattr(count, field) - getattr(earlier, field) for field in fields)
            return float(round(max(0, grown) / seconds, 2))

        cards.append(
            {
                "interface": name,
                "sent_bytes_per_second": rate("bytes_sent"),
                "received_bytes_per_second": rate("bytes_recv"),
                "errors_per_second": rate("errin", "errout", "dropin", "dropout"),
                "up": name in up and up[name].isup,
            }
        )
    return cards


def _largest(
    processes: list[ProcessEntry], before: _Sample, now: _Sample, total: int
) -> list[dict[str, Any]]:
    """The twenty that used most CPU since the earlier sample, and the twenty largest in memory."""
    seconds = max(now.at - before.at, 1e-6)
    cpu = {
        process.pid: 100
        * (process.cpu_ticks - before.ticks.get((process.pid, process.start_ticks), 0))
        / TICKS
        / seconds
        for process in processes
        if (process.pid, process.start_ticks) in before.ticks
    }
    by_cpu = sorted(processes, key=lambda one: cpu.get(one.pid, 0.0), reverse=True)[:TOP]
    by_memory = sorted(processes, key=lambda one: one.memory_bytes, reverse=True)[:TOP]
    running = uptime()
    return [
        {
            "pid": process.pid,
            "name": full_name(process),
            "user": owner(process.pid),
            "cpu_percent": round(cpu.get(process.pid, 0.0), 1),
            "memory_percent": round(100 * process.memory_bytes / total, 2),
            "memory_bytes": process.memory_bytes,
            "state": process.state,
            "age_seconds": round(max(0.0, running - process.start_ticks / TICKS), 1),
        }
        for process in {one.pid: one for one in (*by_cpu, *by_memory)}.values()
    ]


# ── process.terminate ─────────────────────────────────────────────────────────────────────────


def _terminate(context: ActionContext, inputs: Mapping[str, Any]) -> dict[str, Any]:
    process = read_process(inputs["pid"])
    if process is None or not process.alive:
        context.say(f"process {inputs['pid']} has ended already")
        return {"ended": True}
    grace = parse_duration(inputs.get("grace", "10s"))
    if grace is None:
        raise ActionError("grace must be a duration such as 10s")
    order: dict[str, Json] = {
        "pid": process.pid,
        "start_ticks": process.start_ticks,
        "signal": "TERM",
        "grace": grace // SECOND,
    }
    if inputs.get("name"):
        if full_name(process) != inputs["name"] and process.name != inputs["name"]:
            raise ActionError(f"process {process.pid} is {process.name} by now: left alone")
        order["name"] = process.name
    reply = context.order("process.signal", order)
    context.say(f"process {process.pid} ({process.name}) has ended")
    return {"ended": bool(reply["ended"])}


def _is_gone(context: ActionContext, inputs: Mapping[str, Any]) -> Effect:
    process = read_process(inputs["pid"])
    return "done" if process is None or not process.alive else "not_done"


TERMINATE = ActionType(
    name="process.terminate",
    description="End a process: SIGTERM, and SIGKILL after a grace.",
    inputs={
        "type": "object",
        "properties": {
            "pid": {"type": "integer", "minimum": 2},
            "grace": {
                "type": "string",
                "pattern": "^(0|[1-9][0-9]{0,8})[smhdw]$",
                "default": "10s",
                "x-is": "a duration such as 10s",
            },
            "name": {
                "type": "string",
                "description": "Where given, the process is only ended if it is called so.",
            },
        },
        "required": ["pid"],
        "additionalProperties": False,
    },
    outputs={
        "type": "object",
        "properties": {"ended": {"type": "boolean"}},
        "required": ["ended"],
    },
    example={"uses": "process.terminate", "with": {"pid": 4711, "grace": "10s"}},
    perform=_terminate,
    check=_is_gone,
    destructive=lambda context, inputs: True,
)

AGENT = AgentType(
    id="performance",
    description="Processors, memory, filesystems, network and the largest processes.",
    facts=("cpu", "memory", "disk", "network", "process"),
    every=5 * SECOND,
    settings={"type": "object", "properties": {}, "additionalProperties": False},
    build=Performance,
    actions=(TERMINATE,),
)
