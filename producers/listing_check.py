"""Detects an incomplete list: Graph has been seen to end one early without an error."""

from __future__ import annotations

from typing import Final

from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind

#: By how many users, and by what share of them, Graph's count may differ from the list without a warning: the
#: directory changes meanwhile, and the count may lag behind the list by minutes.
TOLERATED_USERS: Final = 10
TOLERATED_SHARE: Final = 0.002


def ends_short(*, counted: int, read: int) -> bool:
    """Say whether the list lacks users that Graph counted, more than may have come or gone meanwhile."""
    return counted - read > _tolerated(counted)


def count_mismatch(*, counted: int, read: int) -> Detail | None:
    """Return how Graph's count differs from the number read, None if the difference is tolerable."""
    difference = counted - read
    if abs(difference) <= _tolerated(counted):
        return None
    if difference > 0:
        return Detail(DetailKind.COUNT_HIGHER, counted=counted, read=read, missing=difference)
    return Detail(DetailKind.COUNT_LOWER, counted=counted, read=read)


def _tolerated(counted: int) -> float:
    return max(TOLERATED_USERS, TOLERATED_SHARE * counted)
