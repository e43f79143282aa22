"""The content repository that `wakil init` makes."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

from engine.core.errors import ContentError

FILES: Final[dict[str, str]] = {
    "README.md": """\
# What Wakil does here

- `policies/` rules: what to decide when. Tests beside them in `policies/tests/`.
- `playbooks/` what to do about it.
- `configs/` which services to watch, hosts, calendars, settings.

The shipped rules and playbooks apply too (`content.defaults` in `configs/wakil.yaml`).

    wakil check      # every mistake with file, line and column
    wakil test       # the rule tests
    wakil run        # start; saved files go live by themselves
""",
    ".gitignore": "var/\n",
    "configs/wakil.yaml": """\
content: {defaults: true}
timezone: UTC
# observe: record what would have run · approve: ask each time · auto: act within policy
automation: {mode: auto}
""",
    "configs/agents.yaml": """\
# Services declared here are watched, and are the only ones that a playbook may restart:
#   - {name: nginx, manager: systemd}
#   - {name: worker, manager: pidfile, pid_file: /run/worker.pid, start: [/opt/worker, --daemon]}
#   - {name: shop, manager: http, url: "http://127.0.0.1:8080/health", expect: 200}
agents:
  performance: {every: 5s}
  logs: {every: 1s, files: ["/var/log/*.log"], journal: true}
  apps:
    every: 5s
    services: []
""",
    "policies/site.yaml": """\
name: site
description: Rules of this site.
vars: {crowded: 8}
rules:
  - name: crowded
    when: cpu.load_per_core >= vars.crowded
    for: 10m
    severity: warning
    then: [{alert: "{{ host }} has {{ cpu.load_per_core | round(1) }} processes waiting a core"}]
""",
    "policies/overrides.yaml": """\
# Changes to shipped rules and variables, one by one; updates of the rest still arrive.
override:
  disk: {vars: {full: 90}}
""",
    "policies/tests/site.yaml": """\
ruleset: site
cases:
  - name: ten crowded minutes alert
    facts:
      - {at: 0s, cpu: {load_per_core: 9}}
      - {at: 11m, cpu: {load_per_core: 1}}
    expect:
      - {at: 10m, rule: crowded, alert: true}
      - {at: 11m, rule: crowded, resolved: true}
""",
    "playbooks/.gitkeep": "",
}


def make_content(directory: Path) -> list[str]:
    """Writes the files into a new or empty directory and makes it a git repository.

    Returns their names. Raises ContentError where the directory holds anything.
    """
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise ContentError(f"{directory} is not empty; name a new directory")
    for name, text in FILES.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    _make_repository(directory)
    return list(FILES)


def _make_repository(directory: Path) -> None:
    """Best effort: content works without git, and `wakil check` says nothing of it."""
    arguments = ["git", "-c", "core.hooksPath=/dev/null", "init", "--quiet", str(directory)]
    try:
        subprocess.run(arguments, check=False, capture_output=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return
