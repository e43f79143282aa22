"""The scene that the browser tests open: one approval, three alerts, a verified clean-up."""

from __future__ import annotations

from typing import Any

from .canned import (
    COMMIT,
    NOW,
    JsonObject,
    agent,
    alert,
    at,
    because,
    decision,
    host,
    run,
    step,
)

LOG = """/var/log pattern="*.gz" older_than=7d
found 94 files, 231.4 MiB
trash /var/lib/wakil/trash/r_8kq4
40/94  nginx/access.log.12.gz … nginx/access.log.51.gz
94/94  postgresql/postgresql-14.log.9.gz
"""

RULE = """- name: disk-almost-full
  when: disk.used_percent >= vars.full and disk.mount != "/boot"
  for: 5m
  until: disk.used_percent < 85
  severity: critical
  throttle: 30m
  then:
    - alert: "{{ disk.mount }} on {{ host }} is {{ disk.used_percent | round }} % full"
    - run: disk-cleanup
      with: {mount: "{{ disk.mount }}"}"""

WEB1 = {"host": "web-1", "mount": "/"}
DB2 = {"host": "db-2", "mount": "/var"}


def approval() -> JsonObject:
    return {
        "id": "ap_1",
        "run": "r_8kq4",
        "playbook": "disk-cleanup",
        "step": "steps.2",
        "message": "Grow /var on db-2 by 20 GiB?",
        "role": "operator",
        "digest": "sha256:5d20c1",
        "status": "waiting",
        "created": at(-960),
        "expires": at(2640),
        "requester": "rule:disk/disk-almost-full",
        "count": 1,
        "on_timeout": "deny",
        "answers": [],
    }


def waiting_run() -> JsonObject:
    freed = {"freed_bytes": 432013312}
    steps = [
        step(
            "guard", "guard", "", -1025, -1024.9996, phase="guard", log="allowed by blast-radius\n"
        ),
        step(
            "steps.0",
            "Vacuum the journal",
            "journal.vacuum",
            -1024,
            -986,
            outputs=freed,
            log="freed 412.0 MiB, kept 500 MiB\n",
        ),
        step(
            "steps.1",
            "Prune rotated logs",
            "files.prune",
            -985,
            -961,
            outputs={"files": 94, "freed_bytes": 242642944},
            log=LOG,
        ),
        step(
            "steps.2",
            "Grow /var?",
            "ask",
            -960,
            None,
            status="waiting",
            log="approval asked: role=operator timeout=1h\n",
        ),
    ]
    plan = [
        {
            "path": "steps.0",
            "name": "Vacuum the journal",
            "phase": "steps",
            "uses": "journal.vacuum",
            "destructive": True,
        },
        {
            "path": "steps.1",
            "name": "Prune rotated logs",
            "phase": "steps",
            "uses": "files.prune",
            "destructive": False,
        },
        {
            "path": "steps.2",
            "name": "Grow /var?",
            "phase": "steps",
            "uses": "ask",
            "destructive": False,
        },
        {
            "path": "steps.3",
            "name": "Grow the volume",
            "phase": "steps",
            "uses": "lvm.extend",
            "destructive": True,
        },
        {
            "path": "verify",
            "name": "disk.used_percent < 85",
            "phase": "verify",
            "uses": "",
            "destructive": False,
        },
    ]
    back = [{"path": "steps.1.rollback", "name": "Restore 94 log files", "status": "ready"}]
    return run(
        "r_8kq4",
        "disk-cleanup",
        "waiting",
        -1025,
        None,
        firing="f_db2",
        steps=steps,
        plan=plan,
        approvals=[approval()],
        way_back=back,
    )


