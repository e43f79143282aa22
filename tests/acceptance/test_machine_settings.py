"""What the machine's settings allow and content asks for: services, declared commands, modes."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.wakil import RunningWakil, until, write_files

ENDED = {"succeeded", "failed", "refused", "unknown", "observed"}
WORKER = """#!/bin/sh
echo $$ > {pid}
exec sleep 1000
"""
MACHINE = """
server: {{host_name: box}}
mode_ceiling: approve
actions:
  allow: [service.*, command.run, process.terminate]
  paths: [{place}]
  commands:
    - {{name: greet, argv: [/bin/echo, hello, "{{who}}"], params: {{who: "[a-z]{{3,9}}"}}}}
    - {{name: start-worker, argv: [{place}/worker]}}
    - {{name: wipe, argv: [/bin/echo, wiped], destructive: true}}
"""
GUARD = """
name: gate
rules:
  - name: frozen
    when: run.playbook == "frozen"
    then: [{deny: true, reason: a freeze is on}]
  - name: two-people
    when: run.playbook == "grave"
    then: [{ask: {role: admin, timeout: 1h}, reason: it is grave}]
"""
SERVICE = """
name: {word}-it
inputs: {{name: {{type: string, required: true}}}}
steps: [{{name: Do, uses: service.{word}, with: {{name: "{{{{ inputs.name }}}}"}}}}]
"""
PLAYBOOKS = {
    "greets": """
inputs: {who: {type: string, required: true}}
steps: [{name: Greet, id: greet, uses: command.run,
         with: {command: greet, params: {who: "{{ inputs.who }}"}}}]
""",
    "wipes": "steps: [{name: Wipe, uses: command.run, with: {command: wipe}}]",
    "unknown-command": "steps: [{name: Do, uses: command.run, with: {command: nothing}}]",
    "anything": "steps: [{name: Do, uses: command.run, with: {argv: [/bin/true]}}]",
    "prunes": """
inputs: {path: {type: string, required: true}}
steps: [{name: Prune, uses: files.prune,
         with: {path: "{{ inputs.path }}", pattern: "*", older_than: 1d}}]
""",
    "frozen": "steps: [{name: Greet, uses: command.run, with: {command: greet}}]",
    "grave": """
steps: [{name: Greet, uses: command.run, with: {command: greet, params: {who: bob}}}]
""",
}
RULES = """
name: services
rules:
  - name: down
    when: service.state == "stopped"
    then: [{run: start-it, with: {name: "{{ service.name }}"}}]
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("machine")


@pytest.fixture(scope="module")
def wakil(place: Path) -> Iterator[RunningWakil]:
    program = place / "worker"
    program.write_text(WORKER.format(pid=place / "worker.pid"))
    program.chmod(0o755)
    worker = {
        "name": "worker",
        "manager": "pidfile",
        "pid_file": str(place / "worker.pid"),
        "start": [str(program)],
    }
    agents: dict[str, Any] = {
        "apps": {"every": "1s", "services": [worker]},
        "performance": {"enabled": False},
        "logs": {"enabled": False},
    }
    content = write_files(
        place / "content",
        {
            "policies/gate.yaml": GUARD,
            "policies/services.yaml": RULES,
            "configs/agents.yaml": json.dumps({"agents": agents}),
            "configs/wakil.yaml": "automation: {mode: auto}\n",
            **{
                f"playbooks/{word}-it.yaml": SERVICE.format(word=word)
                for word in ("start", "stop", "restart")
            },
            **{
                f"playbooks/{name}.yaml": f"name: {name}\n{text.lstrip()}\n"
                for name, text in PLAYBOOKS.items()
            },
        },
    )
    config = place / "machine.yaml"
    config.write_text(MACHINE.format(place=place))
    with RunningWakil(content, place / "data", "--config", str(config)) as running:
        yield running
    pid = _pid(place)
    if pid:
        _kill(pid)


def _pid(place: Path) -> int:
    try:
        return int((place / "worker.pid").read_text())
    except (OSError, ValueError):
        return 0


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return pid > 0 and stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def start(wakil: RunningWakil, playbook: str, **inputs: Any) -> str:
    return str(wakil.post(f"/playbooks/{playbook}/run", {"inputs": inputs})["id"])


