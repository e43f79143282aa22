"""What the hands can do, by verb: everything else is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.act.hand.charter import Charter
from engine.act.hand.commands import execute, vacuum_journal
from engine.act.hand.files import plan_prune, prune, restore, truncate
from engine.act.hand.processes import signal_process
from engine.act.hand.protocol import Refusal, Request, text_argument
from engine.act.hand.services import act_on_service

Verb = Callable[[Charter, Request], dict[str, Any]]


def _describe(charter: Charter, request: Request) -> dict[str, Any]:
    name = text_argument(request.args, "command", 200)
    if name not in charter.commands:
        raise Refusal(f"no command {name!r} is declared in actions.commands")
    return {"destructive": bool(charter.commands[name].get("destructive"))}


ACTS: dict[str, Verb] = {
    "service.start": act_on_service,
    "service.stop": act_on_service,
    "service.restart": act_on_service,
    "process.signal": lambda charter, request: signal_process(request),
    "journal.vacuum": lambda charter, request: vacuum_journal(request),
    "files.prune": prune,
    "files.restore": restore,
    "files.truncate": truncate,
    "exec": execute,
}
"""Acts: in the ledger, under the rates and the pause."""

LOOKS: dict[str, Verb] = {
    "service.state": act_on_service,
    "files.plan": plan_prune,
    "command.describe": _describe,
}
"""Looks: change nothing, so may be asked again and while automation is paused."""
