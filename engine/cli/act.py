"""Commands that act: play, approve, reject, pause, resume."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

import click

from engine.cli.connection import Api, connect, say, segment
from engine.cli.options import format_option, server_options
from engine.cli.output import json_text, show
from engine.core.errors import NotFound
from engine.core.runs import ENDED


@click.command()
@click.argument("name")
@click.option("--with", "inputs", multiple=True, metavar="KEY=VALUE", help="An input, repeatable.")
@click.option("--host", help="The host it is for; this one by default.")
@click.option("--dry-run", is_flag=True, help="Show what each step would do, and do nothing.")
@click.option("--no-wait", is_flag=True, help="Return when the run is recorded.")
@format_option("text", "json")
@server_options
def play(
    name: str,
    inputs: tuple[str, ...],
    host: str | None,
    dry_run: bool,
    no_wait: bool,
    format_: str,
    **place: Any,
) -> None:
    """Run a playbook by hand."""
    body: dict[str, Any] = {"inputs": dict(map(_input, inputs)), "dry_run": dry_run}
    if host:
        body["host"] = host
    with connect(**place) as api:
        run = api.post(f"/playbooks/{segment(name)}/run", body)
        if dry_run:
            _print_json(run)
            return
        say(f"run {run['id']} of {name}")
        if not no_wait:
            run = _follow(api, run)
    if format_ == "json":
        _print_json(run)
    else:
        error = f": {run['error']}" if run.get("error") else ""
        show(f"{run['id']} {run['status']}{error}")
    if not no_wait and run["status"] not in ("succeeded", "observed"):
        raise click.exceptions.Exit(1)


def _print_json(run: Mapping[str, Any]) -> None:
    click.echo(json_text(run, indent=2, sort_keys=True))


def _input(text: str) -> tuple[str, Any]:
    """`mount=/var`: the value as JSON where it is JSON, else as text."""
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise click.UsageError(f"--with takes KEY=VALUE, not {text!r}")
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value


def _follow(api: Api, run: dict[str, Any]) -> dict[str, Any]:
    """Shows steps as they end, until the run has; alone, until it waits for somebody."""
    shown: set[tuple[str, int, str]] = set()
    waited = False
    while True:
        run = api.get(f"/runs/{run['id']}")
        for step in run["steps"]:
            mark = (step["path"], step["attempt"], step["status"])
            if step["status"] != "running" and mark not in shown:
                shown.add(mark)
                error = f": {step['error']}" if step["error"] else ""
                say(f"  {step['status']:<12} {step['name']}{error}")
        if run["status"] in ENDED:
            return run
        if not waited and (waits := _waits_for(api, run)):
            waited = True
            for line in waits:
                say(f"  waits        {line}")
            if api.alone:
                return run
        time.sleep(0.3)


def _waits_for(api: Api, run: Mapping[str, Any]) -> list[str]:
    """What only a person can give: an answer, or the end of the pause."""
    if run["status"] not in ("queued", "waiting"):
        return []
    asked = [
        f"{question['message']}  (wakil approve {question['id']})"
        for question in api.get("/approvals", status="waiting")["items"]
        if question["run"] == run["id"]
    ]
    if not asked and api.get("/system/status")["automation"]["paused"]:
        return ["automation is paused; 'wakil resume' lets it go on"]
    return asked


def _answer(answer: str, approval: str, comment: str | None, place: dict[str, Any]) -> None:
    with connect(**place) as api:
        waiting = api.get("/approvals", status="waiting")["items"]
        question = next((item for item in waiting if approval in (item["id"], item["run"])), None)
        if question is None:
            raise NotFound(f"nothing waits for an answer under {approval!r}")
        body = {"digest": question["digest"]}
        if comment:
            body["comment"] = comment
        api.post(f"/approvals/{question['id']}/{answer}", body)
        click.echo(f"{question['id']} {'approved' if answer == 'approve' else 'rejected'}")
        if api.alone:
            # Nobody else carries the run on: not before it ends, or asks again.
            run = _follow(api, api.get(f"/runs/{question['run']}"))
            say(f"{run['id']} {run['status']}")


@click.command()
@click.argument("id_", metavar="ID")
@click.option("--comment", help="Kept in the audit trail.")
@server_options
def approve(id_: str, comment: str | None, **place: Any) -> None:
    """Say yes to what waits for an answer (an approval's id, or its run's)."""
    _answer("approve", id_, comment, place)


@click.command()
@click.argument("id_", metavar="ID")
@click.option("--comment", help="Kept in the audit trail.")
@server_options
def reject(id_: str, comment: str | None, **place: Any) -> None:
    """Say no to what waits for an answer (an approval's id, or its run's)."""
    _answer("reject", id_, comment, place)


@click.command()
@click.option("--reason", help="Shown beside the switch.")
@server_options
def pause(reason: str | None, **place: Any) -> None:
    """Stop automation: nothing new begins until it is resumed."""
    with connect(**place) as api:
        api.post("/system/pause", {"reason": reason} if reason else {})
    click.echo("paused: runs are held until 'wakil resume'")


@click.command()
@server_options
def resume(**place: Any) -> None:
    """Let automation act again."""
    with connect(**place) as api:
        api.post("/system/resume")
        click.echo("resumed")
        # Alone, what was held has nobody else to carry it out.
        for run in reversed(api.get("/runs", status="queued")["items"]) if api.alone else ():
            say(f"run {run['id']} of {run['playbook']}")
            _follow(api, run)
