"""Commands that show: facts, runs, alerts, agents."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, get_args

import click

from engine.cli.connection import connect
from engine.cli.options import format_option, server_options
from engine.cli.output import json_text
from engine.cli.tables import print_table
from engine.core.runs import RunStatus

_ALERTS: Final = ("open", "acknowledged", "resolved")
Row = Callable[[Mapping[str, Any]], tuple[str, ...]]


def _show(
    items: Sequence[Mapping[str, Any]], format_: str, head: tuple[str, ...], row: Row
) -> None:
    if format_ == "json":
        click.echo(json_text(items, indent=2, sort_keys=True))
    else:
        print_table(head, [row(item) for item in items])


@click.command()
@click.argument("kind", required=False)
@click.option("--host", help="Only of this host.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@format_option("text", "json")
@server_options
def facts(kind: str | None, host: str | None, limit: int, format_: str, **place: Any) -> None:
    """Facts as they came, newest first."""
    with connect(**place) as api:
        items = api.get("/facts", kind=kind, host=host, limit=limit)["items"]
    _show(
        items,
        format_,
        ("at", "kind", "host", "data"),
        lambda fact: (
            fact["at"],
            fact["kind"],
            fact.get("host") or "",
            _short(fact["data"]),
        ),
    )


@click.command()
@click.option("--playbook", help="Only of this playbook.")
@click.option("--status", type=click.Choice(get_args(RunStatus)), help="Only those that stand so.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@format_option("text", "json")
@server_options
def runs(playbook: str | None, status: str | None, limit: int, format_: str, **place: Any) -> None:
    """Runs of playbooks, newest first."""
    with connect(**place) as api:
        items = api.get("/runs", playbook=playbook, status=status, limit=limit)["items"]
        waiting = api.get("/approvals", status="waiting")["items"]
    questions = {question["run"]: question["id"] for question in waiting}
    _show(
        items,
        format_,
        ("created", "run", "playbook", "status", "host", "by", "asks"),
        lambda run: (
            run["created"],
            run["id"],
            run["playbook"],
            run["status"],
            run["host"] or "",
            run["rule"] or run["requester"],
            questions.get(run["id"], ""),
        ),
    )


@click.command()
@click.option("--status", type=click.Choice(_ALERTS), help="Only those that stand so.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@format_option("text", "json")
@server_options
def alerts(status: str | None, limit: int, format_: str, **place: Any) -> None:
    """Alerts, newest first."""
    with connect(**place) as api:
        items = api.get("/alerts", status=status, limit=limit)["items"]
    _show(
        items,
        format_,
        ("opened", "alert", "severity", "status", "rule", "text"),
        lambda alert: (
            alert["opened"],
            alert["id"],
            alert["severity"],
            alert["status"],
            f"{alert['ruleset']}/{alert['rule']}",
            alert["text"],
        ),
    )


@click.command()
@format_option("text", "json")
@server_options
def agents(format_: str, **place: Any) -> None:
    """Agents and how they are."""
    with connect(**place) as api:
        items = api.get("/agents")["items"]
    _show(
        items,
        format_,
        ("agent", "state", "every", "last", "error"),
        lambda agent: (
            agent["id"],
            agent["state"],
            f"{agent['every_seconds']:g} s",
            agent["last_collect"] or "",
            agent["last_error"] or "",
        ),
    )


def _short(data: Mapping[str, Any]) -> str:
    return " ".join(f"{name}={json_text(value)}" for name, value in data.items())
