"""The table that the suite writes into docs/reliability.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from devtools.chaos.results import docs_tables as document
from devtools.chaos.results import report
from devtools.chaos.results.assessment import Round

if TYPE_CHECKING:
    from pathlib import Path

ROUND = Round(
    seed=24,
    faults=["kill-pool", "skolon-down"],
    missed=["skolon-down"],
    published=2000,
    lost=0,
    wrong=0,
    done_twice_with_effect=0,
    recovered=12,
    dead_letters={"invalid_user": 20},
    duplicate_dead_letters=1,
    outage_dead_letters=0,
    unexpected=0,
    time_to_recover=4.2,
    seconds=61.0,
)
MADE = {"command": "make chaos SEED=24", "rabbitmq": "3.10.8", "postgresql": "15.18"}


def test_only_what_is_between_the_markers_is_written(tmp_path: Path) -> None:
    """What people wrote on the page stays, and a second time replaces the first."""
    page = tmp_path / "page.md"
    page.write_text(f"before\n{document.BEGIN}\nold\n{document.END}\nafter\n", encoding="utf-8")
    for _ in range(2):
        document.update(page, report.as_json([ROUND], MADE))
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"before\n{document.BEGIN}\n")
    assert text.endswith(f"{document.END}\nafter\n")
    assert "old" not in text
    assert text.count("make chaos SEED=24") == 1


def test_a_page_without_markers_is_left_alone(tmp_path: Path) -> None:
    """Nothing is written where nobody said so."""
    page = tmp_path / "page.md"
    page.write_text("by hand\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"page\.md has no markers"):
        document.update(page, report.as_json([ROUND], MADE))
    assert page.read_text(encoding="utf-8") == "by hand\n"


def test_rounds_sums_and_kinds_are_told() -> None:
    """Each round has its line with its seed, and each kind how often it struck and how often it did not."""
    text = document.render(report.as_json([ROUND, ROUND], MADE))
    assert "lost 0, wrong 0, outage dead letters 0, unexpected 0" in text
    assert "4000 people published" in text
    assert "| 2 | 24 | 2000 | 0 | 0 | 0 | 0 | 0 | 12 | 1 | 4 s | 61 s | kill-pool, (skolon-down) |" in text
    assert "| kill-pool | 2 | 0 |" in text
    assert "| skolon-down | 0 | 2 |" in text


def test_the_page_has_its_markers() -> None:
    """The suite can write its table into the real page."""
    text = document.PAGE.read_text(encoding="utf-8")
    assert text.index(document.BEGIN) < text.index(document.END)
