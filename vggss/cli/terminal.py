"""How a command prints: tables and JSON on standard output."""

from __future__ import annotations

import shutil
import sys
from typing import Any

import click
from rich.console import Console
from rich.table import Table

WIDTH = 200  # columns where there is no terminal: nothing is wrapped


def print_json(value: Any) -> None:
    """Print a value as JSON."""
    import orjson

    click.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY).decode())


def console() -> Console:
    """Return standard output as rich writes to it: no markup, and nothing wrapped where there is no terminal."""
    width = None if sys.stdout.isatty() else max(WIDTH, shutil.get_terminal_size((WIDTH, 24)).columns)
    return Console(width=width, highlight=False, soft_wrap=False, markup=False, emoji=False)


def table_of(*columns: str, left: int = 1, title: str | None = None) -> Table:
    """Begin a table: the first ``left`` columns hold words, the others numbers."""
    table = Table(
        box=None, pad_edge=False, title=title, title_justify="left", title_style="bold", padding=(0, 2, 0, 0)
    )
    for number, name in enumerate(columns):
        table.add_column(
            name,
            justify="left" if number < left else "right",
            header_style="dim",
            overflow="fold",
            no_wrap=number >= left,
        )
    return table
