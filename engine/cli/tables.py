"""Tables for people; machines take `--format json`."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Prints a plain table; cells are shown as they are, never read as markup."""
    console = Console(highlight=False, soft_wrap=not Console().is_terminal)
    if not rows:
        console.print("nothing", style="dim")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in head:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console.print(table)
