"""The words of the product: its pages and code say users, clients and processes, not pronouns."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PRODUCT = (
    "administration", "bench", "bootstrap", "cli", "clients", "devtools", "docs", "hub",
    "producers", "queues", "runtime", "sandbox", "schemas", "store", "workers",
)  # fmt: skip
SUFFIXES = {".py", ".md", ".yaml"}
VAGUE = re.compile(
    r"\b(whoever|somebody|someone|nobody|everybody|anybody|everyone|anyone|whom)\b", re.IGNORECASE
)
MOST_PER_1000_LINES = 1
#: Names of modules, each of which has a standard term instead.
REPLACED = (
    "adoption", "beginnings", "birthday_source", "cautions", "collided", "company", "confirmations",
    "departures", "finishing", "isolation", "joined", "last_one", "letters", "marks", "masks", "moments",
    "people", "plans", "prospects", "readings", "sealing", "skolon_sync", "standing", "theirs",
    "together", "trials", "trust", "undos", "user_way", "verdict", "verdicts", "walk", "warning_once",
    "watched", "wishes", "written",
)  # fmt: skip


def files_of(folder: str) -> list[Path]:
    """Return the texts of a folder: code, pages and descriptions of messages."""
    return sorted(path for path in (ROOT / folder).rglob("*") if path.suffix in SUFFIXES)


@pytest.mark.parametrize("folder", PRODUCT)
def test_texts_name_their_subject(folder: str) -> None:
    """Pronouns such as somebody stand less than once in 1,000 lines of each folder."""
    lines = [
        (path.relative_to(ROOT), line)
        for path in files_of(folder)
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    vague = [f"{path}: {line.strip()}" for path, line in lines if VAGUE.search(line)]

    assert len(lines) > 100
    assert len(vague) * 1000 < MOST_PER_1000_LINES * len(lines), vague


def test_the_readme_names_its_subjects() -> None:
    """The README has no such word at all."""
    assert VAGUE.findall((ROOT / "README.md").read_text(encoding="utf-8")) == []


def test_no_module_has_a_name_that_was_replaced() -> None:
    """No file or folder of the product is called after a word that has a standard term."""
    found = [path for folder in PRODUCT for path in (ROOT / folder).rglob("*") if path.stem in REPLACED]

    assert found == []