def verified_run() -> JsonObject:
    steps = [
        step("guard", "guard", "", -5400, -5399.9996, phase="guard"),
        step(
            "steps.0",
            "Vacuum the journal",
            "journal.vacuum",
            -5400,
            -5362,
            outputs={"freed_bytes": 2040109465},
        ),
        step(
            "steps.1",
            "Prune rotated logs",
            "files.prune",
            -5362,
            -5299,
            outputs={"freed_bytes": 4831838208},
        ),
        step("steps.2", "Ask to grow the volume", "ask", -5299, -5299, status="skipped"),
        step(
            "verify",
            "disk.used_percent < 85",
            "",
            -5299,
            -5251,
            phase="verify",
            outputs={"used_percent": 79.3},
        ),
    ]
    return run(
        "r_71d0",
        "disk-cleanup",
        "succeeded",
        -5400,
        -5251,
        firing="f_3fa91c0e",
        host="web-1",
        steps=steps,
        inputs={"mount": "/"},
        plan=[],
        approvals=[],
        way_back=[{"path": "steps.1.rollback", "name": "Restore log files", "status": "succeeded"}],
    )


def runs() -> list[JsonObject]:
    undone = [
        step(
            "steps.0.rollback",
            "Put the old certificate back",
            "files.restore",
            -2900,
            -2890,
            phase="rollback",
        )
    ]
    return [
        waiting_run(),
        run(
            "r_up",
            "restart-service",
            "succeeded",
            -1300,
            -1295.9,
            firing="f_up",
            host="web-3",
            rule="services/service-down",
            requester="rule:services/service-down",
            inputs={"service": "nginx"},
        ),
        run(
            "r_cert",
            "renew-certificate",
            "failed",
            -2960,
            -2890,
            firing="f_cert",
            host="web-2",
            error="the site did not accept the new certificate",
            steps=undone,
            rule="certs/certificate-old",
        ),
        run(
            "r_held",
            "restart-service",
            "refused",
            -3060,
            -3060,
            firing="f_held",
            host="db-1",
            reasons=["maintenance “PG 17 upgrade” is on"],
            rule="services/service-down",
        ),
        run(
            "r_hand",
            "backup-now",
            "succeeded",
            -3400,
            -3180,
            host="db-1",
            rule=None,
            requester="user:omar",
            inputs={},
        ),
        verified_run(),
    ]


def decisions() -> list[JsonObject]:
    full = "/var on db-2 is 93 % full"
    service = {"host": "web-3", "service": "nginx"}
    return [
        decision("f_db2", "alert", -1025, DB2, text=full, severity="critical", tell=None),
        decision(
            "f_db2", "run", -1025, DB2, playbook="disk-cleanup", **{"with": {"mount": "/var"}}
        ),
        decision("f_up", "run", -1300, service, playbook="restart-service", rule="service-down"),
        decision(
            "f_agent",
            "alert",
            -1560,
            {"host": "web-3"},
            text="Agent certificates on web-3 is silent",
            severity="warning",
            rule="agent-silent",
        ),
        decision(
            "f_cert",
            "run",
            -2960,
            {"host": "web-2"},
            playbook="renew-certificate",
            rule="certificate-old",
        ),
        decision(
            "f_held",
            "run",
            -3060,
            {"host": "db-1", "service": "postgresql"},
            playbook="restart-service",
            rule="service-down",
        ),
        decision(
            "f_3fa91c0e", "alert", -5400, WEB1, text="/ on web-1 is 91 % full", severity="critical"
        ),
        decision(
            "f_3fa91c0e", "run", -5400, WEB1, playbook="disk-cleanup", **{"with": {"mount": "/"}}
        ),
    ]


def alerts() -> list[JsonObject]:
    return [
        alert("al_1", "f_db2", "critical", "/var on db-2 is 93 % full", -1025, runs=["r_8kq4"]),
        alert(
            "al_2",
            "f_agent",
            "warning",
            "Agent certificates on web-3 is silent",
            -960,
            rule="agent-silent",
        ),
        alert("al_3", "f_swap", "warning", "Swap on cache-1 is 82 % used", -540, rule="swap-used"),
        alert(
            "al_4",
            "f_llama",
            "critical",
            "groq_llama fails 29 % of its calls",
            -1560,
            rule="model-failing",
            status="acknowledged",
            acknowledged_by="user:omar",
        ),
        alert(
            "al_5",
            "f_3fa91c0e",
            "critical",
            "/ on web-1 was 91 % full",
            -5400,
            status="resolved",
            resolved=at(-5251),
            resolved_reason="until",
            runs=["r_71d0"],
        ),
    ]


