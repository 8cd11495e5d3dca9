"""Tries what the sync needs of a SCIM server with each odd one, and prints what the client does: a table.

The servers that others wrote have a table of their own. `--document` writes both into docs/scim-servers.md.
Tests hold the page to them.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from devtools.foreign_servers.abilities import (
    FOREIGN_BEGIN,
    FOREIGN_END,
    FOREIGN_HEADING,
    try_foreign_servers,
)
from devtools.marked_page import write_between
from devtools.odd_servers.environment import OddServers
from devtools.odd_servers.oddities import ALL_ODDITIES, Oddities
from devtools.odd_servers.organisation import OddOrganisation, shaped
from devtools.odd_servers.report import PAGE
from devtools.odd_servers.school import school_user
from devtools.odd_servers.trial import ABSENT, USERS, WRONG, made_up_user, render, try_server
from devtools.services.process import Unavailable
from sandbox.serving import serve
from schemas.tenants.skolon_target import SkolonProfile

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from wsgiref.types import StartResponse, WSGIEnvironment

BEGIN: Final = "<!-- written by devtools/odd_servers/abilities.py: begin -->"
END: Final = "<!-- written by devtools/odd_servers/abilities.py: end -->"
HEADING: Final = "a server that has"


def _organisation(oddities: Oddities, profile: SkolonProfile) -> OddOrganisation:
    users = {str(number): shaped(made_up_user(number), oddities) for number in range(USERS)}
    if profile is SkolonProfile.SS12000:
        users = {number: school_user(user) for number, user in users.items()}
    return OddOrganisation(users, oddities)


def _nothing(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("404 Not Found", [("Content-Length", "0")])
    return [b""]


def try_all(kinds: Sequence[Oddities]) -> list[tuple[str, list[str]]]:
    """Return for each server its name, and a cell for each of `COLUMNS`; profiles that differ are named."""
    places = {
        f"{place}-{profile}": (oddities, profile)
        for place, oddities in enumerate(kinds)
        for profile in SkolonProfile
    }
    organisations = {key: _organisation(*kind) for key, kind in places.items()}
    with ExitStack() as stack:
        served = stack.enter_context(serve(OddServers(organisations).around(_nothing), threads=4))
        cells = {}
        for key, (_, profile) in places.items():
            base_url = f"{served.url}/{{organisation}}/scim/v2"
            cells[key] = try_server(base_url, "made-up", key, organisations[key], profile)
    return [
        (
            ", and ".join(sorted(oddities)) or "nothing odd",
            list(map(_of_both, *(cells[f"{place}-{profile}"] for profile in SkolonProfile))),
        )
        for place, oddities in enumerate(kinds)
    ]


def _of_both(assumed: str, school: str) -> str:
    return assumed if school in (assumed, ABSENT) else f"{assumed}; ss12000: {school}"


def all_kinds() -> list[Oddities]:
    """Return the servers of the table: none odd, and each oddity alone."""
    return [frozenset(), *(frozenset({one}) for one in ALL_ODDITIES)]


def main(arguments: Sequence[str]) -> int:
    """Print the table, or write it into the page; return 1 if a cell is what must not be."""
    parser = argparse.ArgumentParser(prog="python -m devtools.odd_servers.abilities", description=__doc__)
    parser.add_argument("--document", action="store_true", help="write the table into docs/")
    wanted = parser.parse_args(arguments)
    rows = try_all(all_kinds())
    tables = [(BEGIN, END, render(HEADING, rows))]
    try:
        foreign = try_foreign_servers()
        rows += foreign
        tables.append((FOREIGN_BEGIN, FOREIGN_END, render(FOREIGN_HEADING, foreign)))
    except Unavailable as error:
        print(f"Servers that others wrote are left out: {error}", file=sys.stderr)  # noqa: T201 - likewise
    for begin, end, table in tables:
        if wanted.document:
            write_between(PAGE, begin, end, table)
        else:
            print(table, "\n")  # noqa: T201 - a command's output
    return int(any(WRONG in cell for _, cells in rows for cell in cells))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
