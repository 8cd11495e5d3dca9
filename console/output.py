"""How results are printed: JSON for programs, a table on a terminal, plain columns in a pipe."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from enum import StrEnum

#: `--json`, wherever something is printed.
json_option: Callable[..., Any] = click.option(
    "--json", "wants_json", is_flag=True, help="Print JSON and nothing else."
)


def words(enum: type[StrEnum]) -> list[str]:
    """Return the words of an enumeration, for `click.Choice`: of an enumeration it would take the names."""
    return [str(member) for member in enum]


def say(text: str, value: object, *, wants_json: bool) -> None:
    """Print what was done: the text for people, or the value as JSON."""
    if wants_json:
        print_json(value)
    else:
        click.echo(text)


def print_json(value: object) -> None:
    """Print a value as JSON."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def print_table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows under headings; a pipe gets tab-separated lines."""
    terminal = Console()
    texts = [[printable(cell) for cell in row] for row in rows]
    if not terminal.is_terminal:
        for line in (headings, *texts):
            click.echo("\t".join(line))
        return
    table = Table(*headings)
    for line in texts:
        # As text: a name in brackets would be taken for rich's markup.
        table.add_row(*(Text(cell) for cell in line))
    terminal.print(table)


def print_fields(fields: dict[str, object]) -> None:
    """Print one thing's fields, a line each."""
    width = max(map(len, fields))
    for name, value in fields.items():
        click.echo(f"{name:<{width}}  {printable(value)}".rstrip())


def printable(value: object) -> str:
    """Return a value as one line of text that can play no tricks on a terminal or with columns."""
    text = "" if value is None else str(value)
    return "".join(sign if sign.isprintable() else " " for sign in text)
