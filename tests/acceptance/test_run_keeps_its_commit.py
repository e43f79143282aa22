"""Content that changes under a run: the run goes on as it began; what is withdrawn resolves."""

from __future__ import annotations

from pathlib import Path

from support.wakil import RunningWakil, until, write_files

OFF = "agents: {performance: {enabled: false}, apps: {enabled: false}, logs: {enabled: false}}\n"
RULES = """
name: disks
rules:
  - name: full
    when: disk.used_percent > 90
    then: [{alert: full}, {run: careful}]
  - {name: other, when: disk.used_percent > 90, then: [{alert: other}]}
"""
CAREFUL = """
name: careful
steps:
  - {{name: Ask, ask: {{role: operator, timeout: 1h, message: "Go on?"}}}}
  - {{name: Say, id: say, uses: command.run, with: {{argv: [/bin/echo, {word}]}}}}
verify: {{that: disk.used_percent > 90, within: 1m}}
"""


def test_a_run_keeps_the_commit_it_began_under(tmp_path: Path) -> None:
    content = write_files(
        tmp_path / "content",
        {
            "policies/disks.yaml": RULES,
            "playbooks/careful.yaml": CAREFUL.format(word="first"),
            "configs/agents.yaml": OFF,
            "configs/wakil.yaml": "server: {host_name: box}\n",
        },
    )
    with RunningWakil(content, tmp_path / "data") as wakil:
        fact = {"kind": "disk", "data": {"mount": "/", "used_percent": 95}}
        wakil.post("/facts", fact)
        run = until(lambda: wakil.get("/runs", status="waiting")["items"], what="the run")[0]
        began = wakil.get("/content")["commit"]
        assert run["commit"] == began

        write_files(
            content,
            {
                "playbooks/careful.yaml": CAREFUL.format(word="second"),
                "policies/disks.yaml": RULES.split("  - {name: other")[0],
            },
        )
        until(lambda: wakil.get("/content")["commit"] != began, what="the new content")
        # Unchanged, its firing stands and starts nothing anew; what was removed is withdrawn.
        withdrawn = until(
            lambda: wakil.get("/alerts", status="resolved")["items"], what="the withdrawn alert"
        )
        assert [(each["rule"], each["resolved_reason"]) for each in withdrawn] == [
            ("other", "withdrawn")
        ]
        assert [each["rule"] for each in wakil.get("/alerts", status="open")["items"]] == ["full"]
        assert [each["id"] for each in wakil.get("/runs")["items"]] == [run["id"]]

        assert wakil.stop() == 0
        wakil.start()
        assert wakil.get("/alerts", status="open")["items"][0]["rule"] == "full"
        assert wakil.command("approve", run["id"]).returncode == 0
        until(
            lambda: [s for s in wakil.get(f"/runs/{run['id']}")["steps"] if s["path"] == "verify"],
            what="verification",
        )
        wakil.post("/facts", fact)
        until(
            lambda: wakil.get(f"/runs/{run['id']}")["status"] == "succeeded", what="the run to end"
        )
        done = wakil.get(f"/runs/{run['id']}")
        assert done["commit"] == began
        said = next(step for step in done["steps"] if step["name"] == "Say")
        assert said["outputs"]["stdout"] == "first\n"

        decided = wakil.get("/decisions", rule="full")["items"]
        assert [each["decision"] for each in decided] == ["run", "alert"]
