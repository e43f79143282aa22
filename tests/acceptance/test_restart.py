"""`kill -9` of Wakil: what was open stands, what was counting goes on, what ran is finished."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from support.wakil import RunningWakil, until, write_files

from engine.core.values import SECOND, parse_instant

RULES = """
name: disks
rules:
  - name: full
    when: disk.mount == "/a" and disk.used_percent > 90
    then: [{alert: "{{ disk.mount }} is full"}]
  - name: slowly
    when: disk.mount == "/b" and disk.used_percent > 90
    for: 12s
    then: [{alert: "{{ disk.mount }} stays full"}]
  - name: works
    when: disk.mount == "/c" and disk.used_percent > 90
    then: [{run: long}]
"""
STEP = """
  - {{name: Step {n}, idempotent: true, uses: command.run,
     with: {{argv: [/bin/sh, -c, "echo {n} >> {log}; sleep 0.3"]}}}}"""


def test_nothing_is_raised_twice_nothing_is_lost(tmp_path: Path) -> None:
    log = tmp_path / "steps.log"
    steps = "".join(STEP.format(n=n, log=log) for n in range(10))
    off = "".join(f"  {name}: {{enabled: false}}\n" for name in ("performance", "apps", "logs"))
    content = write_files(
        tmp_path / "content",
        {
            "policies/disks.yaml": RULES,
            "playbooks/long.yaml": (
                f"name: long\nsteps:{steps}\nverify: {{that: disk.used_percent > 90, within: 1s}}\n"
            ),
            "configs/agents.yaml": f"agents:\n{off}",
            "configs/wakil.yaml": "server: {host_name: box}\n",
        },
    )
    wakil = RunningWakil(content, tmp_path / "data").start()
    try:
        for mount in ("/a", "/b", "/c"):
            wakil.post("/facts", {"kind": "disk", "data": {"mount": mount, "used_percent": 95}})
        until(lambda: log.exists() and len(log.read_text().split()) >= 3, what="three steps")
        alert = wakil.get("/alerts", status="open")["items"]
        assert [each["rule"] for each in alert] == ["full"]
        wakil.kill()
        wakil.start()

        assert [each["id"] for each in wakil.get("/alerts", status="open")["items"]][-1:] == [
            alert[0]["id"]
        ]
        run = until(lambda: _ended(wakil), what="the run to end")
        done = [step for step in run["steps"] if step["phase"] == "steps"]
        assert {step["status"] for step in done} <= {"succeeded", "unknown", "failed"}
        assert {step["path"] for step in done} == {f"steps.{n}" for n in range(10)}
        # Each step once, but for the one that was under way, which its author called idempotent.
        written = log.read_text().split()
        assert sorted(set(written), key=int) == [str(n) for n in range(10)]
        assert len(written) <= 11

        slowly = until(lambda: _decisions(wakil, "slowly"), what="the rule with for")
        fact = slowly[0]["because"][0]["fact"]
        fired, seen, again = (
            parse_instant(text) or 0
            for text in (slowly[0]["at"], fact["at"], wakil.get("/system/status")["started"])
        )
        # Counted from the fact, not begun anew at the restart.
        assert seen + 12 * SECOND <= fired < again + 12 * SECOND
        assert len(_decisions(wakil, "full")) == 1
        assert len(_decisions(wakil, "works")) == 1
    finally:
        wakil.stop()


def _ended(wakil: RunningWakil) -> dict[str, Any]:
    runs = wakil.get("/runs", playbook="long")["items"]
    assert len(runs) == 1
    return runs[0] if runs[0]["ended"] else {}


def _decisions(wakil: RunningWakil, rule: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = wakil.get("/decisions", rule=rule)["items"]
    return [each for each in found if each["decision"] in ("alert", "run")]
