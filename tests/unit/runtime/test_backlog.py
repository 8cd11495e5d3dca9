"""Who has work: asked for now and then, and never insisted on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runtime.backlog import GOOD_FOR, NOTHING_KNOWN, Work
from schemas.errors import Dependency, TransientError

if TYPE_CHECKING:
    from collections.abc import Mapping


def test_it_is_asked_for_now_and_then() -> None:
    """P10: however many want to know, the database is asked once in a while."""
    asked, moment = [0], [0.0]

    def ask() -> Mapping[str, int]:
        asked[0] += 1
        return {"exempel": asked[0]}

    work = Work(ask, clock=lambda: moment[0])
    assert [work.organisations() for _ in range(3)] == [{"exempel": 1}] * 3
    moment[0] += GOOD_FOR
    assert work.organisations() == {"exempel": 2}


def test_what_was_known_holds_while_the_database_is_away() -> None:
    """P8: who cannot ask goes by what was said before, or knows nothing."""

    def away() -> Mapping[str, int]:
        raise TransientError(Dependency.DATABASE, "away")

    assert Work(away).organisations() is None
    assert NOTHING_KNOWN.organisations() is None
