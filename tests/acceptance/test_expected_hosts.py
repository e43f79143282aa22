"""A host that hosts.yaml expects is silent until it reports; labels and vars are the server's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from support.wakil import RunningWakil, until, write_files

OFF = "agents: {performance: {enabled: false}, apps: {enabled: false}, logs: {enabled: false}}\n"
RULES = """
name: hosts
vars: {full: 90}
rules:
  - {name: silent, when: agent.state == "silent", then: [{alert: "{{ host }} never reported"}]}
  - name: full
    when: disk.used_percent >= vars.full and labels.role == "web"
    then: [{alert: "{{ host }} of {{ labels.site }}"}]
"""
HOSTS = """
hosts:
  - {match: "web-*", labels: {role: web, site: ruh}, vars: {full: 95}}
  - {name: web-2, labels: {site: jed}, vars: {full: 80}}
  - {name: db-1, labels: {role: db}, expected: true}
  - {name: db-2, expected: true}
"""


def _alerts(wakil: RunningWakil, status: str, rule: str) -> list[str]:
    items: list[dict[str, Any]] = wakil.get("/alerts", status=status)["items"]
    return sorted(each["text"] for each in items if each["rule"] == rule)


def test_hosts(tmp_path: Path) -> None:
    content = write_files(
        tmp_path / "content",
        {
            "policies/hosts.yaml": RULES,
            "configs/hosts.yaml": HOSTS,
            "configs/agents.yaml": OFF,
            "configs/wakil.yaml": "server: {host_name: box}\n",
        },
    )
    both = ["db-1 never reported", "db-2 never reported"]
    with RunningWakil(content, tmp_path / "data") as wakil:
        until(lambda: _alerts(wakil, "open", "silent") == both, what="both alerts")
        assert "db-1" not in [host["name"] for host in wakil.get("/system/status")["hosts"]]
        wakil.post("/facts", {"kind": "auth", "host": "db-1", "data": {"service": "sshd"}})
        until(lambda: _alerts(wakil, "open", "silent") == both[1:], what="db-1 to have reported")
        assert wakil.stop() == 0
        wakil.start()
        assert _alerts(wakil, "open", "silent") == both[1:]
        (content / "configs" / "hosts.yaml").write_text(HOSTS.split("  - {name: db-2")[0])
        until(lambda: _alerts(wakil, "open", "silent") == [], what="db-2 to be forgotten")

        used = {"web-1": 94, "web-2": 81, "web-3": 95, "db-1": 99}
        wakil.post(
            "/facts",
            [
                {"kind": "disk", "host": host, "data": {"mount": "/", "used_percent": percent}}
                for host, percent in used.items()
            ],
        )
        assert _alerts(wakil, "open", "full") == ["web-2 of jed", "web-3 of ruh"]
