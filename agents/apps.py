"""The services that content declares: are they there, and start, stop, restart."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from agents.checks import check_http, check_tcp
from agents.units import Unit, pid_file_state, systemd_states
from engine.core.errors import Refused
from engine.core.ports import (
    ActionContext,
    ActionType,
    AgentContext,
    AgentType,
    Collection,
    Effect,
    Observation,
    Order,
)
from engine.core.values import SECOND, parse_duration

_PARALLEL = 8


@dataclass(slots=True)
class _Past:
    """What was seen of a service before: kept, so that a restart of Wakil forgets nothing."""

    state: str
    since: int
    restarts: int
    process: list[int] | None


class Apps:
    """Looks at every declared service."""

    def __init__(self, context: AgentContext) -> None:
        self._context = context
        self._services: list[Mapping[str, Any]] = list(context.settings.get("services", ()))
        timeout = parse_duration(context.settings.get("timeout", "3s")) or 3 * SECOND
        self._timeout = timeout / SECOND
        self._past: dict[str, _Past] = {}
        """What is remembered of each service, read from the database once."""

    def collect(self) -> Collection:
        """One `service` fact for each declared service."""
        units = systemd_states(
            [service["name"] for service in self._services if service["manager"] == "systemd"]
        )
        others = [service for service in self._services if service["manager"] != "systemd"]
        with ThreadPoolExecutor(_PARALLEL, "check") as pool:
            seen = dict(
                zip((one["name"] for one in others), pool.map(self._look, others), strict=True)
            )
        seen.update(units)
        facts = [
            Observation("service", self._fact(service, seen[service["name"]]))
            for service in self._services
        ]
        return Collection(facts, frozenset({"service"}))

    def _look(self, service: Mapping[str, Any]) -> Unit:
        if service["manager"] == "pidfile":
            return pid_file_state(service["pid_file"])
        if service["manager"] == "tcp":
            return Unit(check_tcp(service["address"], self._timeout))
        return Unit(check_http(service["url"], service.get("expect", 200), self._timeout))

    def _fact(self, service: Mapping[str, Any], unit: Unit) -> dict[str, Any]:
        past = self._remember(service["name"], unit)
        now = self._context.clock.now()
        age = (now - past.since) / SECOND if unit.since_seconds is None else unit.since_seconds
        fact = {
            "name": service["name"],
            "manager": service["manager"],
            "state": unit.state,
            "since_seconds": round(max(0.0, age), 1),
        }
        if service["manager"] in ("systemd", "pidfile"):
            fact["restarts"] = past.restarts if unit.restarts is None else unit.restarts
        return fact

    def _remember(self, name: str, unit: Unit) -> _Past:
        """Since when it is so, and how often a new process took an earlier one's place."""
        now = self._context.clock.now()
        past = self._past.get(name) or self._recall(name, now)
        process = list(unit.process) if unit.process else past.process
        renewed = past.process is not None and process != past.process
        if unit.state == past.state and not renewed and process == past.process:
            return past
        present = _Past(
            state=unit.state,
            since=past.since if unit.state == past.state and not renewed else now,
            restarts=past.restarts + renewed,
            process=process,
        )
        self._context.memory.set(
            f"service/{name}",
            {
                "state": present.state,
                "since": present.since,
                "restarts": present.restarts,
                "process": present.process,
            },
        )
        self._past[name] = present
        return present

    def _recall(self, name: str, now: int) -> _Past:
        kept = self._context.memory.get(f"service/{name}")
        past = _Past(**kept) if isinstance(kept, dict) else _Past("", now, 0, None)
        self._past[name] = past
        return past


# ── service.start, service.stop, service.restart ──────────────────────────────────────────────


def _declared(context: ActionContext, inputs: Mapping[str, Any]) -> str:
    name = str(inputs["name"])
    if name not in context.services:
        raise Refused(f"service {name} is not declared in agents.yaml (apps.services)")
    return name


