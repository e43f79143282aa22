"""A runner on DBOS and the real store, which a test can stop and start again."""

from __future__ import annotations

import threading

from engine.core.runs import ENDED, Run, Trigger
from engine.playbook.runner import Runner
from engine.store.store import Store
from support.runs import Bench

WAIT = 30


class Server:
    """A bench, a runner on it, and a way to wait for what the bus tells."""

    def __init__(self, path, database=None) -> None:
        self.path = path
        self.database = database or f"sqlite:///{path / 'wakil.db'}"
        self.store = Store.open(self.database, keys=path)
        self.changed = threading.Condition()
        self.bench = Bench(self.store.runs)
        self.plans = self.bench.plans
        self.start_up()

    def start_up(self) -> None:
        self.env = self.bench.env.__class__(
            **{
                **vars(self.bench.env),
                "signals": type(self.bench.env.signals)(),
                "publish": self.hear,
            }
        )
        self.runner = Runner(self.env, self.database)
        self.runner.launch()

    def hear(self, topic, payload) -> None:
        with self.changed:
            self.changed.notify_all()

    def until(self, run: str, *statuses: str) -> Run:
        """The run as soon as it has one of these statuses."""
        with self.changed:
            assert self.changed.wait_for(
                lambda: self.store.runs.get_run(run).status in statuses, WAIT
            ), self.store.runs.get_run(run)
        return self.store.runs.get_run(run)

    def ended(self, run: str) -> Run:
        return self.until(run, *ENDED)

    def stop(self) -> None:
        self.runner.shutdown()

    def close(self) -> None:
        self.stop()
        self.store.close()


def run(name="r1", playbook="test", trigger=None, **inputs) -> Run:
    return Run(
        id=name,
        playbook=playbook,
        status="queued",
        inputs=inputs,
        trigger=trigger or Trigger(requester="user:amal"),
        commit="c1",
        host="web-1",
    )
