"""The tables that the bench writes into docs/performance.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bench import docs_tables as document
from bench.context import QUICK

if TYPE_CHECKING:
    from pathlib import Path

FOUND: dict[str, Any] = {
    "publish": {"ours": 8000.0, "theirs": 2000.0, "ratio": 4.0, "spread": 0.1},
    "unchanged": {"ours": 4000.0, "theirs": 8000.0, "ratio": 0.5, "spread": 0.1},
    "changed": {"ours": 2000.0, "theirs": 8000.0, "ratio": 0.25, "spread": 0.1},
    "requests": {"changed": {"graph": {"page": 1.0}, "skolon": {"search": 125.0, "patch": 1000.0}}},
    "details": {"changed: ours: skolon stub, share of a core": 0.2, "publish: ours": 8000.0},
    "made": {
        "command": "make bench",
        "cores": 2,
        "memory_gib": 23.5,
        "python": "3.11.7",
        "rabbitmq": "3.10.8",
        "postgresql": "15.18",
        "threads": 8,
        "sizes": vars(QUICK),
    },
}


def test_only_what_is_between_the_markers_is_written(tmp_path: Path) -> None:
    """What people wrote on the page stays, and a second time replaces the first."""
    page = tmp_path / "page.md"
    page.write_text(f"before\n{document.BEGIN}\nold\n{document.END}\nafter\n", encoding="utf-8")
    for _ in range(2):
        document.update(page, FOUND)
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"before\n{document.BEGIN}\n")
    assert text.endswith(f"{document.END}\nafter\n")
    assert "old" not in text
    assert text.count("```\nmake bench\n```") == 1


def test_a_page_without_markers_is_left_alone(tmp_path: Path) -> None:
    """Nothing is written where nobody said so."""
    page = tmp_path / "page.md"
    page.write_text("by hand\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"page\.md has no markers"):
        document.update(page, FOUND)
    assert page.read_text(encoding="utf-8") == "by hand\n"


def test_figures_requests_shares_and_the_night_are_told() -> None:
    """Each has its line, in numbers that people read."""
    text = document.render(FOUND)
    assert "1,000 in the small tenant and 5,000 in the large one" in text
    assert "| publish | 8,000 users/s | 2,000 users/s | 4 | 10% | ≥ 4: reached |" in text
    assert "| changed | 1 page | 125 search, 1000 patch |" in text
    assert "The busiest stub used 20% of a core (changed)." in text
    assert "`published` = 0.25 ms, `unchanged` = 0.50 ms, `changed` = 1.00 ms" in text
    assert "| 290 municipalities, 2,000,000 people, 5% changed |" in text


def test_a_part_of_the_figures_is_told_as_well() -> None:
    """What was not measured has no line, and nothing is foretold from it."""
    part = {name: FOUND[name] for name in ("publish", "details", "made")}
    text = document.render(part)
    assert "| publish |" in text
    assert "municipalities" not in text


def test_the_page_has_its_markers() -> None:
    """The bench can write its tables into the real page."""
    text = document.PAGE.read_text(encoding="utf-8")
    assert text.index(document.BEGIN) < text.index(document.END)
