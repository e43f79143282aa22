"""`kill -9` in the middle of a step: nothing is blindly done again, nothing asked is forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.wakil import RunningWakil, until, write_files

ENDED = {"succeeded", "failed", "refused", "unknown", "observed"}
CUT = """
name: {name}
steps:
  - name: Before
    uses: command.run
    with: {{argv: [/bin/sh, -c, "echo before >> {log}"]}}
    rollback: {{uses: command.run, with: {{argv: [/bin/sh, -c, "echo undo >> {log}"]}}}}
  - name: Cut
    uses: command.run
    with:
      argv: [/bin/sh, -c, "echo cut >> {log}; until test -e {go}; do sleep 0.05; done"]
{more}
  - {{name: After, uses: command.run, with: {{argv: [/bin/sh, -c, "echo after >> {log}"]}}}}
"""
ASKS = """
name: asks
steps: [{ask: {role: operator, timeout: 1h, message: "Go on?"}}]
"""
WAYS = {
    "asked-again": "",
    "given-up": "",
    "fails": "    on_interrupt: fail",
    "retries": "    on_interrupt: retry",
    "harmless": "    idempotent: true",
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("interrupted")


@pytest.fixture(scope="module")
def killed(place: Path) -> Iterator[tuple[RunningWakil, dict[str, str]]]:
    """Wakil after `kill -9` with every run in the middle of its step; their ids."""
    off = "".join(f"  {name}: {{enabled: false}}\n" for name in ("performance", "apps", "logs"))
    files = {
        "playbooks/asks.yaml": ASKS,
        "policies/none.yaml": "name: none\nrules: []\n",
        "configs/agents.yaml": f"agents:\n{off}",
        "configs/wakil.yaml": "server: {host_name: box}\n",
    }
    for name, more in WAYS.items():
        log, go = place / f"{name}.log", place / "go"
        files[f"playbooks/{name}.yaml"] = CUT.format(name=name, log=log, go=go, more=more)
    wakil = RunningWakil(write_files(place / "content", files), place / "data").start()
    try:
        runs = {name: start(wakil, name) for name in (*WAYS, "asks")}
        for name in WAYS:
            until(lambda name=name: lines(place, name) == ["before", "cut"], what=name)
        until(lambda: show(wakil, runs["asks"])["status"] == "waiting", what="the question")
        wakil.post("/system/pause", {"reason": "before the cut"})
        runs["held"] = start(wakil, "asks")
        wakil.kill()
        wakil.start()
        yield wakil, runs
    finally:
        (place / "go").touch()
        wakil.stop()


def start(wakil: RunningWakil, playbook: str) -> str:
    return str(wakil.post(f"/playbooks/{playbook}/run", {"inputs": {}})["id"])


def show(wakil: RunningWakil, run: str) -> dict[str, Any]:
    found: dict[str, Any] = wakil.get(f"/runs/{run}")
    return found


def lines(place: Path, name: str) -> list[str]:
    file = place / f"{name}.log"
    return file.read_text().split() if file.exists() else []


def ended(wakil: RunningWakil, run: str) -> dict[str, Any]:
    return until(
        lambda: found if (found := show(wakil, run))["status"] in ENDED else None,
        what=f"the run {run} to end",
    )


def questions(wakil: RunningWakil) -> dict[str, dict[str, Any]]:
    return {each["run"]: each for each in wakil.get("/approvals", status="waiting")["items"]}


def test_what_was_cut_off_goes_by_its_word(
    killed: tuple[RunningWakil, dict[str, str]], place: Path
) -> None:
    wakil, runs = killed
    automation = wakil.get("/system/status")["automation"]
    assert (automation["paused"], automation["reason"]) == (True, "before the cut")
    assert show(wakil, runs["held"])["status"] == "queued"
    # Paused still: nothing that begins an act goes on, and the question stands.
    assert runs["asks"] in questions(wakil)
    assert all(lines(place, name) == ["before", "cut"] for name in WAYS)
    wakil.post("/system/resume")
    (place / "go").touch()

    assert ended(wakil, runs["fails"])["status"] == "failed"
    assert lines(place, "fails") == ["before", "cut", "undo"]
    assert ended(wakil, runs["retries"])["status"] == "succeeded"
    assert lines(place, "retries") == ["before", "cut", "cut", "after"]
    assert ended(wakil, runs["harmless"])["status"] == "succeeded"
    assert lines(place, "harmless") == ["before", "cut", "cut", "after"]

    asked = until(
        lambda: (
            found
            if {runs["asked-again"], runs["given-up"]} <= set(found := questions(wakil))
            else None
        ),
        what="the questions",
    )
    again = asked[runs["asked-again"]]
    assert "Cut on box" in again["message"]
    assert "Do it again?" in again["message"]
    assert wakil.command("approve", again["id"]).returncode == 0
    assert ended(wakil, runs["asked-again"])["status"] == "succeeded"
    assert lines(place, "asked-again") == ["before", "cut", "cut", "after"]

    assert wakil.command("reject", runs["given-up"]).returncode == 0
    given_up = ended(wakil, runs["given-up"])
    assert given_up["status"] == "unknown"
    assert "Cut" in given_up["error"]
    assert lines(place, "given-up") == ["before", "cut", "undo"]
    alerts = until(
        lambda: [
            each
            for each in wakil.get("/alerts", status="open")["items"]
            if each["key"].get("playbook") == "given-up"
        ],
        what="the alert",
    )
    assert [(each["ruleset"], each["rule"]) for each in alerts] == [("wakil", "run-failed")]

    for name in ("asks", "held"):
        until(lambda name=name: runs[name] in questions(wakil), what=f"the question of {name}")
        assert wakil.command("approve", runs[name]).returncode == 0
        assert ended(wakil, runs[name])["status"] == "succeeded"
