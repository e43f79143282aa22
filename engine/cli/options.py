"""Options that several commands share."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from engine.app.places import (
    content_directory,
    data_directory,
    machine_settings_file,
    make_private_directory,
)
from engine.core.errors import LangError
from engine.lang.settings import read_machine_settings
from engine.lang.yaml import parse, to_json


@dataclass(frozen=True, slots=True)
class Where:
    """Content, data and machine settings, resolved."""

    content: Path
    data: Path
    config: Path | None


def resolve(
    content: str | None, data: str | None, config: str | None, *, make_data: bool = True
) -> Where:
    """Applies the order of DESIGN, process: option, environment, default."""
    environment = os.environ
    directory = content_directory(content, environment, Path.cwd())
    settings = machine_settings_file(config, environment)
    if data is None and not environment.get("WAKIL_DATA"):
        data = _configured_data(settings, directory)
    state = data_directory(data, environment, directory)
    if make_data:
        make_private_directory(state)
    return Where(directory, state, settings)


def _configured_data(machine: Path | None, content: Path) -> str | None:
    """`data` of the machine's settings, else of configs/wakil.yaml; a relative path there is
    beneath the content."""
    found = read_machine_settings(machine, os.environ)[0].get("data")
    if found is None:
        try:
            node = parse((content / "configs" / "wakil.yaml").read_bytes(), "configs/wakil.yaml")
        except (OSError, LangError):
            return None  # what is wrong with it is told when the content is loaded
        settings = to_json(node)
        found = settings.get("data") if isinstance(settings, dict) else None
    return str(content / found) if isinstance(found, str) else None


Command = TypeVar("Command", bound=Callable[..., Any])


def _decorate(function: Command, *options: Callable[[Command], Command]) -> Command:
    for option in reversed(options):
        function = option(function)
    return function


def place_options(function: Command) -> Command:
    """`--content`, `--data`, `--config`."""
    return _decorate(
        function,
        click.option("--content", metavar="DIR", help="Content (WAKIL_CONTENT)."),
        click.option("--data", metavar="DIR", help="Data directory (WAKIL_DATA)."),
        click.option("--config", metavar="FILE", help="The machine's settings (WAKIL_CONFIG)."),
    )


def server_options(function: Command) -> Command:
    """Where a command finds its server: places on this machine, or `--url`."""
    return _decorate(
        place_options(function),
        click.option(
            "--url",
            metavar="URL",
            envvar="WAKIL_URL",
            callback=_address,
            help="A server elsewhere (WAKIL_URL); its token is WAKIL_TOKEN.",
        ),
    )


def _address(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    if value is not None and not value.startswith(("http://", "https://")):
        raise click.BadParameter(f"an address such as http://127.0.0.1:8000, not {value!r}")
    return value


def format_option(*formats: str) -> Callable[[Command], Command]:
    """`--format`, the first being the default."""
    return click.option(
        "--format", "format_", type=click.Choice(formats), default=formats[0], show_default=True
    )
