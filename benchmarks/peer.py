"""ansible-rulebook end to end, where it is installed: two rules over a stream of events."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from pathlib import Path

_SOURCE = """
import asyncio

async def main(queue, args):
    for number in range(int(args["count"])):
        await queue.put({"used_percent": number % 60, "number": number})
    await queue.put({"shutdown_now": True})
"""
_RULEBOOK = """
- name: bench
  hosts: all
  sources:
    - burst:
        count: {count}
  rules:
    - name: full
      condition: event.used_percent > 90
      action: {{debug: {{msg: full}}}}
    - name: stop
      condition: event.shutdown_now is defined
      action: {{shutdown: {{}}}}
"""


def events_per_second(count: int = 20_000) -> float | None:
    """Events a second with the start taken off; None where it is not installed or fails."""
    program = shutil.which("ansible-rulebook")
    if program is None:
        return None
    few, many = (_seconds(program, events) for events in (1, count))
    return None if few is None or many is None or many <= few else count / (many - few)


def _seconds(program: str, count: int) -> float | None:
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root)
        (folder / "burst.py").write_text(_SOURCE, "utf-8")
        (folder / "rulebook.yml").write_text(_RULEBOOK.format(count=count), "utf-8")
        (folder / "inventory.yml").write_text("all: {hosts: {localhost: {}}}\n", "utf-8")
        command = [program, "-r", "rulebook.yml", "-i", "inventory.yml", "-S", root]
        began = time.perf_counter()
        done = subprocess.run(command, cwd=root, capture_output=True, timeout=300, check=False)
        return time.perf_counter() - began if done.returncode == 0 else None
