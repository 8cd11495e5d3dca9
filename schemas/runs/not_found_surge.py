"""Whether a run lost too many of the users that the run before it had found in Skolon: a pure decision."""

from __future__ import annotations

from typing import Final

from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind

#: A run is suspicious if it found less than this part of the users that it had to find.
LEAST_PART: Final = 0.75

#: It takes so many lost users more: a small directory's share moves easily.
TOLERATED_USERS: Final = 20


def not_found_surge(missing: int, sought: int) -> Detail | None:
    """Return why so many users that are not found are suspicious, None if they are not.

    `sought` are the users that the last run of all users found in Skolon and that this run looked for there;
    `missing` of them it did not find. New users are in neither number: Skolon may not have them yet.
    """
    if missing <= TOLERATED_USERS or sought - missing >= LEAST_PART * sought:
        return None
    return Detail(DetailKind.NOT_FOUND_SURGE, missing=missing, sought=sought)
