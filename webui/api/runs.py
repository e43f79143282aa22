"""Runs, and the playbooks that can be run."""

from __future__ import annotations

from typing import get_args

from engine.core.errors import NotFound
from engine.core.runs import RunStatus
from engine.core.values import Json
from engine.lang.model import Playbook
from webui.api.approvals import approval_to_json
from webui.api.routing import PAGING, Answer, Call, Parameter, Route, listing
from webui.plan import plan_of, way_back_of


def read(call: Call) -> Answer:
    """Newest first."""
    store = call.system.store.runs
    page = store.list_runs(
        playbook=call.query.get("playbook"), status=call.query.get("status"), **call.page
    )
    steps = store.steps_of_runs([run.id for run in page.items])
    return listing(page, [run.to_json(steps.get(run.id, ())) for run in page.items])


def show(call: Call) -> Answer:
    """One run with its steps, its plan, its questions, and the way back."""
    store, name = call.system.store.runs, call.path["id"]
    run = store.get_run(name)
    if run is None:
        raise NotFound(f"there is no run {name[:80]}")
    steps = store.steps_of(name)
    playbook = call.system.bundle().playbooks.get(run.playbook)
    destructive = call.system.destructive_actions()
    body: dict[str, Json] = run.to_json(steps)
    body["plan"] = [] if playbook is None else plan_of(playbook, destructive)
    body["approvals"] = [
        approval_to_json(approval, run.playbook) for approval in store.approvals_of(name)
    ]
    body["way_back"] = [] if playbook is None else way_back_of(playbook, steps)
    return Answer(body)


def playbooks(call: Call) -> Answer:
    """All playbooks of the content in force, by name."""
    found = sorted(call.system.bundle().playbooks.values(), key=lambda each: each.name)
    return Answer({"items": [_playbook(each) for each in found], "next": None})


def start(call: Call) -> Answer:
    """Starts a run under the guard; with `dry_run`, shows what it would do."""
    body = call.body or {}
    name, inputs, host = call.path["name"], body.get("inputs", {}), body.get("host")
    if body.get("dry_run"):
        return Answer(call.system.plan_run(name, inputs, host=host), 200)
    run = call.system.start_run(name, inputs, by=call.by, host=host)
    steps = call.system.store.runs.steps_of(run.id)
    return Answer(run.to_json(steps), 202, {"Location": f"/api/v1/runs/{run.id}"})


def _playbook(playbook: Playbook) -> dict[str, Json]:
    return {
        "name": playbook.name,
        "description": playbook.description,
        "file": playbook.file,
        "mode": playbook.mode,
        "inputs": {
            name: {
                "type": each.type,
                "required": each.required,
                "default": each.default,
                "enum": None if each.enum is None else list(each.enum),
                "description": each.description,
            }
            for name, each in playbook.inputs.items()
        },
        "steps": [
            {"path": step.path, "name": step.name, "uses": step.uses} for step in playbook.steps
        ],
    }


ROUTES = (
    Route(
        "GET",
        "/runs",
        read,
        "Runs, newest first",
        gives="list",
        query=(
            Parameter("playbook"),
            Parameter("status", enum=get_args(RunStatus)),
            *PAGING,
        ),
    ),
    Route("GET", "/runs/{id}", show, "One run with its steps"),
    Route("GET", "/playbooks", playbooks, "Playbooks", gives="list"),
    Route(
        "POST",
        "/playbooks/{name}/run",
        start,
        "Run a playbook",
        role="operator",
        status=202,
        body_required=False,
        body={
            "type": "object",
            "properties": {
                "inputs": {"type": "object"},
                "dry_run": {"type": "boolean"},
                "host": {"type": ["string", "null"], "maxLength": 253},
            },
            "additionalProperties": False,
        },
    ),
)
