"""How results are printed: JSON for programs, a table on a terminal, plain columns in a pipe."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: `--json`, wherever something is printed.
json_option: Callable[..., Any] = click.option(
    "--json", "wants_json", is_flag=True, help="Print JSON and nothing else."
)


def print_json(value: object) -> None:
    """Print a value as JSON."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def print_table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows under headings; a pipe gets tab-separated lines."""
    terminal = Console()
    texts = [["" if cell is None else str(cell) for cell in row] for row in rows]
    if not terminal.is_terminal:
        for line in (headings, *texts):
            click.echo("\t".join(line))
        return
    table = Table(*headings)
    for line in texts:
        table.add_row(*line)
    terminal.print(table)


def print_fields(fields: dict[str, object]) -> None:
    """Print one thing's fields, a line each."""
    width = max(map(len, fields))
    for name, value in fields.items():
        click.echo(f"{name:<{width}}  {'' if value is None else value}")
