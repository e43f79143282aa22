"""Commands about who may do what: tokens, users, the audit trail."""

from __future__ import annotations

from typing import Any

import click

from engine.cli.connection import connect
from engine.cli.options import server_options

ROLES = ("viewer", "operator", "admin")


@click.group()
def token() -> None:
    """Make tokens for the API."""


@token.command("create")
@click.option("--name", required=True, help="Whose it is; names may repeat.")
@click.option("--role", type=click.Choice(ROLES), required=True)
@server_options
def create_token(name: str, role: str, **place: Any) -> None:
    """Print a new token, and nothing else."""
    with connect(**place) as api:
        click.echo(api.post("/tokens", {"name": name, "role": role})["token"])


@click.group()
def user() -> None:
    """Add people who may sign in."""


@user.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), required=True)
@click.password_option(help="Asked for where it is not given.")
@server_options
def add_user(name: str, role: str, password: str, **place: Any) -> None:
    """Add a person who may sign in."""
    with connect(**place) as api:
        api.post("/users", {"name": name, "role": role, "password": password})
    click.echo(f"{name} may sign in as {role}")


@click.group()
def audit() -> None:
    """Check the audit trail."""


@audit.command("verify")
@server_options
def verify_audit(**place: Any) -> None:
    """Tell whether the audit trail is whole; exit 1 where it is not."""
    with connect(**place) as api:
        found = api.get("/audit/verify")
    if found["good"]:
        click.echo(f"the audit trail is whole: {found['entries']} entries")
        return
    where = "" if found["entry"] is None else f" from entry {found['entry']} on"
    click.echo(f"the audit trail does not hold{where}: {found['reason']}")
    raise click.exceptions.Exit(1)
