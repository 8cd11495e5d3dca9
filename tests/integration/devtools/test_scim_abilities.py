"""What the client does with each odd SCIM server: nothing wrong, and what docs/scim-servers.md says."""

from __future__ import annotations

from devtools.odd_servers.abilities import BEGIN, END, WRONG, all_kinds, render, try_all
from devtools.odd_servers.report import PAGE


def test_the_page_says_what_the_client_does() -> None:
    """Each server with both profiles. A page that differs is written by `make scim-table ARGS=--document`."""
    rows = try_all(all_kinds())
    assert [name for name, cells in rows if WRONG in " ".join(cells)] == []
    written = PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    assert written.strip() == render(rows)
