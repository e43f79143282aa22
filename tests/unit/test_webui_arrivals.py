"""Slow senders: a few may take their time, more than that make room for whoever comes whole."""

from __future__ import annotations

from types import SimpleNamespace

from gunicorn.workers.gthread import ThreadWorker

from webui.arrivals import LONGEST, MOST, PATIENCE, Arrivals, ArrivalWorker, _Body


class Clock:
    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


def test_a_few_slow_ones_are_left_alone_until_the_longest():
    clock = Clock()
    arrivals = Arrivals(clock)
    for number in range(MOST):
        arrivals.begin(number)
    clock.at += LONGEST
    assert arrivals.overdue() == []
    clock.at += 1
    assert arrivals.overdue() == list(range(MOST))
    assert arrivals.overdue() == []


def test_of_too_many_the_oldest_go_once_they_had_a_moment():
    clock = Clock()
    arrivals = Arrivals(clock)
    for number in range(MOST + 10):
        arrivals.begin(number)
    assert arrivals.overdue() == []
    clock.at += PATIENCE + 0.1
    arrivals.begin("fresh")
    assert arrivals.overdue() == list(range(11))
    arrivals.end("fresh")
    assert arrivals.overdue() == []


def test_a_body_in_drops_is_one_arrival_from_its_first_byte():
    clock = Clock()
    arrivals = Arrivals(clock)

    class Drops:
        def read(self, size=None):
            clock.at += LONGEST / 3
            cut.extend(arrivals.overdue())
            return b"x"

    cut: list[object] = []
    body = _Body(Drops(), arrivals, "slow")
    for _ in range(3):
        assert body.read(1) == b"x"
        assert arrivals.overdue() == []
        clock.at += 1
    assert cut == ["slow"]


def test_what_is_worked_on_is_not_arriving(monkeypatch):
    clock = Clock()
    worker = ArrivalWorker.__new__(ArrivalWorker)
    worker._arrivals = Arrivals(clock)
    seen = []

    def work(worker, req, conn):
        clock.at += 10 * LONGEST
        seen.append(worker._arrivals.overdue())

    monkeypatch.setattr(ThreadWorker, "handle_request", work)
    connection, request = object(), SimpleNamespace(body=None)
    worker._arrivals.begin(connection)
    worker.handle_request(request, connection)
    assert seen == [[]]
    assert isinstance(request.body, _Body)
