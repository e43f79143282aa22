"""Playbooks as their language promises them, carried out by the real program."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.wakil import RunningWakil, until, write_files

ENDED = {"succeeded", "failed", "refused", "unknown", "observed"}
CONTENT = Path(__file__).parent.parent / "testdata" / "playbooks"
"""`LOG` in it is a file that the playbooks write to."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("playbooks")


@pytest.fixture(scope="module")
def wakil(place: Path) -> Iterator[RunningWakil]:
    off = "".join(f"  {name}: {{enabled: false}}\n" for name in ("performance", "apps", "logs"))
    log = str(place / "log")
    files = {
        str(path.relative_to(CONTENT)): path.read_text().replace("LOG", log)
        for path in CONTENT.rglob("*.yaml")
    }
    files["configs/agents.yaml"] = f"agents:\n{off}"
    files["configs/wakil.yaml"] = "server: {host_name: box}\n"
    content = write_files(place / "content", files)
    with RunningWakil(content, place / "data") as running:
        yield running


def start(wakil: RunningWakil, playbook: str, **inputs: Any) -> dict[str, Any]:
    with wakil.client() as client:
        answer = client.post(f"/api/v1/playbooks/{playbook}/run", json={"inputs": inputs})
    assert answer.status_code == 202, answer.text
    return answer.json()