def record() -> JsonObject:
    done = [1, 0, 2, 1, 1, 3, 1, 0, 1, 1, 1, 0, 1, 3, 2, 0, 1, 2, 1, 3, 2, 2, 2, 2]
    hours = [
        {
            "at": at(-86400 + 3600 * hour),
            "succeeded": count,
            "failed": int(hour in (9, 23)),
            "refused": int(hour in (15, 23)),
            "unknown": 0,
            "observed": 0,
            "waiting": int(hour == 23),
        }
        for hour, count in enumerate(done)
    ]
    return {
        "verified": 33,
        "failed": 2,
        "refused": 2,
        "unknown": 0,
        "waiting": 1,
        "observed": 0,
        "hours": hours,
    }


def upcoming() -> list[JsonObject]:
    return [
        {
            "at": at(160),
            "since": at(-140),
            "type": "fires",
            "rule": "disk-almost-full",
            "ruleset": "disk",
            "key": {"host": "cache-1", "mount": "/data"},
            "playbook": "disk-cleanup",
        },
        {
            "at": at(2640),
            "since": at(-960),
            "type": "lapses",
            "rule": None,
            "key": None,
            "approval": "ap_1",
            "run": "r_8kq4",
            "playbook": "disk-cleanup",
        },
        {
            "at": at(9000),
            "type": "throttled",
            "rule": "service-down",
            "ruleset": "services",
            "key": {"host": "web-3"},
        },
        {"at": at(30000), "type": "schedule", "name": "nightly", "rule": None, "key": None},
    ]


def status() -> JsonObject:
    hosts = [
        host("db-2", "critical", 46, 71, "/var", 93.1),
        host("cache-1", "warning", 38, 82, "/data", 91.2),
        host("web-3", "warning", 12, 54, "/", 61.0),
        host("db-1", "well", 64, 77, "/var", 71.4),
        host("build-1", "well", 88, 63, "/srv", 68.9),
        host("gw-1", "well", 9, 31, "/", 42.7),
    ]
    agents = [agent("certificates", "silent"), agent("performance"), agent("apps"), agent("logs")]
    return {
        "version": "0.1.0",
        "host": "db-1",
        "now": at(0),
        "started": at(-86400),
        "commit": COMMIT,
        "content": {
            "root": "/srv/content",
            "commit": COMMIT,
            "problems": [],
            "loaded_at": at(-900),
        },
        "automation": {"mode": "auto", "paused": False, "by": None, "at": None, "reason": None},
        "rules": 61,
        "last_fact": at(-1),
        "counts": {
            "alerts_open": 3,
            "alerts_critical": 1,
            "approvals_waiting": 1,
            "runs_active": 1,
            "hosts": 6,
            "hosts_well": 3,
            "agents": 4,
            "agents_running": 3,
        },
        "hosts": hosts,
        "agents": agents,
        "upcoming": upcoming(),
        "record": record(),
    }


def firing(name: str) -> JsonObject:
    """The chain of the verified clean-up, under whatever name is asked for."""
    points: list[list[Any]] = [
        [
            NOW - 6720 + 60 * minute,
            88.4 + min(minute, 22) * 0.15 if minute < 23 else 79.6 - minute / 200,
        ]
        for minute in range(32)
    ]
    return {
        "firing": name,
        "ruleset": "disk",
        "rule": "disk-almost-full",
        "key": WEB1,
        "at": at(-5400),
        "commit": COMMIT,
        "decisions": [one for one in decisions() if one["firing"] == "f_3fa91c0e"],
        "because": because(91.4, -5700),
        "source": {"file": "policies/disk.yaml", "line": 6, "lines": RULE.split("\n")},
        "timing": {"for": "5m", "throttle": "30m", "until": "disk.used_percent < 85"},
        "alert": alerts()[4],
        "runs": [verified_run()],
        "resolved": {"at": at(-5251), "reason": "its until turned true"},
        "series": {"field": "disk.used_percent", "points": points, "limit": 90},
    }
