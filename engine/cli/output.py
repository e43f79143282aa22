"""Lines on the terminal: what strangers wrote never moves its cursor or forges a line."""

from __future__ import annotations

import json
from typing import Any

import click

from engine.core.text import escape_controls, escape_json, escape_lines


def show(line: str, *, err: bool = False) -> None:
    """One line, on standard output or standard error."""
    click.echo(escape_controls(line), err=err)


def show_lines(text: str, *, err: bool = False) -> None:
    """Text that may have several lines of our own making."""
    click.echo(escape_lines(text), err=err)


def show_json(value: Any) -> None:
    """A value as indented JSON, keys as they come."""
    click.echo(json_text(value, indent=2))


def json_text(value: Any, *, indent: int | None = None, sort_keys: bool = False) -> str:
    """JSON that people can read in their own script."""
    written = json.dumps(value, indent=indent, sort_keys=sort_keys, ensure_ascii=False)
    return escape_json(written)
