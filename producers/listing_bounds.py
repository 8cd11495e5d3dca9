"""Whether a list of pages can still come to an end, however new each of its links is. Pure."""

from __future__ import annotations

from typing import Final

#: Pages that may be as empty as they like: Graph gives empty pages, of deltas above all.
MAX_SPARSE_PAGES: Final = 200
#: Users that each page brings at least beyond these, on average. Graph's pages hold up to 999.
MIN_USERS_PER_PAGE: Final = 10

#: By how much what was read may exceed what Graph counted: the count lags behind, and a list repeats users.
TOLERATED_FACTOR: Final = 2
TOLERATED_USERS: Final = 10_000
#: Users of a directory whose size is not known.
MAX_USERS: Final = 1_000_000


def endless_reason(*, pages: int, users: int, counted: int | None) -> str | None:
    """Return in words why a list with a further page has no end, None while it may have one.

    `users` are those of the pages read so far, however often each came; `counted` is the directory's size
    as Graph told it.
    """
    if pages > MAX_SPARSE_PAGES + users // MIN_USERS_PER_PAGE:
        return f"{pages} pages had {users} users, and there is a next page; the list would never end"
    most = MAX_USERS if counted is None else TOLERATED_FACTOR * counted + TOLERATED_USERS
    if users > most:
        size = f"more than {MAX_USERS} are not waited for" if counted is None else f"Graph counts {counted}"
        return f"{users} users came, {size}, and there is a next page; the list would never end"
    return None
