"""What Wakil costs while nothing happens: `python -m benchmarks.idle [--json] [--quick]`.

`wakil run` on a machine with some 400 processes more, 150 declared services and twenty quiet
log files. Once with its agents and once without: the difference is the agent loop, from the look
at the machine to facts that are typed, on disk and judged. A series is a numeric field of a
subject, whose values come every five seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.rules import show
from benchmarks.server import Server

PROCESSES, SERVICES, LOGS = 400, 150, 20
WARM = 8
"""Seconds until what happens at the start is over."""
Cost = dict[str, float]


def write_content(root: Path, *, enabled: bool) -> Path:
    """Content without rules of its own, beside the shipped ones."""
    (root / "policies").mkdir(parents=True)
    (root / "configs").mkdir()
    (root / "logs").mkdir()
    pid_file = root / "one.pid"
    pid_file.write_text(f"{os.getpid()}\n")
    for number in range(LOGS):
        (root / "logs" / f"{number}.log").write_text("a line\n")
    services = [
        {"name": f"service-{number}", "manager": "pidfile", "pid_file": str(pid_file)}
        for number in range(SERVICES)
    ]
    agents = {
        "performance": {"every": "5s", "enabled": enabled},
        "apps": {"every": "5s", "enabled": enabled, "services": services},
        "logs": {"every": "1s", "enabled": enabled, "files": [f"{root}/logs/*.log"]},
    }
    (root / "configs" / "agents.yaml").write_text(json.dumps({"agents": agents}))
    return root


@contextmanager
def crowd(count: int) -> Iterator[None]:
    """So many processes that sleep."""
    sleepers = [subprocess.Popen(["sleep", "3600"]) for _ in range(count)]
    try:
        yield
    finally:
        for each in sleepers:
            each.kill()
        for each in sleepers:
            each.wait()


def cost(seconds: float, *, enabled: bool) -> Cost:
    """Percent of one core over so many seconds, and how many series came."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        content = write_content(root / "content", enabled=enabled)
        with Server(content, root / "data") as server:
            time.sleep(WARM)
            before, began = server.cpu(), time.perf_counter()
            time.sleep(seconds)
            percent = 100 * (server.cpu() - before) / (time.perf_counter() - began)
            return {"percent": percent, "series": _series(server)}


def _series(server: Server) -> int:
    """Numeric fields of the state facts of the last rounds, by subject."""
    since = (datetime.now(UTC) - timedelta(seconds=12)).strftime("%Y-%m-%dT%H:%M:%SZ")
    found: set[tuple[Any, ...]] = set()
    cursor: dict[str, str] = {}
    while True:
        page = server.get("/facts", since=since, limit=500, **cursor)
        for fact in page["items"]:
            data = fact["data"]
            subject = [str(data.get(name)) for name in ("mount", "interface", "pid", "name")]
            found.update(
                (fact["kind"], *subject, field)
                for field, value in data.items()
                if type(value) in (int, float) and field != "pid"
            )
        if not page["next"]:
            return len(found)
        cursor = {"cursor": page["next"]}


def main() -> None:
    parser = argparse.ArgumentParser(description="What Wakil costs while nothing happens.")
    parser.add_argument("--json", action="store_true", help="JSON lines instead of a table")
    parser.add_argument("--quick", action="store_true", help="twenty seconds instead of sixty")
    chosen = parser.parse_args()
    seconds = 20 if chosen.quick else 60
    with crowd(PROCESSES):
        without = cost(seconds, enabled=False)
        whole = cost(seconds, enabled=True)
    loop = {
        "part": "agent loop",
        "series": whole["series"],
        "percent_of_a_core": whole["percent"] - without["percent"],
        "aim": "< 1",
    }
    rest = {"part": "all else", "percent_of_a_core": without["percent"]}
    if chosen.json:
        for result in (loop, rest):
            print(json.dumps(result), flush=True)
    else:
        show([loop, rest])


if __name__ == "__main__":
    main()