def ended(wakil: RunningWakil, run: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        found: dict[str, Any] = wakil.get(f"/runs/{run}")
        return found if found["status"] in ENDED else None

    return until(look, what=f"the run {run} to end")


def approved(wakil: RunningWakil, run: str) -> dict[str, Any]:
    """How it ended after a person agreed."""
    asked = question(wakil, run)
    wakil.post(f"/approvals/{asked['id']}/approve", {"digest": asked["digest"]})
    return ended(wakil, run)


def question(wakil: RunningWakil, run: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        found = wakil.get("/approvals", status="waiting")["items"]
        return next((each for each in found if each["run"] == run), None)

    return until(look, what=f"a question of {run}")


def test_a_rule_asks_under_the_machine_s_ceiling_and_services_obey(
    wakil: RunningWakil, place: Path
) -> None:
    """Content says auto, the machine allows no more than approve."""
    assert wakil.get("/system/status")["automation"]["mode"] == "approve"
    run = until(lambda: wakil.get("/runs", playbook="start-it")["items"], what="the rule's run")[0]
    question(wakil, run["id"])
    assert run["rule"] == "services/down"
    assert _pid(place) == 0
    assert approved(wakil, run["id"])["status"] == "succeeded"
    first = _pid(place)
    assert _alive(first)
    # Each time, whoever asks for it.
    assert approved(wakil, start(wakil, "restart-it", name="worker"))["status"] == "succeeded"
    second = _pid(place)
    assert second != first
    assert _alive(second)
    assert not _alive(first)
    assert approved(wakil, start(wakil, "stop-it", name="worker"))["status"] == "succeeded"
    assert not _alive(second)
    for name in ("sshd", "../worker", "--help"):
        refused = approved(wakil, start(wakil, "restart-it", name=name))
        assert refused["status"] == "failed"
        assert name in refused["error"]


def test_declared_commands_take_one_value_of_their_pattern(wakil: RunningWakil) -> None:
    good = approved(wakil, start(wakil, "greets", who="alice"))
    assert good["status"] == "succeeded", good
    assert good["steps"][-1]["outputs"]["stdout"] == "hello alice\n"
    for hostile in ("--help", "a b", "al;ice", "alice\n", "$(id)", "", "ALICE", "x" * 10):
        refused = approved(wakil, start(wakil, "greets", who=hostile))
        assert refused["status"] == "failed", hostile
        assert "who" in refused["error"]
    for name in ("unknown-command", "anything"):
        assert approved(wakil, start(wakil, name))["status"] == "failed"


def test_what_is_not_allowed_is_not_done(wakil: RunningWakil, place: Path) -> None:
    folder = place / "old"
    folder.mkdir()
    old = folder / "old.log"
    old.write_text("old")
    os.utime(old, (1_000_000_000, 1_000_000_000))
    refused = approved(wakil, start(wakil, "prunes", path=str(folder)))
    assert refused["status"] == "failed"
    assert "files.prune" in refused["error"]
    assert old.exists()


def test_the_shipped_guard_asks_before_what_is_declared_destructive(wakil: RunningWakil) -> None:
    run = start(wakil, "wipes")
    asked = question(wakil, run)
    assert "this cannot be undone" in asked["message"]
    assert asked["role"] == "operator"
    wakil.post(f"/approvals/{asked['id']}/approve", {"digest": asked["digest"]})
    done = ended(wakil, run)
    assert done["status"] == "succeeded"
    # Asked once: what was shown with the run is not asked again at the step.
    assert len(done["approvals"]) == 1


def test_rules_govern_what_wakil_does_itself(wakil: RunningWakil) -> None:
    frozen = ended(wakil, start(wakil, "frozen"))
    assert frozen["status"] == "refused"
    assert "a freeze is on" in frozen["error"]
    assert frozen["started"] is None
    assert frozen["steps"] == []
    grave = start(wakil, "grave")
    asked = question(wakil, grave)
    assert (asked["role"], "it is grave" in asked["message"]) == ("admin", True)
    wakil.post(f"/approvals/{asked['id']}/reject", {"digest": asked["digest"]})
    assert ended(wakil, grave)["status"] == "refused"
    verdicts = wakil.get("/decisions", rule="gate/frozen")["items"]
    assert [(each["decision"], each["data"]["reason"]) for each in verdicts] == [
        ("deny", "a freeze is on")
    ]
