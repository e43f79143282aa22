"""Decisions, alerts, runs, people and small state, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from engine.core.decisions import Because, Decision
from engine.core.errors import NotFound, Refused
from engine.core.facts import Fact
from engine.core.ports import Memory, RunStore
from engine.core.runs import Approval, Run, Step, Trigger
from engine.store.agents import AgentEvent
from engine.store.paging import CursorError
from engine.store.people import Session, User
from engine.store.snapshots import Snapshot
from engine.store.store import Store

HOSTILE = 'nul \0, half \ud800, <script>, "quote", وكيل'


def decision(firing="f1", type_="alert", place=0, at=10, **data):
    because = (Because("disk.used_percent > 90", "policies/disk.yaml", 4, FACT),)
    return Decision(
        at=at,
        ruleset="disk",
        rule="full",
        decision=type_,
        key={"host": "web-1", "mount": "/"},
        data=data or {"text": "full", "severity": "warning", "tell": "always"},
        firing=firing,
        because=because,
        place=place,
        labels={"team": "ops"},
        mode="approve",
    )


FACT = Fact("disk", 9, "web-1", {"mount": "/", "used_percent": 95, "note": HOSTILE}, arrived=9)


def run(id_="f1.1", firing="f1", place=1, **changes):
    trigger = Trigger(
        rule="disk/full",
        firing=firing,
        place=place,
        key={"host": "web-1"},
        fact=FACT.to_json(),
        because=({"condition": "x", "line": 4},),
        resolves=True,
        requester="rule:disk/full",
    )
    fields = {"playbook": "disk-cleanup", "status": "queued", "inputs": {"mount": HOSTILE}}
    return Run(id_, trigger=trigger, commit="abc", host="web-1", created=11, **(fields | changes))


def test_decision_comes_back_as_it_was(store: Store):
    recorded = store.decisions.record([decision()], commit="abc", arrived=12)
    stored = recorded.decisions[0]
    assert store.decisions.get(stored.id) == stored
    assert stored.decision == decision()
    assert stored.to_json()["because"][0]["fact"]["data"]["note"] == HOSTILE


def test_what_is_judged_again_is_recorded_once(store: Store):
    first = [decision(), decision(type_="run", place=1, playbook="disk-cleanup")]
    store.decisions.record(first, commit="abc", arrived=12, runs=[run()])
    store.decisions.sent("f1.1")
    again = [*first, decision(type_="notify", place=2, to="ops")]
    recorded = store.decisions.record(again, commit="abc", arrived=13, runs=[run()])
    assert [each.decision.decision for each in recorded.decisions] == ["notify"]
    assert recorded.alerts == ()
    assert store.decisions.unsent() == ()
    assert len(store.decisions.of_firing("f1")) == 3


def test_a_run_stays_in_the_outbox_until_it_is_handed_over(store: Store):
    starts = decision(type_="run", place=1, playbook="disk-cleanup")
    store.decisions.record([starts], commit="abc", arrived=12, runs=[run()])
    assert store.decisions.unsent() == (run(),)
    store.decisions.sent("f1.1")
    assert store.decisions.unsent() == ()


def test_decisions_are_listed_newest_first_by_cursor(store: Store):
    for number in range(5):
        store.decisions.record([decision(firing=f"f{number}")], commit="abc", arrived=1)
    first = store.decisions.list(rule="disk/full", limit=2)
    second = store.decisions.list(rule="full", limit=2, cursor=first.next)
    last = store.decisions.list(rule="full", limit=2, cursor=second.next)
    firings = [each.decision.firing for page in (first, second, last) for each in page.items]
    assert firings == ["f4", "f3", "f2", "f1", "f0"]
    assert last.next is None
    assert store.decisions.list(rule="other/full").items == []


@pytest.mark.parametrize(
    "cursor", ["", "x", "MS4", "é", "Mi4x", "MS45OTk5OTk5OTk5OTk5OTk5OTk5OTk5"]
)
def test_a_foreign_cursor_is_refused(store: Store, cursor: str):
    with pytest.raises(CursorError):
        store.decisions.list(cursor=cursor)


def test_an_alert_is_raised_risen_acknowledged_and_resolved(store: Store):
    store.decisions.record([decision()], commit="abc", arrived=1)
    assert store.alerts.acknowledge("f1", "amal", 20).status == "acknowledged"
    assert store.alerts.acknowledge("f1", "basim", 21).acknowledged_by == "amal"
    again = decision(at=25, text="full", severity="warning")
    store.decisions.record([again], commit="abc", arrived=1)
    assert store.alerts.get("f1").status == "acknowledged"
    risen = decision(at=30, text="fuller", severity="critical")
    raised = store.decisions.record([risen], commit="abc", arrived=1).alerts[0]
    assert (raised.status, raised.severity, raised.text) == ("open", "critical", "fuller")
    assert (raised.opened, raised.labels) == (10, {"team": "ops"})
    ends = decision(type_="resolve", place=-1, at=40, reason="withdrawn")
    resolved = store.decisions.record([ends], commit="abc", arrived=1).alerts[0]
    assert (resolved.status, resolved.resolved, resolved.resolved_reason) == (
        "resolved",
        40,
        "withdrawn",
    )
    assert store.alerts.open() == ()
    assert store.alerts.resolve("f1", 50) is None


def test_alerts_are_listed_by_status(store: Store):
    for firing in ("a", "b", "c"):
        store.decisions.record([decision(firing=firing)], commit="abc", arrived=1)
    store.alerts.resolve("b", 20)
    assert [alert.firing for alert in store.alerts.list(status="open").items] == ["c", "a"]
    page = store.alerts.list(limit=1)
    assert store.alerts.list(limit=5, cursor=page.next).items[0].firing == "b"
    with pytest.raises(NotFound):
        store.alerts.acknowledge("no", "amal", 1)


def test_a_run_starts_once_and_comes_back_as_it_was(store: Store):
    runs: RunStore = store.runs
    assert runs.add_run(run())
    assert not runs.add_run(run(status="failed"))
    assert runs.get_run("f1.1") == run()
    changed = runs.update_run("f1.1", status="running", started=12, reasons=("observe",))
    assert runs.get_run("f1.1") == changed
    with pytest.raises(NotFound):
        runs.update_run("other", status="running")


def test_runs_are_found(store: Store):
    store.runs.add_run(run("a", firing="x"))
    store.runs.add_run(run("b", firing="x", status="succeeded"))
    store.runs.add_run(run("c", firing="y", playbook="other"))
    assert [each.id for each in store.runs.unfinished_runs()] == ["a", "c"]
    assert [each.id for each in store.runs.runs_since("disk-cleanup", 11)] == ["a", "b"]
    assert store.runs.runs_since(None, 12) == ()
    assert store.runs.runs_of_firings(["x", "z"]) == {"x": ("a", "b")}
    assert store.runs.count_runs(["queued", "running"]) == 2
    page = store.runs.list_runs(limit=2)
    assert [each.id for each in page.items] == ["c", "b"]
    assert [each.id for each in store.runs.list_runs(cursor=page.next).items] == ["a"]
    assert [each.id for each in store.runs.list_runs(status="succeeded").items] == ["b"]


def test_a_step_is_replaced_by_attempt(store: Store):
    step = Step("r", "steps.0", HOSTILE, "steps", "running", "files.prune", started=1)
    store.runs.save_step(step)
    store.runs.save_step(Step("r", "steps.1", "b", "steps", "running", started=2))
    done = Step("r", "steps.0", "a", "steps", "succeeded", ended=3, outputs={"x": [1]}, log=HOSTILE)
    store.runs.save_step(done)
    store.runs.save_step(Step("r", "steps.0", "a", "steps", "failed", attempt=2, error="no"))
    steps = store.runs.steps_of("r")
    assert [(each.path, each.attempt, each.status) for each in steps] == [
        ("steps.0", 1, "succeeded"),
        ("steps.1", 1, "running"),
        ("steps.0", 2, "failed"),
    ]
    assert steps[0].outputs == {"x": [1]}
    assert "\0" not in steps[0].log
    assert "وكيل" in steps[0].log


def approval(id_="a1", **changes):
    fields = {"status": "waiting", "created": 1, "expires": 99, "requester": "rule:disk/full"}
    return Approval(id_, "r", "steps.2", "Grow /?", "operator", "d1g35t", **(fields | changes))


def test_an_approval_is_answered_once(store: Store):
    assert store.runs.add_approval(approval(count=2))
    assert not store.runs.add_approval(approval())
    store.runs.answer_approval("a1", "waiting", {"by": "amal", "at": 2, "answer": "approve"})
    done = store.runs.answer_approval("a1", "approved", {"by": "basim", "at": 3})
    assert [answer["by"] for answer in done.answers] == ["amal", "basim"]
    assert store.runs.get_approval("a1") == done
    with pytest.raises(Refused, match="approved already"):
        store.runs.answer_approval("a1", "rejected", {"by": "carl", "at": 4})
    with pytest.raises(NotFound):
        store.runs.answer_approval("zz", "rejected", None)


def test_of_many_answers_at_once_one_counts(store: Store):
    store.runs.add_approval(approval())

    def answer(number: int) -> bool:
        try:
            store.runs.answer_approval("a1", "approved", {"by": str(number), "at": 1})
        except Refused:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(answer, range(16))) == 1
    assert len(store.runs.get_approval("a1").answers) == 1


def test_approvals_are_listed(store: Store):
    for name in ("a", "b", "c"):
        store.runs.add_approval(approval(name))
    store.runs.answer_approval("b", "expired", None)
    page = store.runs.list_approvals(status="waiting", limit=1)
    assert [each.id for each in page.items] == ["c"]
    page = store.runs.list_approvals(status="waiting", cursor=page.next)
    assert [each.id for each in page.items] == ["a"]
    assert len(store.runs.approvals_of("r")) == 3


def test_small_state_is_kept(store: Store):
    memory: Memory = store.memory("logs")
    assert memory.get("/var/log/syslog") is None
    memory.set("/var/log/syslog", {"inode": 7, "offset": 2**60})
    memory.set("/var/log/syslog", {"inode": 8, "offset": 0})
    assert memory.get("/var/log/syslog") == {"inode": 8, "offset": 0}
    assert store.memory("apps").get("/var/log/syslog") is None
    store.settings.set("automation", {"paused": True})
    assert store.settings.get("automation") == {"paused": True}
    store.settings.remove("automation")
    assert store.settings.get("automation", "none") == "none"
    store.snapshots.save("engine", Snapshot(1, 5, 6, {"a": 1}))
    store.snapshots.save("engine", Snapshot(2, 7, 8, {"b": [HOSTILE]}))
    assert store.snapshots.load("engine") == Snapshot(2, 7, 8, {"b": [HOSTILE]})
    assert store.snapshots.load("other") is None


def test_agent_events_are_listed(store: Store):
    for number in range(3):
        store.agent_events.add(AgentEvent(number, "logs", "failed", {"error": HOSTILE}))
    page = store.agent_events.list("logs", limit=2)
    assert [event.at for event in page.items] == [2, 1]
    assert [event.at for event in store.agent_events.list("logs", cursor=page.next).items] == [0]


def test_the_set_up_link_makes_one_user(store: Store):
    amal = User("amal", "admin", "hash", 1)
    assert not store.users.redeem_setup("h", 1, amal)
    store.users.offer_setup("old", 100)
    store.users.offer_setup("h", 100)
    assert not store.users.redeem_setup("old", 1, amal)
    assert not store.users.redeem_setup("h", 100, amal)
    with ThreadPoolExecutor(4) as threads:
        names = ["amal", "basim", "carl", "dina"]
        made = threads.map(
            lambda name: store.users.redeem_setup("h", 99, User(name, "admin", "x", 1)), names
        )
        assert sum(made) == 1
    assert store.users.count() == 1
    store.users.offer_setup("h", 100)
    assert not store.users.redeem_setup("h", 99, User("late", "admin", "x", 1))


def test_people_come_and_go(store: Store):
    assert store.users.add(User("amal", "viewer", "one", 1))
    assert not store.users.add(User("amal", "admin", "two", 2))
    store.sessions.add(Session("s1", "amal", 1, 50))
    store.sessions.add(Session("s2", "amal", 60, 90))
    assert store.sessions.find("s1") is None
    assert store.sessions.find("s2") == Session("s2", "amal", 60, 90)
    store.users.set_password("amal", "three")
    assert store.sessions.find("s2") is None
    assert store.users.get("amal").password == "three"
    token = store.tokens.add("ci", "operator", "th", 5, "user:amal")
    other = store.tokens.add("ci", "operator", "th2", 5, "user:amal")
    store.tokens.used(token.id, 9)
    assert store.tokens.find("th").last_used == 9
    assert store.tokens.find("no") is None
    store.tokens.remove(token.id)
    assert store.tokens.list() == (other,)
    with pytest.raises(NotFound):
        store.tokens.remove(token.id)
    store.users.remove("amal")
    assert store.users.list() == ()
