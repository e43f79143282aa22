"""Playbooks as their language promises them: inputs, steps, questions, waiting, verifying."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.playing import (
    ended,
    lines,
    play,
    post_disk,
    question,
    run_of_rule,
    site,
    start,
    steps_of,
    words,
)
from support.wakil import RunningWakil, until


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("playbooks")


@pytest.fixture(scope="module")
def wakil(place: Path) -> Iterator[RunningWakil]:
    with site(place) as running:
        yield running


# ── inputs, steps, conditions ─────────────────────────────────────────────────────────────────


def test_a_run_as_the_api_gives_it(wakil: RunningWakil) -> None:
    run = start(wakil, "typed", name="Ann")
    assert {"id", "playbook", "status", "rule", "firing", "inputs", "commit"} <= set(run)
    assert {"started", "ended", "steps"} <= set(run)
    assert (run["playbook"], run["rule"], run["firing"]) == ("typed", None, None)
    run = ended(wakil, run["id"])
    assert run["status"] == "succeeded", run
    assert run["inputs"] == {
        "name": "Ann", "count": 2, "sure": False, "keep": "7d", "items": [], "colour": "red",
    }  # fmt: skip
    assert [step["status"] for step in steps_of(run)] == ["succeeded", "succeeded", "skipped"]
    first, second, _ = steps_of(run)
    assert first["outputs"] == {"exit_code": 0, "stdout": "Ann 2\n", "stderr": ""}
    assert first["inputs"] == {"argv": ["/bin/echo", "Ann", 2]}
    assert second["name"] == "Only twice"
    assert second["outputs"]["stdout"] == "ann 2\n\n"
    assert run["started"] is not None
    assert run["ended"] is not None
    assert run["commit"] == wakil.get("/content")["commit"]
    listed = wakil.get("/runs", playbook="typed", status="succeeded")["items"]
    assert run["id"] in [each["id"] for each in listed]


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({}, "name"),
        ({"name": 7}, "name"),
        ({"name": "x", "nmae": "y"}, "did you mean 'name'"),
        ({"name": "x", "count": "2"}, "count"),
        ({"name": "x", "count": 2.5}, "count"),
        ({"name": "x", "count": True}, "count"),
        ({"name": "x", "sure": "yes"}, "sure"),
        ({"name": "x", "keep": "5 minutes"}, "keep"),
        ({"name": "x", "items": "a"}, "items"),
        ({"name": "x", "colour": "blue"}, "red, green"),
    ],
)
def test_inputs_are_checked_before_anything_starts(
    wakil: RunningWakil, inputs: dict[str, Any], said: str
) -> None:
    before = len(wakil.get("/runs", playbook="typed", limit=1000)["items"])
    with wakil.client() as client:
        answer = client.post("/api/v1/playbooks/typed/run", json={"inputs": inputs})
    assert answer.status_code == 422
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert said in answer.json()["detail"]
    assert len(wakil.get("/runs", playbook="typed", limit=1000)["items"]) == before


def test_no_such_playbook(wakil: RunningWakil) -> None:
    with wakil.client() as client:
        answer = client.post("/api/v1/playbooks/nothing/run", json={"inputs": {}})
    assert answer.status_code == 404
    played = wakil.command("play", "nothing")
    assert (played.returncode, played.stdout) == (1, "")
    assert "there is no playbook 'nothing'" in played.stderr


def test_retries_and_going_on(wakil: RunningWakil, place: Path) -> None:
    run = play(wakil, "retries")
    assert run["status"] == "succeeded", run
    third = [step for step in steps_of(run) if step["name"] == "Third time"]
    assert [(step["attempt"], step["status"]) for step in third] == [
        (1, "failed"), (2, "failed"), (3, "succeeded"),
    ]  # fmt: skip
    assert words(run)[-1] == ("Goes on", "failed")
    assert "oops" in steps_of(run)[-1]["error"]
    assert "3" in steps_of(run)[-1]["error"]
    assert len(lines(place, ".retry")) == 3


def test_what_failed_is_rolled_back_in_reverse_order(wakil: RunningWakil, place: Path) -> None:
    run = play(wakil, "undoes")
    assert run["status"] == "failed"
    assert "Three" in run["error"]
    assert "broken" in run["error"]
    assert words(run) == [("One", "rolled_back"), ("Two", "succeeded"), ("Three", "failed")]
    assert [step["status"] for step in steps_of(run, "rollback")] == ["failed", "succeeded"]
    assert [step["status"] for step in steps_of(run, "on_failure")] == ["succeeded"] * 2
    assert words(run, "always") == [("At the end", "succeeded")]
    told = lines(place, ".undo")
    assert told[:3] == ["one", "two", "undo two"]
    assert told[3] == "undo from-one"
    assert told[-2].startswith("failure Three: ") or "failure Three: " in "\n".join(told)
    assert told[-1] == "always"
    assert "undo three" not in told
    assert "four" not in told
    assert "undoes failed: Three" in wakil.log.read_text()


def test_timeouts(wakil: RunningWakil, place: Path) -> None:
    runs = {name: start(wakil, name)["id"] for name in ("slow-step", "slow-strict", "slow-whole")}
    done = {name: ended(wakil, run) for name, run in runs.items()}
    assert done["slow-step"]["status"] == "failed"
    assert "timeout of 1s" in done["slow-step"]["error"]
    assert done["slow-strict"]["status"] == "failed"
    assert done["slow-whole"]["status"] == "failed"
    assert "the playbook did not end within its timeout of 1s" in done["slow-whole"]["error"]
    assert lines(place, ".slow") == ["always"]


# ── ask ───────────────────────────────────────────────────────────────────────────────────────


def test_ask_approved_by_the_command_line(wakil: RunningWakil, place: Path) -> None:
    run = start(wakil, "asks", mount="/data")
    asked = question(wakil, run["id"])
    assert (asked["message"], asked["role"], asked["playbook"]) == (
        "Grow /data?",
        "operator",
        "asks",
    )
    assert asked["status"] == "waiting"
    assert asked["expires"] is not None
    assert wakil.get(f"/runs/{run['id']}")["status"] == "waiting"
    assert run["id"] in wakil.command("runs", "--status", "waiting").stdout
    answered = wakil.command("approve", asked["id"], "--comment", "go")
    assert answered.returncode == 0, answered.stderr
    done = ended(wakil, run["id"])
    assert done["status"] == "succeeded"
    assert words(done) == [
        ("Before", "succeeded"),
        ("Ask first", "succeeded"),
        ("After", "succeeded"),
    ]
    again = wakil.command("approve", asked["id"])
    assert again.returncode == 1
    assert again.stdout == ""


def test_ask_rejected_rolls_back(wakil: RunningWakil, place: Path) -> None:
    run = start(wakil, "asks", mount="/other")
    asked = question(wakil, run["id"])
    (place / "log.ask").unlink(missing_ok=True)
    assert wakil.command("reject", run["id"], "--comment", "not now").returncode == 0
    done = ended(wakil, run["id"])
    assert done["status"] == "refused"
    assert "not now" in done["error"]
    assert words(done)[0] == ("Before", "rolled_back")
    assert lines(place, ".ask") == ["undo"]
    with wakil.client() as client:
        body = {"digest": asked["digest"]}
        answer = client.post(f"/api/v1/approvals/{asked['id']}/approve", json=body)
    assert answer.status_code == 409


def test_a_question_is_answered_for_what_was_shown_and_by_its_role(wakil: RunningWakil) -> None:
    run = start(wakil, "asks-admin")
    asked = question(wakil, run["id"])
    address = f"/api/v1/approvals/{asked['id']}/approve"
    operator = wakil.command("token", "create", "--name", "op", "--role", "operator").stdout.strip()
    with wakil.client() as client:
        assert client.post(address, json={}).status_code == 422
        assert client.post(address, json={"digest": "x" * 64}).status_code == 409
        as_operator = {"Authorization": f"Bearer {operator}"}
        refused = client.post(address, json={"digest": asked["digest"]}, headers=as_operator)
        assert refused.status_code in (403, 409)
        assert wakil.get(f"/runs/{run['id']}")["status"] == "waiting"
        answered = client.post(address, json={"digest": asked["digest"]})
        assert answered.status_code == 200
        assert answered.json()["status"] == "approved"
    assert ended(wakil, run["id"])["status"] == "succeeded"


def test_nobody_answers(wakil: RunningWakil) -> None:
    denied, allowed = start(wakil, "asks-briefly"), start(wakil, "asks-allow")
    denied, allowed = ended(wakil, denied["id"]), ended(wakil, allowed["id"])
    assert denied["status"] == "refused"
    assert "nobody answered within 1s" in denied["error"]
    assert allowed["status"] == "succeeded"
    statuses = {each["run"]: each["status"] for each in wakil.get("/approvals")["items"]}
    assert statuses[denied["id"]] == "expired"


# ── wait, verify ──────────────────────────────────────────────────────────────────────────────


def test_wait_and_verify_look_at_later_facts_of_the_subject(wakil: RunningWakil) -> None:
    post_disk(wakil, "/w", 10)  # before: it does not count
    run = start(wakil, "waits", mount="/w")
    until(
        lambda: [s for s in wakil.get(f"/runs/{run['id']}")["steps"] if s["path"] == "steps.1"],
        what="the second step",
    )
    post_disk(wakil, "/elsewhere", 10)
    post_disk(wakil, "/w", 40)
    verifying = until(
        lambda: [s for s in wakil.get(f"/runs/{run['id']}")["steps"] if s["phase"] == "verify"],
        what="verification",
    )
    assert verifying[0]["name"] == "disk.used_percent < 20"
    assert verifying[0]["inputs"] == {"that": "disk.used_percent < 20", "within": "1m"}
    post_disk(wakil, "/w", 15)
    done = ended(wakil, run["id"])
    assert done["status"] == "succeeded"
    assert words(done) == [("A moment", "succeeded"), ("Look", "succeeded")]
    assert words(done, "verify") == [("disk.used_percent < 20", "succeeded")]
    told = wakil.command("explain", run["id"])
    assert "Verify: disk.used_percent < 20" in told.stdout


def test_waiting_in_vain_and_not_verified(wakil: RunningWakil) -> None:
    vain = start(wakil, "waits-vainly", mount="/nowhere")
    post_disk(wakil, "/lazy", 95)
    lazy = run_of_rule(wakil, "disks/lazy", lambda run: run["ended"])
    assert lazy["status"] == "failed"
    assert "not verified" in lazy["error"]
    assert "disk.used_percent < 85" in lazy["error"]
    vain = ended(wakil, vain["id"])
    assert vain["status"] == "failed"
    assert "disk.used_percent < 50 was not true within 1s" in vain["error"]


def test_a_state_rule_s_run_verifies_that_its_firing_resolved(wakil: RunningWakil) -> None:
    post_disk(wakil, "/default", 95)
    run = run_of_rule(
        wakil, "disks/default-verify", lambda run: any(s["phase"] == "verify" for s in run["steps"])
    )
    assert run["status"] == "running"
    assert run["firing"]
    post_disk(wakil, "/default", 10)
    done = ended(wakil, run["id"])
    assert done["status"] == "succeeded"
    (step,) = steps_of(done, "verify")
    assert step["inputs"] == {"resolved": True, "within": "5m"}
    until(
        lambda: (
            run["id"] in [o["data"]["run"] for o in wakil.get("/facts", kind="outcome")["items"]]
        ),
        what="the outcome",
    )
    assert "kept quiet" not in wakil.log.read_text()


def test_a_failed_run_raises_the_alert_with_its_firing_s_severity(wakil: RunningWakil) -> None:
    post_disk(wakil, "/rule", 95)
    run = run_of_rule(wakil, "disks/full", lambda run: run["ended"])
    assert run["status"] == "failed"
    assert run["rule"] == "disks/full"
    found = until(
        lambda: [
            each
            for each in wakil.get("/alerts", status="open")["items"]
            if each["ruleset"] == "wakil" and each["key"].get("rule") == "disks/full"
        ],
        what="the alert",
    )
    (alert,) = found
    assert (alert["rule"], alert["severity"]) == ("run-failed", "critical")
    assert alert["key"] == {"host": "box", "playbook": "fails", "rule": "disks/full"}
    assert "fails" in alert["text"]
    # `tell: on_failure`: recorded at once, told now.
    until(lambda: "critical: /rule is full" in wakil.log.read_text(), what="the alert to be told")
    assert "nobody hears" not in wakil.log.read_text()
    (outcome,) = until(
        lambda: [
            each["data"]
            for each in wakil.get("/facts", kind="outcome")["items"]
            if each["data"]["run"] == run["id"]
        ],
        what="the outcome",
    )
    assert outcome["rule"] == "disks/full"
