"""The loop: agents on their own intervals, failing, hanging, recovering, asked at once."""

import threading
import time

import pytest

from engine.core.clock import SystemClock
from engine.core.errors import NotFound
from engine.core.ports import Collection, Observation
from engine.core.threads import DaemonThreads
from engine.core.values import DAY, SECOND
from engine.loop import Loop

SOON = SECOND // 50


class Watched:
    """A loop, and everything it said."""

    def __init__(self, **more):
        self.posted = []
        self.states = []
        self.changed = threading.Condition()
        self.loop = Loop(self.post, self.on_state, SystemClock(), **more)

    def post(self, agent, collection):
        with self.changed:
            self.posted.append((agent, collection))
            self.changed.notify_all()

    def on_state(self, status):
        with self.changed:
            self.states.append((status.id, status.state))
            self.changed.notify_all()

    def until(self, true, seconds=20):
        with self.changed:
            assert self.changed.wait_for(true, seconds), "it never came true"

    def count(self, agent):
        return sum(name == agent for name, _ in self.posted)


@pytest.fixture
def watched():
    watched = Watched()
    watched.loop.start()
    yield watched
    watched.loop.stop()


class Good:
    def collect(self):
        return Collection([Observation("cpu", {"percent": 1})])


class Failing:
    def __init__(self, times):
        self.left = times

    def collect(self):
        self.left -= 1
        if self.left >= 0:
            raise RuntimeError("no luck")
        return Collection([])


class Hanging:
    def __init__(self):
        self.go_on = threading.Event()
        self.entered = threading.Event()

    def collect(self):
        self.entered.set()
        self.go_on.wait(60)
        return Collection([])


def test_each_agent_runs_on_its_own_interval(watched):
    watched.loop.add("fast", Good, ["cpu"], SOON)
    watched.loop.add("slow", Good, ["disk"], DAY)
    watched.until(lambda: watched.count("fast") >= 3 and watched.count("slow") >= 1)
    assert watched.count("slow") == 1
    status = watched.loop.status_of("fast")
    assert (status.state, status.failures, status.every) == ("running", 0, SOON)
    assert status.last_collect is not None
    assert status.next_collect > status.last_collect


def test_an_agent_that_raises_is_marked_failed_backs_off_and_recovers(watched):
    failing = Failing(2)
    watched.loop.add("bad", lambda: failing, ["x"], SOON)
    watched.loop.add("good", Good, ["cpu"], SOON)
    watched.until(lambda: watched.count("bad") >= 1 and watched.states[-1] == ("bad", "running"))
    assert watched.states.count(("bad", "failed")) == 1
    watched.until(lambda: watched.count("good") >= 3)
    assert watched.loop.status_of("bad").last_error is None


def test_the_pause_doubles_with_each_failure_up_to_five_minutes(watched):
    watched.loop.add("bad", lambda: Failing(1000), ["x"], DAY, enabled=False)
    slot = watched.loop._slots["bad"]
    slot.status = slot.status.__class__("bad", "running", SECOND, ("x",))
    pauses = []
    for _ in range(10):
        now = SystemClock().now()
        watched.loop._failed(slot, slot.life, RuntimeError("no"))
        pauses.append(round((slot.status.next_collect - now) / SECOND))
    assert pauses == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert slot.status.failures == 10


def test_an_agent_that_cannot_be_built_has_failed(watched):
    def build():
        raise ValueError("bad settings")

    watched.loop.add("bad", build, ["x"], DAY)
    watched.until(lambda: ("bad", "failed") in watched.states)
    assert watched.loop.status_of("bad").last_error == "ValueError: bad settings"


def test_a_failed_post_is_a_failed_collection():
    def post(agent, collection):
        raise OSError("disk full")

    failed = threading.Event()
    loop = Loop(post, lambda status: status.state == "failed" and failed.set())
    loop.start()
    loop.add("logs", Good, ["log"], DAY)
    assert failed.wait(20)
    loop.stop()


