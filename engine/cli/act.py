"""Commands that act: play, approve, reject, pause, resume."""

from __future__ import annotations

import json
import time
from typing import Any

import click

from engine.cli.connection import Api, connect, say
from engine.cli.options import server_options
from engine.core.errors import NotFound
from engine.core.runs import ENDED


@click.command()
@click.argument("name")
@click.option("--with", "inputs", multiple=True, metavar="KEY=VALUE", help="An input, repeatable.")
@click.option("--host", help="The host it is for; this one by default.")
@click.option("--dry-run", is_flag=True, help="Show what each step would do, and do nothing.")
@click.option("--no-wait", is_flag=True, help="Return when the run is recorded.")
@server_options
def play(
    name: str, inputs: tuple[str, ...], host: str | None, dry_run: bool, no_wait: bool, **place: Any
) -> None:
    """Run a playbook by hand."""
    body: dict[str, Any] = {"inputs": dict(map(_input, inputs)), "dry_run": dry_run}
    if host:
        body["host"] = host
    with connect(**place) as api:
        run = api.post(f"/playbooks/{name}/run", body)
        if dry_run:
            click.echo(json.dumps(run, indent=2, sort_keys=True, ensure_ascii=False))
            return
        say(f"run {run['id']} of {name}")
        if not no_wait:
            run = _follow(api, run)
    click.echo(f"{run['id']} {run['status']}" + (f": {run['error']}" if run.get("error") else ""))
    if not no_wait and run["status"] not in ("succeeded", "observed"):
        raise click.exceptions.Exit(1)


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
    """Shows steps as they end, until the run has."""
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
        if run["status"] == "waiting" and not waited:
            waited = True
            for question in api.get("/approvals", status="waiting")["items"]:
                if question["run"] == run["id"]:
                    say(f"  waits         {question['message']}  (wakil approve {question['id']})")
        time.sleep(0.3)


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
