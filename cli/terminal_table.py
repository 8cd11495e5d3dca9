"""Fits a table into the width of a terminal without cutting anything."""

from __future__ import annotations

import io
from itertools import starmap
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Columns of the terminal that a text needs at least to be read when it folds.
_NARROWEST: Final = 24

#: What the borders take: two spaces and a line for each column, and one more line.
_BORDER: Final = 3

_GAP: Final = "   "
_INDENT: Final = "  "


def render_table(headings: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """Return the lines of a table at most `width` wide, or of blocks of names and values if that is too wide.

    The cells are texts that a terminal can show.
    """
    widths = column_widths(headings, rows, width)
    if widths is None:
        return [line for row in rows for line in _block(headings, row, width)]
    columns = [Column(name, width=each, overflow="fold") for name, each in zip(headings, widths, strict=True)]
    table = Table(*columns)
    for row in rows:
        # As text: a name in brackets would be taken for rich's markup.
        table.add_row(*map(Text, row))
    # Written by the caller, so that a test can see the same lines.
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    with console.capture() as captured:
        console.print(table)
    return captured.get().splitlines()


def column_widths(headings: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[int] | None:
    """Return how wide each column becomes, None if the words do not fit side by side.

    A column is never narrower than its longest word. What is left goes to the columns that need least.
    """
    columns = list(zip(headings, *rows, strict=True))
    needed = [max(map(cell_len, column)) for column in columns]
    widths = list(starmap(_narrowest, zip(columns, needed, strict=True)))
    left = width - _BORDER * len(columns) - 1 - sum(widths)
    if left < 0:
        return None
    for place in sorted(range(len(columns)), key=lambda place: needed[place] - widths[place]):
        more = min(left, needed[place] - widths[place])
        widths[place] += more
        left -= more
    return widths


def _narrowest(column: Sequence[str], needed: int) -> int:
    longest_word = max(cell_len(word) for cell in column for word in [*cell.split(), ""])
    return max(longest_word, min(needed, _NARROWEST))


def _block(headings: Sequence[str], row: Sequence[str], width: int) -> list[str]:
    """Return one row as names and values, as many in a line as fit; a text that is longer goes on below."""
    lines: list[str] = []
    for name, cell in zip(headings, row, strict=True):
        if not cell:
            continue
        pair = f"{name}: {cell}"
        if lines and cell_len(lines[-1]) + len(_GAP) + cell_len(pair) <= width:
            lines[-1] += f"{_GAP}{pair}"
        else:
            lines.append(f"{_INDENT if lines else ''}{pair}")
    return lines
