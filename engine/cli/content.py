"""Commands about content: init, check, test, simulate."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from engine.app.places import content_directory, machine_settings_file
from engine.cli.options import format_option
from engine.cli.reports import print_problems, print_test_report, print_unloadable
from engine.cli.starter import make_content
from engine.core.errors import LangError
from engine.core.values import parse_instant
from engine.lang.layers import is_shipped
from engine.lang.loader import Loaded


def _load(directory: str | None) -> Loaded:
    from engine.app.loading import load_content

    root = content_directory(directory, os.environ, Path.cwd())
    return load_content(root, _machine_settings())


def _machine_settings() -> Mapping[str, Any]:
    from engine.lang.settings import read_machine_settings

    machine, _ = read_machine_settings(machine_settings_file(None, os.environ), os.environ)
    return machine


@click.command()
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
def init(directory: Path) -> None:
    """Make a content repository to start from."""
    for name in make_content(directory):
        click.echo(f"  {directory / name}")
    click.echo(f"Now: wakil check {directory} · wakil run --content {directory}")


@click.command()
@click.argument("directory", metavar="[DIR]", required=False)
@format_option("text", "json", "github")
def check(directory: str | None, format_: str) -> None:
    """Check content; every problem with file, line and column."""
    try:
        loaded = _load(directory)
    except LangError as error:
        print_problems(error.problems, format_)
        raise click.exceptions.Exit(1) from None
    bundle = loaded.bundle
    print_problems(bundle.warnings, format_)
    if format_ == "text":
        cases = sum(len(test.cases) for test in loaded.tests)
        own = sum(not is_shipped(rule.position.file) for rule in bundle.rules)
        shipped = len(bundle.rules) - own
        click.echo(
            f"{bundle.root}: {own} rules{f' over {shipped} shipped' if shipped else ''}, "
            f"{len(bundle.playbooks)} playbooks, "
            f"{cases} cases: good ({bundle.commit})"
        )


@click.command()
@click.argument("directory", metavar="[DIR]", required=False)
@format_option("text", "json", "junit")
def test(directory: str | None, format_: str) -> None:
    """Run the rule tests of policies/tests/."""
    from engine.app.actions import ACTIONS
    from engine.lang.settings import settings_of
    from engine.playbook.rehearsal import rehearse
    from engine.rules.casetests import run_tests

    try:
        loaded = _load(directory)
    except LangError as error:
        print_unloadable(error.problems, format_)
        raise click.exceptions.Exit(1) from None
    bundle = loaded.bundle
    mode = settings_of(_machine_settings(), bundle.settings).mode
    report = run_tests(
        bundle,
        loaded.tests,
        check_run=lambda decision, facts: rehearse(bundle, ACTIONS, mode, decision, facts),
    )
    print_test_report(report, format_)
    if not report.passed:
        raise click.exceptions.Exit(1)


@click.command()
@click.option(
    "--facts",
    "file",
    required=True,
    type=click.File("rb"),
    help="Facts as JSON lines; - for standard input.",
)
@click.option("--until", metavar="TIME", help="Go on to this time after the last fact.")
@click.argument("directory", metavar="[DIR]", required=False)
def simulate(file: Any, until: str | None, directory: str | None) -> None:
    """Decisions that recorded facts would have led to, as JSON lines."""
    from engine.cli.fact_lines import LOCAL_HOST, read_facts
    from engine.rules.simulate import as_line
    from engine.rules.simulate import simulate as run_simulation

    end = None if until is None else parse_instant(until)
    if until is not None and end is None:
        raise click.UsageError(f"--until takes a time such as 2026-01-01T00:00:00Z, not {until!r}")
    try:
        bundle = _load(directory).bundle
    except LangError as error:
        print_problems(error.problems, "text", err=True)
        raise click.exceptions.Exit(1) from None
    host = bundle.settings.get("server", {}).get("host_name", LOCAL_HOST)
    facts = read_facts(file, file.name, bundle.kinds, host)
    with click.open_file("-", "wb") as out:
        for decision in run_simulation(bundle, facts, end):
            out.write(as_line(decision).encode() + b"\n")
