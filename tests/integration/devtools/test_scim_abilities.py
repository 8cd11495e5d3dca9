"""What the client does with each SCIM server: nothing wrong, and what docs/scim-servers.md says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devtools.foreign_servers.abilities import (
    FOREIGN_BEGIN,
    FOREIGN_END,
    FOREIGN_HEADING,
    try_foreign_servers,
)
from devtools.odd_servers.abilities import BEGIN, END, HEADING, all_kinds, try_all
from devtools.odd_servers.report import PAGE
from devtools.odd_servers.trial import WRONG, render
from devtools.services.process import Unavailable
from tests.conftest import leave_out

if TYPE_CHECKING:
    import pytest


def written(begin: str, end: str) -> str:
    return PAGE.read_text(encoding="utf-8").partition(begin)[2].partition(end)[0].strip()


def wrong(rows: list[tuple[str, list[str]]]) -> list[str]:
    return [name for name, cells in rows if WRONG in " ".join(cells)]


def test_the_page_says_what_the_client_does() -> None:
    """Each server with both profiles. A page that differs is written by `make scim-table ARGS=--document`."""
    rows = try_all(all_kinds())
    assert wrong(rows) == []
    assert written(BEGIN, END) == render(HEADING, rows)


def test_the_page_says_what_the_client_does_with_foreign_servers(pytestconfig: pytest.Config) -> None:
    """Servers that others wrote are rows like the odd ones."""
    try:
        rows = try_foreign_servers()
    except Unavailable as error:
        leave_out(pytestconfig, "a foreign SCIM server", str(error))
    assert wrong(rows) == []
    assert written(FOREIGN_BEGIN, FOREIGN_END) == render(FOREIGN_HEADING, rows)
