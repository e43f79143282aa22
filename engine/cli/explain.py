"""`wakil explain ID`: the story from fact to outcome, for a decision, a firing or a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from engine.cli.connection import Api, connect, segment
from engine.cli.options import format_option, server_options
from engine.cli.output import json_text, show

Story = Iterator[tuple[str, str]]
_WIDTH = 10


@click.command()
@click.argument("id_", metavar="ID")
@format_option("text", "json")
@server_options
def explain(id_: str, format_: str, **place: Any) -> None:
    """Tell a decision's, a firing's or a run's whole story."""
    with connect(**place) as api:
        firing, run = _find(api, id_)
    found = firing if firing is not None else run
    if format_ == "json":
        click.echo(json_text(found, indent=2, sort_keys=True))
        return
    story = _firing_story(firing) if firing is not None else _by_hand_story(run or {})
    last = ""
    for word, line in story:
        show(f"{word if word != last else '':<{_WIDTH}} {line}")
        last = word


def _find(api: Api, id_: str) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    if not id_.startswith("r_"):
        return api.get(f"/decisions/{segment(id_)}"), None
    run = api.get(f"/runs/{segment(id_)}")
    return (api.get(f"/decisions/{run['firing']}"), run) if run["firing"] else (None, run)


def _firing_story(firing: Mapping[str, Any]) -> Story:
    key = " ".join(f"{name}={value}" for name, value in firing["key"].items())
    yield "firing", f"{firing['firing']}  {firing['ruleset']}/{firing['rule']}  {key}"
    for reason in firing["because"]:
        if fact := reason["fact"]:
            host = f" {fact['host']}" if fact.get("host") else ""
            yield "fact", f"{fact['at']}  {fact['kind']}{host} {_compact(fact['data'])}"
        yield "condition", f"{reason['condition']}  ({reason['file']}:{reason['line']})"
    timing = {name: value for name, value in (firing.get("timing") or {}).items() if value}
    if timing:
        yield "timing", ", ".join(f"{name} {value}" for name, value in timing.items())
    if source := firing.get("source"):
        place = f"{source['file']}:{source['line']}"
        yield "rule", f"{place}@{firing['commit']}" if firing["commit"] else place
    for decision in firing["decisions"]:
        yield "decision", f"{decision['at']}  {decision['decision']} {_compact(decision['data'])}"
    for run in firing["runs"]:
        yield from _run_story(run)
    yield from _end_of(firing)


def _run_story(run: Mapping[str, Any]) -> Story:
    error = f": {run['error']}" if run.get("error") else ""
    yield "run", f"{run['id']}  {run['playbook']} {_compact(run['inputs'])}  {run['status']}{error}"
    for reason in run.get("reasons") or ():
        yield "run", f"  because {reason}"
    for step in run["steps"]:
        yield "step", _step_line(step)


def _step_line(step: Mapping[str, Any]) -> str:
    span = f"{step['started']}  {step['status']:<11} {_step_name(step)}"
    if step["uses"]:
        span += f" ({step['uses']})"
    if step["attempt"] > 1:
        span += f", attempt {step['attempt']}"
    if step["outputs"]:
        span += f" {_compact(step['outputs'])}"
    return span + (f": {step['error']}" if step["error"] else "")


def _step_name(step: Mapping[str, Any]) -> str:
    if step["phase"] != "verify":
        return str(step["name"])
    return f"Verify: {step['inputs'].get('that') or 'the firing has resolved'}"


def _end_of(firing: Mapping[str, Any]) -> Story:
    runs: Sequence[Mapping[str, Any]] = firing["runs"]
    words = {"succeeded": "verified", "failed": "not verified", "observed": "only observed"}
    for run in runs:
        yield (
            "outcome",
            f"{words.get(run['status'], run['status'])} at {run['ended'] or 'no end yet'}",
        )
    if resolved := firing.get("resolved"):
        reason = f" ({resolved['reason']})" if resolved.get("reason") else ""
        yield "outcome", f"resolved at {resolved['at']}{reason}"
    elif firing.get("alert"):
        yield "outcome", f"the alert is {firing['alert']['status']}"


def _by_hand_story(run: Mapping[str, Any]) -> Story:
    yield "asked by", str(run.get("requester") or "unknown")
    yield from _run_story(run)
    yield "outcome", f"{run['status']} at {run['ended'] or 'no end yet'}"


def _compact(value: Any) -> str:
    return json_text(value, sort_keys=True) if value else ""
