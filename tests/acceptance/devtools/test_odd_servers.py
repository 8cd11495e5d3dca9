"""A short part of the runs against odd servers: one of each kind of fault (docs/scim-servers.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from devtools.odd_servers.environment import key_of, odd_environment
from devtools.odd_servers.oddities import Oddities, SearchOddity, UpdateOddity

if TYPE_CHECKING:
    from pathlib import Path

    from devtools.services.postgresql import PostgreSQL

COMPLETED, SEARCH, UPDATE = "completed", "halted: skolon_search", "halted: skolon_update"

#: How a run with each of them ends.
SERVERS: Final[dict[Oddities, str]] = {
    frozenset({SearchOddity.FIRST_TERM_ONLY, SearchOddity.SHUFFLED_PAGES}): COMPLETED,
    frozenset({SearchOddity.NOT_FOUND_WHEN_EMPTY, SearchOddity.INTEGER_IDS}): COMPLETED,
    frozenset({SearchOddity.CURSORS, UpdateOddity.CUTS_NAMES}): COMPLETED,
    frozenset({UpdateOddity.NO_CONTENT, UpdateOddity.REFUSES_VERSIONS}): COMPLETED,
    frozenset({SearchOddity.REFUSES_EMAILS}): SEARCH,
    frozenset({UpdateOddity.NO_PATCH}): UPDATE,
}


def test_no_odd_server_loses_or_spoils_a_user(
    amqp_url: str, upgraded_database_url: str, postgresql: PostgreSQL, tmp_path: Path
) -> None:
    """Each run of real processes completes and is right, or its halt names the server's fault."""
    with odd_environment(
        tmp_path,
        list(SERVERS),
        users=50,
        amqp_url=amqp_url,
        database_url=upgraded_database_url,
        connect=postgresql.connect,
    ) as environment:
        rounds = [environment.try_server(key_of(place)) for place in range(len(SERVERS))]

    assert [found.surprises for found in rounds] == [[] for _ in SERVERS]
    assert [found.ended for found in rounds] == list(SERVERS.values())
    assert [found.server for found in rounds if found.failed or found.again] == []
