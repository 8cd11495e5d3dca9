"""What the README and docs/ promise about themselves."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from devtools.containers.walkthrough import DOCUMENTED

ROOT = Path(__file__).parents[3]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
_PATH = re.compile(r"`([a-z_]+/[\w./-]+\.(?:py|md|yaml|txt))`")
_LINK = re.compile(r"\]\((?!https?:)([^)#]*)(#[^)]*)?\)")


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_operating_says_what_is_tried_on_a_real_engine() -> None:
    """Each line about containers is one that `make image-test` runs, and the other way round."""
    lines = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8").splitlines()

    assert [line.split("    #")[0] for line in lines if line.startswith("docker compose")] == list(DOCUMENTED)


def test_the_readme_fits_three_screens() -> None:
    """Its lines are few, and as wide as a terminal; what is longer is in docs/."""
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()

    assert len(lines) <= 125
    assert [line for line in lines if len(line) > 110] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Each link to a file of this repository leads to one, and to a heading that it has."""
    wrong = []
    for path, anchor in _LINK.findall(page.read_text(encoding="utf-8")):
        target = (page.parent / path) if path else page
        if not target.exists() or (anchor and anchor[1:] not in anchors(target)):
            wrong.append(path + anchor)

    assert wrong == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_that_are_named_exist(page: Path) -> None:
    """Each file of this repository that a page names is there."""
    named = _PATH.findall(page.read_text(encoding="utf-8"))

    assert [path for path in named if not (ROOT / path).exists()] == []