def ended(wakil: RunningWakil, run: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        found = wakil.get(f"/runs/{run}")
        return found if found["status"] in ENDED else None

    return until(look, what=f"the run {run} to end")


def play(wakil: RunningWakil, playbook: str, **inputs: Any) -> dict[str, Any]:
    return ended(wakil, start(wakil, playbook, **inputs)["id"])


def steps_of(run: dict[str, Any], phase: str = "steps") -> list[dict[str, Any]]:
    return [step for step in run["steps"] if step["phase"] == phase]


def words(run: dict[str, Any], phase: str = "steps") -> list[tuple[str, str]]:
    return [(step["name"], step["status"]) for step in steps_of(run, phase)]


def lines(place: Path, suffix: str) -> list[str]:
    found = place / f"log{suffix}"
    return found.read_text().splitlines() if found.exists() else []


def post_disk(wakil: RunningWakil, mount: str, used: float) -> None:
    wakil.post("/facts", {"kind": "disk", "data": {"mount": mount, "used_percent": used}})


def run_of_rule(wakil: RunningWakil, rule: str, wanted: Callable[[Any], bool]) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        found = [run for run in wakil.get("/runs")["items"] if run["rule"] == rule]
        return found[0] if found and wanted(found[0]) else None

    return until(look, what=f"a run of {rule}")


def question(wakil: RunningWakil, run: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        found = wakil.get("/approvals", status="waiting")["items"]
        return next((each for each in found if each["run"] == run), None)

    return until(look, what=f"a question of {run}")


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


# ── modes ─────────────────────────────────────────────────────────────────────────────────────


def test_observe_records_what_would_have_run(wakil: RunningWakil, place: Path) -> None:
    post_disk(wakil, "/watched", 95)
    run = run_of_rule(wakil, "disks/watched", lambda run: run["ended"])
    assert run["status"] == "observed"
    assert words(run) == [("Write", "skipped")]
    assert run["inputs"] == {"word": "watched"}
    by_hand = play(wakil, "observed-only")
    assert by_hand["status"] == "observed"
    assert "watched" not in lines(place, "")
    assert "observed" not in lines(place, "")


def test_approve_asks_each_time_and_the_strictest_holds(wakil: RunningWakil, place: Path) -> None:
    post_disk(wakil, "/approved", 95)
    run = run_of_rule(wakil, "disks/approved", lambda run: run["status"] == "waiting")
    asked = question(wakil, run["id"])
    assert asked["step"] == "run"
    assert "approved" not in lines(place, "")
    assert wakil.command("approve", run["id"]).returncode == 0
    until(lambda: "approved" in lines(place, ""), what="the approved run")
    post_disk(wakil, "/approved", 10)
    assert ended(wakil, run["id"])["status"] == "succeeded"
    post_disk(wakil, "/both", 95)
    both = run_of_rule(wakil, "disks/both", lambda run: run["ended"])
    assert both["status"] == "observed"
    asking = start(wakil, "approved-only")
    question(wakil, asking["id"])
    wakil.command("reject", asking["id"])
    assert ended(wakil, asking["id"])["status"] == "refused"
    assert "by-hand" not in lines(place, "")


# ── limits ────────────────────────────────────────────────────────────────────────────────────


def test_concurrency_queues_one_and_refuses_the_next(wakil: RunningWakil, place: Path) -> None:
    go = str(place / "go")
    first = start(wakil, "queues", go=go)
    until(lambda: Path(f"{go}.begun").exists(), what="the first run")
    second, third = start(wakil, "queues", go=go), start(wakil, "queues", go=go)
    assert second["status"] == "queued"
    assert third["status"] == "refused"
    assert "waiting" in third["error"]
    other = start(wakil, "queues", go=str(place / "go2"))
    until(lambda: Path(f"{place}/go2.begun").exists(), what="another key's run")
    assert wakil.get(f"/runs/{second['id']}")["status"] == "queued"
    Path(go).touch()
    (place / "go2").touch()
    for run in (first, second, other):
        assert ended(wakil, run["id"])["status"] == "succeeded"


def test_runs_in_a_period_refuse(wakil: RunningWakil) -> None:
    assert [play(wakil, "seldom")["status"] for _ in range(3)] == [
        "succeeded", "succeeded", "refused",
    ]  # fmt: skip
    refused = wakil.command("play", "seldom")
    assert refused.returncode == 1
    assert "refused" in refused.stdout


# ── dry run ───────────────────────────────────────────────────────────────────────────────────


def test_a_dry_run_does_and_records_nothing(wakil: RunningWakil, place: Path) -> None:
    before = wakil.get("/runs", limit=1000)["items"]
    shown = wakil.command("play", "writes", "--with", "word=dry", "--dry-run")
    assert shown.returncode == 0, shown.stderr
    plan = json.loads(shown.stdout)
    assert plan["playbook"] == "writes"
    assert plan["guard"]["answer"] == "allow"
    assert [step["uses"] for step in plan["steps"]] == ["command.run"]
    assert plan["steps"][0]["inputs"]["argv"][-1] == "dry"
    assert wakil.get("/runs", limit=1000)["items"] == before
    assert "dry" not in lines(place, "")
    wrong = wakil.command("play", "writes", "--dry-run")
    assert wrong.returncode == 1
    assert "word" in wrong.stderr


# ── the actions of first light ────────────────────────────────────────────────────────────────


def test_terminating_a_process_is_asked_about_first(wakil: RunningWakil) -> None:
    victim = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        run = start(wakil, "ends", pid=victim.pid)
        asked = question(wakil, run["id"])
        assert "cannot be undone" in asked["message"]
        assert victim.poll() is None
        assert wakil.command("approve", asked["id"]).returncode == 0
        assert ended(wakil, run["id"])["status"] == "succeeded"
        assert victim.wait(10) == -signal.SIGTERM
    finally:
        victim.kill()
        victim.wait()


def _old_files(folder: Path) -> list[Path]:
    folder.mkdir(exist_ok=True)
    files = [folder / "a.gz", folder / "b.gz"]
    for file in files:
        file.write_bytes(b"x" * 5000)
        os.utime(file, (1_000_000_000, 1_000_000_000))
    (folder / "young.gz").write_bytes(b"young")
    (folder / "old.txt").write_bytes(b"text")
    os.utime(folder / "old.txt", (1_000_000_000, 1_000_000_000))
    return files


def test_pruning_moves_to_the_trash_and_restoring_brings_back(
    wakil: RunningWakil, place: Path
) -> None:
    folder = place / "logs"
    files = _old_files(folder)
    done = play(wakil, "prunes", path=str(folder))
    assert done["status"] == "succeeded", done["error"]
    outputs = steps_of(done)[0]["outputs"]
    assert outputs["count"] == 2
    assert outputs["freed_bytes"] >= 10_000
    assert Path(outputs["trash"]).is_dir()
    assert sorted(path.name for path in folder.glob("*.*")) == ["old.txt", "young.gz"]
    _old_files(folder)
    done = play(wakil, "prunes", path=str(folder), fail=True)
    assert done["status"] == "failed"
    assert words(done)[0] == ("Prune", "rolled_back")
    assert all(file.read_bytes() == b"x" * 5000 for file in files)


def test_the_journal_where_there_is_none(wakil: RunningWakil) -> None:
    done = play(wakil, "vacuums")
    if done["status"] == "succeeded":
        assert "freed_bytes" in steps_of(done)[0]["outputs"]
    else:
        assert done["status"] == "failed"
        assert "journal" in done["error"]


def test_commands_and_messages(wakil: RunningWakil) -> None:
    done = play(wakil, "elsewhere")
    assert steps_of(done)[0]["outputs"]["stdout"] == "/usr\n"
    assert play(wakil, "tells", text="hello there")["status"] == "succeeded"
    assert "hello there" in wakil.log.read_text()


def test_only_declared_services_are_restarted(wakil: RunningWakil) -> None:
    done = play(wakil, "stranger", name="sshd")
    assert done["status"] in ("failed", "refused")
    assert "sshd" in done["error"]


# ── the switch ────────────────────────────────────────────────────────────────────────────────


def test_paused_holds_runs_and_resume_lets_them_go(wakil: RunningWakil, place: Path) -> None:
    with wakil.client() as client:
        answer = client.post("/api/v1/system/pause", json={"reason": "trying"})
    assert answer.status_code == 200
    assert answer.json()["paused"] is True
    held = start(wakil, "writes", word="held")
    assert held["status"] == "queued"
    status = wakil.get("/system/status")["automation"]
    assert (status["paused"], status["reason"]) == (True, "trying")
    assert wakil.get(f"/runs/{held['id']}")["started"] is None
    assert wakil.post("/system/resume")["paused"] is False
    assert ended(wakil, held["id"])["status"] == "succeeded"
    assert "held" in lines(place, "")
