"""Detects an incomplete list: Graph has been seen to end one early without an error."""

from __future__ import annotations

from typing import Final

#: By how many users, and by what share of them, Graph's count may differ from the list without a warning: the
#: directory changes meanwhile, and the count may lag behind the list by minutes.
TOLERATED_USERS: Final = 10
TOLERATED_SHARE: Final = 0.002


def ends_short(*, counted: int, read: int) -> bool:
    """Say whether the list lacks users that Graph counted, more than may have come or gone meanwhile."""
    return counted - read > _tolerated(counted)


def count_mismatch(*, counted: int, read: int) -> str | None:
    """Return how Graph's count differs from the number read, None if the difference is tolerable."""
    difference = counted - read
    if abs(difference) <= _tolerated(counted):
        return None
    much = f"Graph counted {counted} people, {read} were read"
    if difference > 0:
        return f"{much}: {difference} may be missing from its list"
    return f"{much}: its count may lag behind"


def _tolerated(counted: int) -> float:
    return max(TOLERATED_USERS, TOLERATED_SHARE * counted)
