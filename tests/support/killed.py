"""A process to be killed: carries out one ten-step run whose acts are lines in a file.

`python -m support.killed DIRECTORY RUN` says `ready` once it has launched, and ends with the run.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.core.ports import ActionContext, ActionType
from engine.core.runs import ENDED
from engine.store.store import Store
from support.runners import Server, run

STEPS = 10
WORK_SECONDS = 0.04


def keeper(path: Path) -> ActionType:
    """An action that is not idempotent: it appends a line, and can tell whether it is there."""

    def perform(context: ActionContext, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        pause = threading.Event()
        pause.wait(WORK_SECONDS)
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(descriptor, f"{context.run} {inputs['n']}\n".encode())
        os.fsync(descriptor)
        os.close(descriptor)
        pause.wait(WORK_SECONDS)
        return {"n": inputs["n"]}

    def check(context: ActionContext, inputs: Mapping[str, Any]) -> Any:
        lines = path.read_text().splitlines() if path.exists() else []
        return "done" if f"{context.run} {inputs['n']}" in lines else "not_done"

    return ActionType("keep", "", {}, {}, {}, perform, check)


class Killed(Server):
    """The bench's server with the action that keeps lines."""

    def start_up(self) -> None:
        self.bench.env.actions["keep"] = keeper(self.path / "lines")
        self.plans.add(steps=[{"uses": "keep", "with": {"n": n}} for n in range(STEPS)])
        super().start_up()


def main(directory: str, name: str) -> None:
    path = Path(directory)
    server = Killed(path)
    server.runner.start(run(name))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    server.until(name, *ENDED)
    server.close()


def status_of(path: Path, name: str) -> str | None:
    """Where a run stands, read while no process has the database."""
    store = Store.open(path / "wakil.db")
    try:
        found = store.runs.get_run(name)
        return None if found is None else found.status
    finally:
        store.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
