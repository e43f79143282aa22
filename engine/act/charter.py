"""Compiles the hands' list from the machine's permissions and the content's agents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.act.authorise import Effect, Permissions, authorise
from engine.core.errors import Refused, SettingsError
from engine.core.values import SECOND, parse_duration

_MANAGERS = {"systemd": (), "pidfile": ("pid_file", "start"), "http": (), "tcp": ()}


@dataclass(frozen=True, slots=True)
class CompiledCharter:
    """The charter as the hands read it, what was left out of it and why."""

    data: Mapping[str, Any]
    allowed: Permissions
    refusals: tuple[Refused, ...]


def compile_charter(
    allowed: Permissions,
    agents: Mapping[str, Mapping[str, Any]],
    data: Path,
    own: Path | None = None,
) -> CompiledCharter:
    """Services from `apps`, logs from `logs` of agents.yaml; `data` is the data directory, `own`
    where the hands keep what the server must not reach (None: within `data`).

    What the machine does not allow is left out, so that naming it is refused.
    """
    refusals: list[Refused] = []
    services: dict[str, Any] = {}
    for service in agents.get("apps", {}).get("services", ()):
        try:
            services[service["name"]] = _service(service, allowed)
        except Refused as refused:
            refusals.append(refused)
    logs = []
    for pattern in agents.get("logs", {}).get("files", ()):
        try:
            authorise(Effect("log", pattern, "agents.logs.files"), allowed)
            logs += [pattern, f"{pattern}.1"]  # and what rotation made of it meanwhile
        except Refused as refused:
            refusals.append(refused)
    directory = data.absolute()
    kept = directory if own is None else own.absolute()
    charter = {
        "open": allowed.open,
        "allow": list(allowed.actions),
        "paths": list(allowed.paths),
        "commands": {name: _command(entry) for name, entry in allowed.commands.items()},
        "services": services,
        "logs": logs,
        "state": str(kept / "hands"),
        "trash": str(kept / "trash"),
        "pause": str(directory / "paused"),
    }
    return CompiledCharter(charter, allowed, tuple(refusals))


def declared_services(
    agents: Mapping[str, Mapping[str, Any]],
) -> dict[str, Mapping[str, Any]]:
    """Services that content declares, by name: for `ActionContext.services`."""
    return {entry["name"]: entry for entry in agents.get("apps", {}).get("services", ())}


def _service(service: Mapping[str, Any], allowed: Permissions) -> dict[str, Any]:
    """The part of a service's entry that its manager uses, each field authorised."""
    kept: dict[str, Any] = {"manager": service["manager"]}
    for field in _MANAGERS[service["manager"]]:
        if field in service:
            where = f"agents.apps.services {service['name']}: {field}"
            kind: Any = field
            authorise(Effect(kind, service[field], where), allowed)
            kept[field] = service[field]
    return kept


def _command(entry: Mapping[str, Any]) -> dict[str, Any]:
    argv = entry["argv"]
    if not argv or not str(argv[0]).startswith("/"):
        raise SettingsError(
            f"actions.commands {entry['name']}: argv must begin with a program's absolute path"
        )
    known = ("argv", "params", "user", "cwd", "destructive")
    kept = {name: entry[name] for name in known if name in entry}
    if (timeout := parse_duration(entry.get("timeout"))) is not None:
        kept["timeout"] = timeout / SECOND
    return kept
