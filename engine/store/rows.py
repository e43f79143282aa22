"""Runs, steps and approvals between their dataclasses and their rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from engine.core.runs import Approval, Run, Step, Trigger


def trigger_to_json(trigger: Trigger) -> dict[str, Any]:
    """All of a trigger, for a JSON column."""
    return {
        "rule": trigger.rule,
        "firing": trigger.firing,
        "place": trigger.place,
        "key": dict(trigger.key),
        "fact": None if trigger.fact is None else dict(trigger.fact),
        "because": [dict(reason) for reason in trigger.because],
        "severity": trigger.severity,
        "mode": trigger.mode,
        "resolves": trigger.resolves,
        "requester": trigger.requester,
    }


def trigger_from_json(body: Mapping[str, Any]) -> Trigger:
    """The inverse of `trigger_to_json`."""
    return Trigger(**{**body, "because": tuple(body["because"])})


def run_row(run: Run) -> dict[str, Any]:
    """A run's columns."""
    return {
        "id": run.id,
        "playbook": run.playbook,
        "status": run.status,
        "inputs": dict(run.inputs),
        "trigger": trigger_to_json(run.trigger),
        "firing": run.trigger.firing,
        "commit": run.commit,
        "host": run.host,
        "created": run.created,
        "started": run.started,
        "ended": run.ended,
        "error": run.error,
        "reasons": list(run.reasons),
        "dry_run": run.dry_run,
    }


def run_from_row(row: Any) -> Run:
    """The inverse of `run_row`."""
    return Run(
        id=row.id,
        playbook=row.playbook,
        status=row.status,
        inputs=row.inputs,
        trigger=trigger_from_json(row.trigger),
        commit=row.commit,
        host=row.host,
        created=row.created,
        started=row.started,
        ended=row.ended,
        error=row.error,
        reasons=tuple(row.reasons),
        dry_run=row.dry_run,
    )


def run_to_json(run: Run) -> dict[str, Any]:
    """All of a run, for the outbox."""
    return run_row(run)


def run_from_json(body: Mapping[str, Any]) -> Run:
    """The inverse of `run_to_json`."""
    fields = {name: value for name, value in body.items() if name != "firing"}
    fields["trigger"] = trigger_from_json(body["trigger"])
    fields["reasons"] = tuple(body["reasons"])
    return Run(**fields)


def step_row(step: Step) -> dict[str, Any]:
    """A step's columns."""
    return {
        "run": step.run,
        "path": step.path,
        "attempt": step.attempt,
        "name": step.name,
        "phase": step.phase,
        "status": step.status,
        "uses": step.uses,
        "started": step.started,
        "ended": step.ended,
        "inputs": dict(step.inputs),
        "outputs": dict(step.outputs),
        "error": step.error,
        "log": step.log,
    }


def step_from_row(row: Any) -> Step:
    """The inverse of `step_row`."""
    fields = {name: value for name, value in row._mapping.items() if name != "number"}
    return Step(**fields)


def approval_row(approval: Approval) -> dict[str, Any]:
    """An approval's columns."""
    row = asdict(approval)
    row["answers"] = [dict(answer) for answer in approval.answers]
    return row


def approval_from_row(row: Any) -> Approval:
    """The inverse of `approval_row`."""
    fields = {name: value for name, value in row._mapping.items() if name != "number"}
    fields["answers"] = tuple(fields["answers"])
    return Approval(**fields)
