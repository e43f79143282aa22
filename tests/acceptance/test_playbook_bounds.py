"""What bounds a run: modes, limits, the switch, dry runs; and the actions of first light."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

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
