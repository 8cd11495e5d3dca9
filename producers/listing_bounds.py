"""Detects a list of pages that would never end, although each link is new. Pure decisions."""

from __future__ import annotations

from typing import Final

from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind

#: Pages that may be empty: Graph gives empty pages, above all in deltas.
MAX_SPARSE_PAGES: Final = 200
#: Users that each further page must bring on average. Graph's pages have up to 999.
MIN_USERS_PER_PAGE: Final = 10

#: By how much what was read may exceed what Graph counted: the count lags behind, and a list repeats users.
TOLERATED_FACTOR: Final = 2
TOLERATED_USERS: Final = 10_000
#: Most users of a directory of unknown size.
MAX_USERS: Final = 1_000_000


def endless_reason(*, pages: int, users: int, counted: int | None) -> Detail | None:
    """Return why a list with a further page would not end, None while it may.

    `users` counts the users of the pages read so far, repeated ones each time. `counted` is the directory's
    size by Graph, None if unknown.
    """
    if pages > MAX_SPARSE_PAGES + users // MIN_USERS_PER_PAGE:
        return Detail(DetailKind.PAGES_ALMOST_EMPTY, pages=pages, users=users)
    most = MAX_USERS if counted is None else TOLERATED_FACTOR * counted + TOLERATED_USERS
    if users > most:
        if counted is None:
            return Detail(DetailKind.MORE_USERS_THAN_POSSIBLE, users=users, limit=MAX_USERS)
        return Detail(DetailKind.MORE_USERS_THAN_COUNTED, users=users, counted=counted)
    return None
