"""How fast Wakil starts: `python -m benchmarks.start [--json] [--quick]`.

`wakil run` with the shipped content and an empty data directory until its health is good, and the
commands that people wait for at a prompt. Wall time; medians of rounds.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.rules import show
from benchmarks.server import COMMAND, ROOT, Server

COMMANDS = (("--version",), ("check",), ("test",))


def run(rounds: int) -> dict[str, Any]:
    """From nothing to healthy."""
    seconds, cpu, memory = [], [], []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as data, Server(ROOT, Path(data)) as server:
            seconds.append(server.seconds)
            cpu.append(server.cpu())
            memory.append(server.resident() / 1e6)
    return {
        "part": "wakil run",
        "healthy_s": statistics.median(seconds),
        "cpu_s": statistics.median(cpu),
        "memory_mb": statistics.median(memory),
        "aim": "< 3 s",
    }


def command(arguments: tuple[str, ...], rounds: int) -> dict[str, Any]:
    """A command over the shipped content, from prompt to prompt."""
    seconds, cpu = [], []
    for _ in range(rounds):
        before, began = _children(), time.perf_counter()
        subprocess.run([*COMMAND, *arguments], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        seconds.append(time.perf_counter() - began)
        cpu.append(_children() - before)
    return {
        "part": f"wakil {' '.join(arguments)}",
        "seconds": statistics.median(seconds),
        "cpu_s": statistics.median(cpu),
    }


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description="How fast Wakil starts.")
    parser.add_argument("--json", action="store_true", help="JSON lines instead of a table")
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    chosen = parser.parse_args()
    rounds = 2 if chosen.quick else 7
    results = [run(rounds), *(command(each, rounds) for each in COMMANDS)]
    if chosen.json:
        for result in results:
            print(json.dumps(result), flush=True)
    else:
        show(results)


if __name__ == "__main__":
    main()
