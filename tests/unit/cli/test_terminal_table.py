"""Tables on terminals of any width: nothing is cut, and lines are no longer than the terminal."""

from __future__ import annotations

import pytest

from cli.terminal_table import column_widths, render_table

HEADINGS = ("run", "user", "reason", "since", "detail")
ROW = (
    "17",
    "6a1c0c3e-0000-4000-8000-00000000aaaa",
    "rejected_by_skolon",
    "2026-11-26T02:31:05Z",
    "email: Skolon refused the value, and said that another user has it",
)


def words_of(lines: list[str]) -> str:
    return " ".join(" ".join(lines).replace("│", " ").replace("┃", " ").split())


@pytest.mark.parametrize("width", [200, 150, 130])
def test_a_table_is_as_wide_as_the_terminal_at_most(width: int) -> None:
    """Texts fold between words; ids, dates and reasons stay in one piece."""
    lines = render_table(HEADINGS, [ROW, ROW], width)
    assert max(map(len, lines)) <= width
    assert lines[0].startswith("┏")
    for cell in ROW[:-1]:
        assert sum(cell in line for line in lines) == 2
    assert all(word in words_of(lines) for word in ROW[-1].split())
    assert "…" not in words_of(lines)


@pytest.mark.parametrize("width", [100, 80, 40])
def test_a_narrow_terminal_gets_blocks(width: int) -> None:
    """Names and values, as many in a line as fit, and an id is never broken."""
    lines = render_table(HEADINGS, [ROW, ROW], width)
    assert lines[0].startswith("run: 17")
    assert sum(line.startswith("run: ") for line in lines) == 2
    for name, cell in zip(HEADINGS, ROW, strict=True):
        assert sum(f"{name}: {cell}" in line for line in lines) == 2


def test_what_is_empty_takes_no_place_in_a_block() -> None:
    """Blocks leave out cells without a text."""
    assert render_table(("a", "b", "c"), [("x" * 30, "", "y")], 20) == [f"a: {'x' * 30}", "  c: y"]


def test_short_columns_get_what_they_need_first() -> None:
    """The longest text is the one that folds."""
    rows = [("short text", "word " * 40)]
    assert column_widths(("a", "b"), rows, 60) == [10, 60 - 7 - 10]
