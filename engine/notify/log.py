"""Sending a message from a playbook: to the log, until receivers come."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from engine.core.ports import ActionContext, ActionType
from engine.core.text import escape_controls

_log = logging.getLogger("wakil.notify")


def log_notification(to: str, text: str) -> None:
    """What `ActionContext.notify` and `notify` decisions do today; one line, control characters
    escaped, so that a message cannot forge lines of the log."""
    _log.info("to %s: %s", escape_controls(to), escape_controls(text))


def _send(context: ActionContext, inputs: Mapping[str, Any]) -> dict[str, Any]:
    context.notify(inputs["to"], inputs["text"])
    context.say(f"sent to {inputs['to']}")
    return {}


SEND = ActionType(
    name="notify.send",
    description="Send a message to a receiver.",
    inputs={
        "type": "object",
        "properties": {
            "to": {"type": "string", "minLength": 1},
            "text": {"type": "string"},
        },
        "required": ["to", "text"],
        "additionalProperties": False,
    },
    outputs={"type": "object", "properties": {}},
    example={"uses": "notify.send", "with": {"to": "ops", "text": "disk-cleanup failed"}},
    perform=_send,
    check=lambda context, inputs: "unknown",
    idempotent=True,
    anywhere=True,
)

ALL: tuple[ActionType, ...] = (SEND,)