def test_a_hanging_agent_is_reported_and_holds_up_nobody():
    watched = Watched(hang_after=SECOND // 20)
    watched.loop.start()
    hanging = Hanging()
    watched.loop.add("stuck", lambda: hanging, ["x"], SECOND // 1000)
    watched.loop.add("good", Good, ["cpu"], SOON)
    watched.until(lambda: ("stuck", "failed") in watched.states)
    assert "hanging" in watched.loop.status_of("stuck").last_error
    before = watched.count("good")
    watched.until(lambda: watched.count("good") > before + 2)
    hanging.go_on.set()
    watched.until(lambda: watched.count("stuck") >= 1)
    watched.until(lambda: watched.states[-1] == ("stuck", "running"))
    watched.loop.stop()


def test_a_restart_goes_on_beside_a_hanging_collection(watched):
    made = [Hanging(), Good()]
    first = made[0]
    watched.loop.add("x", lambda: made.pop(0), ["x"], SOON)
    assert first.entered.wait(20)
    watched.loop.restart_agent("x")
    watched.until(lambda: watched.count("x") >= 2)
    first.go_on.set()


def test_what_an_earlier_life_brings_in_late_is_dropped(watched):
    hanging = Hanging()
    left = threading.Event()
    hanging.close = left.set
    watched.loop.add("x", lambda: hanging, ["x"], DAY)
    assert hanging.entered.wait(20)
    watched.loop.stop_agent("x")
    hanging.go_on.set()
    assert left.wait(20), "it is let go when its collection has come back"
    assert watched.count("x") == 0


def test_an_agent_never_collects_twice_at_once(watched):
    inside, most, lock = [], [], threading.Lock()

    class Counted:
        def collect(self):
            with lock:
                inside.append(1)
                most.append(len(inside))
            pause.wait(0.02)
            with lock:
                inside.pop()
            return Collection([])

    pause = threading.Event()
    watched.loop.add("x", Counted, ["cpu"], SECOND // 1000)
    for _ in range(5):
        watched.loop.collect_now(["cpu"])
    assert max(most) == 1


def test_collect_now_asks_those_that_post_the_kinds(watched):
    watched.loop.add("performance", Good, ["cpu", "disk"], DAY)
    watched.loop.add("apps", Good, ["service"], DAY)
    watched.until(lambda: watched.count("performance") == watched.count("apps") == 1)
    watched.loop.collect_now(["disk", "cpu"])
    assert (watched.count("performance"), watched.count("apps")) == (2, 1)
    watched.loop.collect_now(["nothing"])
    assert (watched.count("performance"), watched.count("apps")) == (2, 1)


def test_collect_now_leaves_a_stopped_agent_at_rest(watched):
    watched.loop.add("apps", Good, ["service"], DAY, enabled=False)
    watched.loop.collect_now(["service"])
    assert watched.count("apps") == 0
    assert watched.loop.status_of("apps").state == "stopped"


def test_collect_now_comes_back_from_a_hanging_agent(watched):
    hanging = Hanging()
    watched.loop.add("x", lambda: hanging, ["x"], DAY)
    watched.loop.collect_now(["x"], timeout=SECOND // 20)
    assert watched.count("x") == 0
    hanging.go_on.set()


def test_stop_and_start_of_one_agent(watched):
    watched.loop.add("x", Good, ["x"], SOON)
    watched.until(lambda: watched.count("x") >= 1)
    watched.loop.stop_agent("x")
    assert watched.states[-1] == ("x", "stopped")
    assert watched.loop.status_of("x").next_collect is None
    before = watched.count("x")
    watched.loop.start_agent("x")
    watched.until(lambda: watched.count("x") > before + 1)
    assert watched.states[-1] == ("x", "running")


def test_agents_that_hold_files_let_them_go(watched):
    closed = threading.Event()

    class Holding(Good):
        def close(self):
            closed.set()

    watched.loop.add("x", Holding, ["x"], DAY)
    watched.until(lambda: watched.count("x") >= 1)
    watched.loop.remove("x")
    assert closed.wait(20)


def test_unknown_agents_are_not_found(watched):
    for call in (
        watched.loop.start_agent,
        watched.loop.stop_agent,
        watched.loop.restart_agent,
        watched.loop.status_of,
        watched.loop.remove,
    ):
        with pytest.raises(NotFound, match="no agent 'x'"):
            call("x")


# ── timers ────────────────────────────────────────────────────────────────────────────────────


def now():
    return time.time_ns() // 1000


def test_a_deadline_wakes_and_one_that_passed_wakes_at_once(watched):
    due, woken = now() + SECOND // 10, threading.Event()
    at = []
    watched.loop.wake_at(due, lambda: (at.append(now()), woken.set()), "a")
    passed = threading.Event()
    watched.loop.wake_at(now() - DAY, passed.set, "b")
    assert passed.wait(20)
    assert woken.wait(20)
    assert at[0] >= due


def test_a_key_has_one_timer(watched):
    called, woken = [], threading.Event()
    watched.loop.wake_at(now() + DAY, lambda: called.append("first"), "a")
    watched.loop.wake_at(now(), lambda: (called.append("second"), woken.set()), "a")
    assert woken.wait(20)
    watched.loop.wake_at(now() + SECOND // 20, lambda: called.append("third"), "a")
    watched.loop.wake_at(None, lambda: None, "a")
    last = threading.Event()
    watched.loop.wake_at(now() + SECOND // 5, last.set, "c")
    assert last.wait(20)
    assert called == ["second"]


def test_a_callback_may_set_its_own_next_wake(watched):
    times, done = [], threading.Event()

    def wake():
        times.append(1)
        if len(times) == 50:
            done.set()
        else:
            watched.loop.wake_at(now(), wake, "a")

    watched.loop.wake_at(now(), wake, "a")
    assert done.wait(20)


def test_schedules_ring_and_are_replaced(watched):
    rung, due = threading.Event(), []

    class Early:
        """A clock just before a full minute, so that the minute's line is due at once."""

        def now(self):
            return now() // (60 * SECOND) * 60 * SECOND - 1

    watched.loop._clock = Early()
    watched.loop.set_schedules([("gone", "0 0 1 1 *")], "UTC", lambda *_: None)
    watched.loop.set_schedules(
        [("each", "* * * * *")], "UTC", lambda name, at: (due.append((name, at)), rung.set())
    )
    assert rung.wait(20)
    assert due[0][0] == "each"
    assert due[0][1] % (60 * SECOND) == 0
    jobs = {job.id for job in watched.loop._scheduler.get_jobs()}
    assert "wake/schedule/each" in jobs
    assert "wake/schedule/gone" not in jobs


def test_a_bad_schedule_changes_nothing(watched):
    watched.loop.set_schedules([("kept", "@daily")], "UTC", lambda *_: None)
    with pytest.raises(ValueError, match="not a cron line"):
        watched.loop.set_schedules([("bad", "61 * * * *")], "UTC", lambda *_: None)
    assert "wake/schedule/kept" in {job.id for job in watched.loop._scheduler.get_jobs()}


def test_a_call_in_a_daemon_thread_hands_on_what_it_gave_or_raised():
    threads = DaemonThreads()
    assert threads.submit(lambda one, *, two: one + two, 1, two=2).result(20) == 3
    with pytest.raises(ZeroDivisionError):
        threads.submit(lambda: 1 / 0).result(20)
