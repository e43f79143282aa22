"""The main job end to end, by the real program: fact, rule, decision, run, verified."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.wakil import RunningWakil, until, write_files

WORKER = """#!/bin/sh
echo $$ > {pid}
exec sleep 1000
"""
RULES = """
name: services
rules:
  - name: service-down
    when: service.state in ["stopped", "failed"]
    severity: critical
    then:
      - alert: "{{ service.name }} on {{ host }} is {{ service.state }}"
      - run: restart-service
        with: {name: "{{ service.name }}"}
"""
PLAYBOOK = """
name: restart-service
inputs: {name: {type: string, required: true}}
steps:
  - {name: Restart, uses: service.restart, with: {name: "{{ inputs.name }}"}}
verify: {that: service.state == "running", within: 30s}
"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[RunningWakil]:
    pid_file = tmp_path / "worker.pid"
    program = tmp_path / "worker"
    program.write_text(WORKER.format(pid=pid_file))
    program.chmod(0o755)
    agents = {
        "apps": {
            "every": "1s",
            "services": [
                {
                    "name": "worker",
                    "manager": "pidfile",
                    "pid_file": str(pid_file),
                    "start": [str(program)],
                }
            ],
        },
        "logs": {"enabled": False},
    }
    content = write_files(
        tmp_path / "content",
        {
            "policies/services.yaml": RULES,
            "playbooks/restart-service.yaml": PLAYBOOK,
            "configs/agents.yaml": json.dumps({"agents": agents}),
            "configs/wakil.yaml": "server: {host_name: box}\n",
        },
    )
    with RunningWakil(content, tmp_path / "data") as wakil:
        yield wakil
    if pid_file.exists():
        _kill(pid_file)


def _kill(pid_file: Path) -> int:
    pid = int(pid_file.read_text())
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return pid
    return pid


def test_a_killed_service_comes_back_and_the_story_is_told(
    site: RunningWakil, tmp_path: Path
) -> None:
    pid_file = tmp_path / "worker.pid"
    # It was never started: that is the first fault, healed by itself.
    first = until(lambda: _ended(site, 1), what="the first run")
    assert [run["status"] for run in first] == ["succeeded"]
    before = _kill(pid_file)
    runs = until(lambda: _ended(site, 2), what="the second run")
    assert [run["status"] for run in runs] == ["succeeded", "succeeded"]
    assert int(pid_file.read_text()) != before
    alerts = until(lambda: _resolved(site, 2), what="the alerts to resolve")
    assert {alert["rule"] for alert in alerts} == {"service-down"}

    story = site.command("explain", runs[0]["id"])
    assert story.returncode == 0, story.stderr
    for word in ("fact", "condition", "decision", "run", "Restart", "Verify", "verified"):
        assert word in story.stdout
    assert "policies/services.yaml:5" in story.stdout


def test_a_mistake_in_content_never_replaces_what_works(site: RunningWakil) -> None:
    rules = site.content / "policies" / "services.yaml"
    before = site.get("/content")
    rules.write_text(RULES.replace("service.state in", "service.stat in"))
    broken = until(lambda: _with_problems(site, present=True), what="the problem")
    assert broken["commit"] == before["commit"]
    problem = broken["problems"][0]
    assert (problem["file"], problem["line"]) == ("policies/services.yaml", 5)
    assert "did you mean 'state'" in problem["message"]
    rules.write_text(RULES.replace("critical", "warning"))
    mended = until(lambda: _with_problems(site, present=False), what="the mended content")
    assert mended["commit"] != before["commit"]


def test_paused_means_nothing_begins(site: RunningWakil, tmp_path: Path) -> None:
    until(lambda: _ended(site, 1), what="the first run")
    assert site.command("pause", "--reason", "trying it").returncode == 0
    _kill(tmp_path / "worker.pid")
    held = until(
        lambda: [run for run in site.get("/runs")["items"] if run["status"] == "queued"],
        what="a held run",
    )
    assert held[0]["started"] is None
    assert site.command("resume").returncode == 0
    runs = until(lambda: _ended(site, 2), what="the held run to end")
    assert [run["status"] for run in runs] == ["succeeded", "succeeded"]


def _ended(site: RunningWakil, count: int) -> list[dict[str, object]]:
    ended = [run for run in site.get("/runs")["items"] if run["ended"]]
    return ended if len(ended) >= count else []


def _resolved(site: RunningWakil, count: int) -> list[dict[str, object]]:
    alerts = site.get("/alerts", status="resolved")["items"]
    return alerts if len(alerts) >= count else []


def _with_problems(site: RunningWakil, *, present: bool) -> dict[str, list[dict[str, object]]]:
    content = site.get("/content")
    return content if bool(content["problems"]) is present else {}
