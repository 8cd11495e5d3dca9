"""How results are printed: JSON for programs, a table on a terminal, plain columns in a pipe.

All that commands say goes out here, so nothing that others wrote gets raw to a terminal: ids of Skolon's,
names of foreign queues, codes of servers' errors.
"""

from __future__ import annotations

import sys
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any

import click

from schemas.details.detail import texts_of
from schemas.reports.remedy import Language
from schemas.safe_text import one_line, safe_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from enum import StrEnum

#: `--json`, wherever something is printed.
json_option: Callable[..., Any] = click.option(
    "--json", "wants_json", is_flag=True, help="Print JSON and nothing else."
)


def choices(enum: type[StrEnum]) -> list[str]:
    """Return the words of an enumeration, for `click.Choice`: of an enumeration it would take the names."""
    return [str(member) for member in enum]


def echo(*lines: object, err: bool = False) -> None:
    """Print lines, an empty one if there are none; what would break a line or trick a terminal is escaped."""
    click.echo("\n".join(map(one_line, lines)), err=err)  # noqa: TID251 - made safe


def print_result(text: str, value: object, *, wants_json: bool) -> None:
    """Print what was done: the text for people, or the value as JSON."""
    if wants_json:
        print_json(value)
    else:
        echo(text)


def print_json(value: object) -> None:
    """Print a value as JSON."""
    click.echo(safe_json(value, indent=2))  # noqa: TID251 - made safe


def print_columns(cells: Sequence[object]) -> None:
    """Print one line of columns, with tabs between them."""
    click.echo("\t".join(map(one_line, cells)))  # noqa: TID251 - made safe


def print_table(
    headings: Sequence[str], rows: Sequence[Sequence[object]], *, nothing: str | None = None
) -> None:
    """Print rows under headings; a pipe gets tab-separated lines. `nothing` is said in place of no rows.

    On a terminal nothing is cut: texts fold between words, and where that is not enough each row becomes a
    few lines of names and values.
    """
    if not rows and nothing is not None:
        echo(nothing)
        return
    texts = [[one_line(cell) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        for line in (headings, *texts):
            click.echo("\t".join(line))  # noqa: TID251 - made safe above
        return
    from cli.terminal_table import render_table  # noqa: PLC0415 - slow to import, and only terminals need it

    for line in render_table(headings, texts, get_terminal_size().columns):
        click.echo(line)  # noqa: TID251 - made safe above


def print_fields(fields: dict[str, object]) -> None:
    """Print one thing's fields, a line each."""
    width = max(map(len, fields))
    for name, value in fields.items():
        echo(f"{name:<{width}}  {one_line(value)}".rstrip())


def localized(name: str, detail: str | None) -> dict[str, object]:
    """Return a detail as a field for each language: one if all are the same, none without a detail."""
    if detail is None:
        return {}
    return localized_texts(name, texts_of(detail))


def localized_texts(name: str, texts: Mapping[Language, str]) -> dict[str, object]:
    """Return the texts of each language as fields: one if all are the same."""
    if len(set(texts.values())) == 1:
        return {name: texts[Language.ENGLISH]}
    return {f"{name} ({language})": text for language, text in texts.items()}


def echo_detail(name: str, detail: str | None) -> None:
    """Print a detail under a name, a line for each language."""
    for label, text in localized(name, detail).items():
        echo(f"{label}: {text}")


def echo_texts(texts: Mapping[Language, str], *, indent: int = 2) -> None:
    """Print what people are told, a line for each language; one line if all are the same."""
    for label, text in localized_texts("", texts).items():
        echo(f"{'':<{indent}}{label.strip(' ()'):<4}{text}")
