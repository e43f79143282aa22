"""How runs end, and what is told of it."""

from __future__ import annotations

import hashlib

from engine.core.decisions import Decision
from engine.core.facts import Fact
from engine.core.runs import Run
from engine.core.values import Json


def failure_alert(run: Run, at: int, host: str) -> Decision:
    """The alert `wakil/run-failed` of a failed or unknown run; the same run gives the same one."""
    key: dict[str, Json] = {"host": host, "playbook": run.playbook, "rule": run.trigger.rule}
    ending = "failed" if run.status == "failed" else "ended, and nobody knows what it did"
    because = f": {run.error}" if run.error else ""
    text = f"{run.playbook} {ending} on {host}{because}"
    return Decision(
        at=at,
        ruleset="wakil",
        rule="run-failed",
        decision="alert",
        key=key,
        data={"text": text, "severity": run.trigger.severity, "tell": "always"},
        firing=hashlib.sha256(f"wakil/run-failed/{run.id}".encode()).hexdigest()[:32],
        place=0,
        labels={"run": run.id},
    )


def outcome_fact(run: Run) -> Fact | None:
    """The `outcome` event of a run that acted; None where none is due (observed, not ended)."""
    if run.ended is None or run.status not in ("succeeded", "failed", "refused", "unknown"):
        return None
    data = {"playbook": run.playbook, "run": run.id, "status": run.status}
    optional = {"rule": run.trigger.rule, "error": run.error}
    data.update({name: value for name, value in optional.items() if value is not None})
    return Fact("outcome", run.ended, None, data)
