"""The whole on one page: hosts, counts, what comes next, the day's record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from engine.core.facts import Fact
from engine.core.runs import Run
from engine.core.values import HOUR, MINUTE, Json, format_instant
from engine.store.alerts import Alert
from webui.history import History
from webui.system import System, instant

SILENT_AFTER: Final = 15 * MINUTE
_HOURS: Final = 24
_ACTIVE: Final = ("queued", "running", "waiting")
_OUTCOMES: Final = ("succeeded", "failed", "refused", "unknown", "observed", "waiting")


def status_of(system: System, history: History) -> dict[str, Json]:
    """Everything the Overview shows, in one answer."""
    now = system.clock.now()
    content = system.content()
    alerts = system.store.alerts.open()
    agents = system.agents()
    hosts = [_with_history(host, system, history) for host in hosts_now(system, alerts)]
    waiting = system.store.runs.list_approvals(status="waiting", limit=1000).items
    return {
        "version": system.version,
        "host": system.host,
        "now": format_instant(now),
        "started": format_instant(system.started),
        "commit": content.commit,
        "content": content.to_json(),
        "automation": system.automation().to_json(),
        "rules": sum(rule.enabled for rule in system.bundle().rules),
        "last_fact": instant(system.last_fact()),
        "counts": {
            "alerts_open": len(alerts),
            "alerts_critical": sum(alert.severity == "critical" for alert in alerts),
            "approvals_waiting": len(waiting),
            "runs_active": system.store.runs.count_runs(_ACTIVE),
            "hosts": len(hosts),
            "hosts_well": sum(host["state"] == "well" for host in hosts),
            "agents": len(agents),
            "agents_running": sum(agent.state == "running" for agent in agents),
        },
        "hosts": list(hosts),
        "agents": [agent.to_json() for agent in agents],
        "upcoming": [each.to_json() for each in system.upcoming(20)],
        "record": record_of(system.store.runs.runs_since(None, now - _HOURS * HOUR), now),
    }


def hosts_now(system: System, alerts: Iterable[Alert] | None = None) -> list[dict[str, Json]]:
    """Every host that ever reported, by name, with its load as last seen."""
    now, seen = system.clock.now(), system.last_seen()
    worst = _worst_by_host(system.store.alerts.open() if alerts is None else alerts)
    cpu, memory = (_percent_by_host(system.latest(kind)) for kind in ("cpu", "memory"))
    disks = _fullest_by_host(system.latest("disk"))
    return [
        {
            "name": name,
            "state": "silent" if now - seen[name] > SILENT_AFTER else worst.get(name, "well"),
            "cpu": cpu.get(name),
            "memory": memory.get(name),
            "disk": disks.get(name),
            "last_fact": format_instant(seen[name]),
        }
        for name in sorted(seen)
    ]


def record_of(runs: Sequence[Run], now: int) -> dict[str, Json]:
    """How the day's runs ended, in total and hour by hour, oldest hour first; no dry runs."""
    first = now // HOUR - _HOURS + 1
    hours: list[Counter[str]] = [Counter() for _ in range(_HOURS)]
    total: Counter[str] = Counter()
    for run in runs:
        hour = (run.ended or run.created) // HOUR - first
        if not run.dry_run and 0 <= hour < _HOURS:
            hours[hour][run.status] += 1
            total[run.status] += 1
    return {
        "verified": total["succeeded"],
        **{status: total[status] for status in _OUTCOMES if status != "succeeded"},
        "hours": [
            {
                "at": format_instant((first + index) * HOUR),
                **{status: counted[status] for status in _OUTCOMES},
            }
            for index, counted in enumerate(hours)
        ],
    }


def _with_history(host: dict[str, Json], system: System, history: History) -> dict[str, Json]:
    name = str(host["name"])
    labels: dict[str, Any] = dict(system.bundle().labels_of(name))
    return {
        **host,
        "labels": labels,
        "cpu_history": history.points("cpu", name),
        "memory_history": history.points("memory", name),
    }


def _worst_by_host(alerts: Iterable[Alert]) -> dict[str, str]:
    worst: dict[str, str] = {}
    for alert in alerts:
        host = alert.key.get("host")
        if not isinstance(host, str) or alert.severity == "info":
            continue
        if alert.severity == "critical" or host not in worst:
            worst[host] = alert.severity
    return worst


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return round(value, 1)


def _percent_by_host(facts: Iterable[Fact]) -> Mapping[str, float | None]:
    return {fact.host: _number(fact.data.get("percent")) for fact in facts if fact.host is not None}


def _fullest_by_host(facts: Iterable[Fact]) -> Mapping[str, Json]:
    fullest: dict[str, tuple[float, Json]] = {}
    for fact in facts:
        used = _number(fact.data.get("used_percent"))
        if fact.host is None or used is None:
            continue
        if fact.host not in fullest or used > fullest[fact.host][0]:
            shown: Json = {"mount": fact.data.get("mount"), "used_percent": used}
            fullest[fact.host] = (used, shown)
    return {host: shown for host, (_, shown) in fullest.items()}
