"""Who has work: asked for now and then, and never insisted on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runtime.backlog import CACHE_SECONDS, UNKNOWN_BACKLOG, Backlog
from schemas.errors import Dependency, TransientError

if TYPE_CHECKING:
    from collections.abc import Mapping


def test_it_is_asked_for_now_and_then() -> None:
    """P10: however many want to know, the database is asked once in a while."""
    asked, moment = [0], [0.0]

    def query() -> Mapping[str, int]:
        asked[0] += 1
        return {"exempel": asked[0]}

    backlog = Backlog(query, clock=lambda: moment[0])
    assert [backlog.users_waiting() for _ in range(3)] == [{"exempel": 1}] * 3
    moment[0] += CACHE_SECONDS
    assert backlog.users_waiting() == {"exempel": 2}


def test_what_was_known_holds_while_the_database_is_away() -> None:
    """P8: who cannot ask goes by what was said before, or knows nothing."""

    def away() -> Mapping[str, int]:
        raise TransientError(Dependency.DATABASE, "away")

    assert Backlog(away).users_waiting() is None
    assert UNKNOWN_BACKLOG.users_waiting() is None
