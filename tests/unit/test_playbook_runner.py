"""Runs on DBOS with the real store: taken once, held, limited, answered, gone on with."""

from __future__ import annotations

import stat
import threading

import pytest
from support.runs import Bench

from engine.core.errors import NotFound
from engine.core.runs import ENDED, Run, Trigger
from engine.playbook.inputs import InvalidInputs
from engine.playbook.runner import Runner
from engine.store.store import Store

WAIT = 30


class Server:
    """A bench, a runner on it, and a way to wait for what the bus tells."""

    def __init__(self, path) -> None:
        self.path = path
        self.store = Store.open(path / "wakil.db")
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
        self.runner = Runner(self.env, f"sqlite:///{self.path / 'wakil.db'}")
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
        self.store.database.close()


@pytest.fixture
def server(tmp_path):
    server = Server(tmp_path)
    yield server
    server.close()


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


def test_a_run_is_taken_once_and_carried_out(server):
    server.plans.add(
        steps=[{"uses": "a", "with": {"n": "{{ inputs.n }}"}}],
        inputs={"n": {"type": "integer", "default": 4}},
    )
    taken = server.runner.start(run())
    assert taken.status == "queued"
    assert taken.inputs == {"n": 4}
    ended = server.ended("r1")
    assert ended.status == "succeeded"
    assert server.bench.diary.calls == [("a", {"n": 4})]
    assert server.runner.start(run()) == ended
    assert server.bench.diary.calls == [("a", {"n": 4})]


def test_a_run_recorded_before_it_was_handed_over_is_taken(server):
    server.plans.add(steps=[{"uses": "a"}])
    server.store.runs.add_run(run())
    server.runner.start(run())
    assert server.ended("r1").status == "succeeded"


def test_what_a_person_asks_wrongly_is_raised_and_nothing_recorded(server):
    server.plans.add(inputs={"n": {"type": "integer", "required": True}})
    with pytest.raises(InvalidInputs, match="input 'n' must be a whole number"):
        server.runner.start(run(n="4"))
    with pytest.raises(NotFound, match="no playbook 'nowhere'"):
        server.runner.start(run(playbook="nowhere"))
    assert server.store.runs.get_run("r1") is None


def test_what_a_rule_asks_wrongly_is_recorded_as_failed(server):
    server.plans.add(inputs={"n": {"type": "integer", "required": True}})
    trigger = Trigger(rule="disk/full", firing="f1", requester="rule:disk/full")
    failed = server.runner.start(run(trigger=trigger))
    assert failed.status == "failed"
    assert "input 'n' is required" in failed.error
    assert server.bench.alerts[0].key["rule"] == "disk/full"
    assert server.store.runs.steps_of("r1") == ()


def test_the_database_is_its_owners_alone(server):
    mode = (server.path / "wakil.db").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600
