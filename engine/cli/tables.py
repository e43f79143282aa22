"""Tables for people; machines take `--format json`."""

from __future__ import annotations

from collections.abc import Sequence

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from engine.core.text import escape_controls

_WIDE = 10_000


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Prints a plain table; cells are shown as they are, never read as markup. Into a pipe each
    row is one line, however long."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_WIDE)
    if not rows:
        console.print("nothing", style="dim")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in head:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(Text(escape_controls(cell)) for cell in row))
    with console.capture() as capture:
        console.print(table)
    for line in capture.get().splitlines():
        click.echo(line.rstrip())
