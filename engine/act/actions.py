"""Actions that belong to no agent: pruning and restoring files, running a command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.core.errors import ActionError, Refused
from engine.core.ports import ActionContext, ActionType, Effect, Order
from engine.core.values import SECOND, Json, parse_duration

_TAIL = 500
_SCALAR = {"type": ["string", "number", "boolean"]}


def _look(context: ActionContext, verb: str, args: Mapping[str, Json]) -> Mapping[str, Any]:
    """Asks the hands something that changes nothing."""
    return context.hands.act(Order(verb, args, "", "", 0, context.deadline))


# ── files.prune ───────────────────────────────────────────────────────────────────────────────


def _prune_args(inputs: Mapping[str, Any]) -> dict[str, Json]:
    older_than = parse_duration(inputs["older_than"])
    if older_than is None:
        raise ActionError("older_than must be a duration such as 7d")
    return {
        "path": inputs["path"],
        "pattern": inputs["pattern"],
        "older_than": older_than // SECOND,
    }


def _prune(context: ActionContext, inputs: Mapping[str, Any]) -> dict[str, Any]:
    args = _prune_args(inputs)
    plan = _look(context, "files.plan", args)
    # Ordered in any case: after an interruption the hands' ledger still knows the trash.
    deletes = bool(plan["count"]) and not plan["trash"]
    reply = context.order("files.prune", {**args, "delete": deletes})
    trash = reply["trash"]
    if not reply["count"]:
        context.say(f"nothing in {inputs['path']} fits and is older than {inputs['older_than']}")
        return {"freed_bytes": 0, "count": 0, "trash": None}
    where = f"moved to {trash}" if trash else "deleted: there was no trash with room"
    context.say(f"{reply['count']} files, {reply['freed_bytes']} bytes, {where}")
    if reply.get("more"):
        context.say("there is more of it; a further prune goes on")
    return {"freed_bytes": reply["freed_bytes"], "count": reply["count"], "trash": trash}


def _prune_effect(context: ActionContext, inputs: Mapping[str, Any]) -> Effect:
    plan = _look(context, "files.plan", _prune_args(inputs))
    return "not_done" if plan["count"] else "done"


def _prune_destroys(context: ActionContext, inputs: Mapping[str, Any]) -> bool:
    plan = _look(context, "files.plan", _prune_args(inputs))
    return bool(plan["count"]) and not plan["trash"]


PRUNE = ActionType(
    name="files.prune",
    description=(
        "Take old files away, in a folder and beneath it: to the trash where that has room, "
        "else for good."
    ),
    inputs={
        "type": "object",
        "properties": {
            "path": {"type": "string", "pattern": "^/", "x-is": "an absolute path"},
            "pattern": {
                "type": "string",
                "pattern": "^[^/]+$",
                "x-is": "a shell pattern of a file's name",
            },
            "older_than": {
                "type": "string",
                "pattern": "^(0|[1-9][0-9]{0,8})[smhdw]$",
                "x-is": "a duration such as 7d",
            },
        },
        "required": ["path", "pattern", "older_than"],
        "additionalProperties": False,
    },
    outputs={
        "type": "object",
        "properties": {
            "freed_bytes": {"type": "integer"},
            "count": {"type": "integer"},
            "trash": {"type": ["string", "null"]},
        },
        "required": ["freed_bytes", "count", "trash"],
    },
    example={
        "uses": "files.prune",
        "with": {"path": "/var/log", "pattern": "*.gz", "older_than": "7d"},
    },
    perform=_prune,
    check=_prune_effect,
    idempotent=True,
    by_hands=True,
    destructive=_prune_destroys,
)

# ── files.restore ─────────────────────────────────────────────────────────────────────────────


def _restore(context: ActionContext, inputs: Mapping[str, Any]) -> dict[str, Any]:
    if inputs["from"] is None:
        context.say("there is no trash to restore from: nothing was kept")
        return {"count": 0, "kept": 0}
    reply = context.order("files.restore", {"from": inputs["from"]})
    context.say(f"{reply['count']} files are back")
    if reply["kept"]:
        context.say(f"{reply['kept']} stay in {inputs['from']}: their place is taken or gone")
    return {"count": reply["count"], "kept": reply["kept"]}


RESTORE = ActionType(
    name="files.restore",
    description="Bring back what files.prune moved to the trash; nothing is overwritten.",
    inputs={
        "type": "object",
        "properties": {"from": {"type": ["string", "null"], "description": "Output `trash`."}},
        "required": ["from"],
        "additionalProperties": False,
    },
    outputs={
        "type": "object",
        "properties": {"count": {"type": "integer"}, "kept": {"type": "integer"}},
        "required": ["count", "kept"],
    },
    example={"uses": "files.restore", "with": {"from": "{{ steps.prune.trash }}"}},
    perform=_restore,
    check=lambda context, inputs: "done" if inputs["from"] is None else "unknown",
    idempotent=True,
    by_hands=True,
)

# ── command.run ───────────────────────────────────────────────────────────────────────────────


def _run(context: ActionContext, inputs: Mapping[str, Any]) -> dict[str, Any]:
    reply = context.order("exec", dict(inputs))
    outputs = {name: reply[name] for name in ("exit_code", "stdout", "stderr")}
    for name in ("stdout", "stderr"):
        if outputs[name]:
            context.say(outputs[name].rstrip("\n"))
    if outputs["exit_code"]:
        said = (outputs["stderr"] or outputs["stdout"]).strip()[-_TAIL:]
        what = inputs.get("command") or str(inputs["argv"][0])
        raise ActionError(
            f"{what} ended with {outputs['exit_code']}" + (f": {said}" if said else "")
        )
    return outputs


def _run_destroys(context: ActionContext, inputs: Mapping[str, Any]) -> bool:
    if "command" not in inputs:
        return False
    try:
        return bool(
            _look(context, "command.describe", {"command": inputs["command"]})["destructive"]
        )
    except Refused:  # not declared: it will not run at all
        return False


COMMAND = ActionType(
    name="command.run",
    description=(
        "Run a command that the machine's settings declare; in local content without `actions` "
        "any list of arguments. A status other than 0 fails the step."
    ),
    inputs={
        "type": "object",
        "properties": {
            "command": {"type": "string", "minLength": 1},
            "params": {"type": "object", "additionalProperties": _SCALAR},
            "argv": {
                "type": "array",
                "items": _SCALAR,
                "minItems": 1,
                "maxItems": 256,
                "x-argv": True,
            },
            "cwd": {"type": "string", "pattern": "^/", "x-is": "an absolute path"},
        },
        "oneOf": [
            {"required": ["command"], "properties": {"argv": False, "cwd": False}},
            {"required": ["argv"], "properties": {"command": False, "params": False}},
        ],
        "additionalProperties": False,
    },
    outputs={
        "type": "object",
        "properties": {
            "exit_code": {"type": "integer"},
            "stdout": {"type": "string"},
            "stderr": {"type": "string"},
        },
        "required": ["exit_code", "stdout", "stderr"],
    },
    example={"uses": "command.run", "with": {"command": "reload-lb", "params": {"site": "ruh"}}},
    perform=_run,
    check=lambda context, inputs: "unknown",
    by_hands=True,
    destructive=_run_destroys,
)

ALL: tuple[ActionType, ...] = (PRUNE, RESTORE, COMMAND)
