"""Whether a list of everybody was read to its end: Graph has been seen to cut one short without a word."""

from __future__ import annotations

from typing import Final

#: By how many people, and by what share of them, Graph's count may differ from what was read and nothing be
#: wrong: the directory changes meanwhile, and the count may lag behind the list by minutes.
TOLERATED_USERS: Final = 10
TOLERATED_SHARE: Final = 0.002


def count_mismatch(*, counted: int, read: int) -> str | None:
    """Return in words how Graph's count differs from what was read, None if that need not mean anything."""
    difference = counted - read
    if abs(difference) <= max(TOLERATED_USERS, TOLERATED_SHARE * counted):
        return None
    much = f"Graph counted {counted} people, {read} were read"
    if difference > 0:
        return f"{much}: {difference} may be missing from its list"
    return f"{much}: its count may lag behind"