def _perform(verb: str) -> Any:
    def perform(context: ActionContext, inputs: Mapping[str, Any]) -> dict[str, Any]:
        name = _declared(context, inputs)
        reply = context.order(f"service.{verb}", {"id": name})
        done = {"start": "started", "stop": "stopped", "restart": "restarted"}[verb]
        already = {"start": "runs already", "stop": "is stopped already"}.get(verb, "unchanged")
        context.say(f"{name} {done if reply['changed'] else already}")
        return {"changed": bool(reply["changed"])}

    return perform


def _check(wanted: str, otherwise: Effect) -> Any:
    """`otherwise` is what the opposite state says: nothing, where being there proves no restart."""

    def check(context: ActionContext, inputs: Mapping[str, Any]) -> Effect:
        name = _declared(context, inputs)
        look = Order("service.state", {"id": name}, "", "", 0, context.deadline)
        return "done" if context.hands.act(look)["state"] == wanted else otherwise

    return check


def _check_restart(context: ActionContext, inputs: Mapping[str, Any]) -> Effect:
    name = _declared(context, inputs)
    look = Order("service.state", {"id": name}, "", "", 0, context.deadline)
    return "unknown" if context.hands.act(look)["state"] == "running" else "not_done"


def _action(verb: str, description: str, check: Any) -> ActionType:
    return ActionType(
        name=f"service.{verb}",
        description=description,
        inputs={
            "type": "object",
            "properties": {"name": {"type": "string", "minLength": 1}},
            "required": ["name"],
            "additionalProperties": False,
        },
        outputs={"type": "object", "properties": {"changed": {"type": "boolean"}}},
        example={"uses": f"service.{verb}", "with": {"name": "nginx"}},
        perform=_perform(verb),
        check=check,
        idempotent=True,
        by_hands=True,
    )


_SERVICE = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "pattern": "^[A-Za-z0-9@_.:-]{1,200}$", "x-is": "a name"},
        "manager": {"enum": ["systemd", "pidfile", "http", "tcp"]},
        "pid_file": {
            "type": "string",
            "pattern": "^/",
            "x-is": "an absolute path",
            "x-effect": "pid_file",
        },
        "start": {
            "type": "array",
            "items": {"type": "string"},
            "minItems": 1,
            "x-effect": "start",
        },
        "url": {
            "type": "string",
            "pattern": "^https?://[^/@]+",
            "x-is": "an http:// or https:// address",
            "x-effect": "url",
        },
        "expect": {"type": "integer", "minimum": 100, "maximum": 599, "default": 200},
        "address": {
            "type": "string",
            "pattern": "^.+:[0-9]{1,5}$",
            "x-is": "host:port",
            "x-effect": "url",
        },
    },
    "required": ["name", "manager"],
    "additionalProperties": False,
    "allOf": [
        {
            "if": {"properties": {"manager": {"const": manager}}},
            "then": {"required": [field]},
        }
        for manager, field in (("pidfile", "pid_file"), ("http", "url"), ("tcp", "address"))
    ],
}

AGENT = AgentType(
    id="apps",
    description="Services by systemd, pid file, TCP or HTTP check.",
    facts=("service",),
    every=5 * SECOND,
    settings={
        "type": "object",
        "properties": {
            "services": {"type": "array", "items": _SERVICE, "default": []},
            "timeout": {
                "type": "string",
                "pattern": "^[1-9][0-9]{0,3}s$",
                "default": "3s",
                "x-is": "a duration such as 3s",
                "description": "How long a TCP or HTTP check may take.",
            },
        },
        "additionalProperties": False,
    },
    build=Apps,
    actions=(
        _action("start", "Start a declared service.", _check("running", "not_done")),
        _action("stop", "Stop a declared service.", _check("stopped", "not_done")),
        _action("restart", "Stop a declared service and start it again.", _check_restart),
    ),
)
