"""`kill -9` at random instants of a ten-step run: no finished step repeated, no run lost.

`WAKIL_KILLS` says how many kills; the default is quick.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

from support.killed import STEPS, status_of

TESTS = Path(__file__).parent.parent
KILLS = int(os.environ.get("WAKIL_KILLS", "4"))
LONGEST = 1.0 + STEPS * 0.12
"""Seconds of a whole run, its recovery included: kills fall evenly over it."""


def begin(path: Path, name: str) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-m", "support.killed", str(path), name],
        cwd=TESTS,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    line = child.stdout.readline()
    assert line == "ready\n", line
    return child


def survives(child: subprocess.Popen[str], seconds: float) -> bool:
    """Whether it is still at it after so long; then it is dead."""
    try:
        child.wait(seconds)
    except subprocess.TimeoutExpired:
        child.send_signal(signal.SIGKILL)
        child.wait()
        return True
    finally:
        child.stdout.close()
    assert child.returncode == 0
    return False


def test_no_finished_step_is_repeated_and_no_run_lost(tmp_path):
    instants = random.Random(os.environ.get("WAKIL_KILLS_SEED"))
    kills, runs = 0, ["r0"]
    while kills < KILLS:
        if survives(begin(tmp_path, runs[-1]), instants.uniform(0, LONGEST)):
            kills += 1
        else:
            runs.append(f"r{len(runs)}")
    survives(begin(tmp_path, runs[-1]), 120)

    assert {name: status_of(tmp_path, name) for name in runs} == dict.fromkeys(runs, "succeeded")
    done = Counter((tmp_path / "lines").read_text().splitlines())
    assert done == Counter(f"{name} {n}" for name in runs for n in range(STEPS))
    order = (tmp_path / "lines").read_text().splitlines()
    assert order == [f"{name} {n}" for name in runs for n in range(STEPS)]
