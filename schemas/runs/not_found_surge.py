"""Whether a run found far fewer users in Skolon than the run before it: a pure decision over totals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from schemas.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

#: A run is suspicious if the share of users that it found fell below this part of the earlier share.
LEAST_PART: Final = 0.75

#: It takes so many users more than the earlier share lets expect: a small directory's share moves easily.
TOLERATED_USERS: Final = 20

#: Skolon was not asked about these.
_NOT_LOOKED_UP: Final = (Outcome.OUT_OF_SCOPE, Outcome.SUPERSEDED)


def not_found_surge(now: Mapping[Outcome, int], earlier: Mapping[Outcome, int]) -> str | None:
    """Return why so many users that are not found are suspicious, None if they are not.

    Both are the totals of runs that read all users of one tenant: of this run, and of the last one before it.
    """
    sought, sought_before = _sought(now), _sought(earlier)
    if not sought or not sought_before:
        return None
    missing, missing_before = now.get(Outcome.NOT_FOUND, 0), earlier.get(Outcome.NOT_FOUND, 0)
    found, found_before = 1 - missing / sought, 1 - missing_before / sought_before
    if missing - sought * missing_before / sought_before <= TOLERATED_USERS:
        return None
    if found >= LEAST_PART * found_before:
        return None
    return (
        f"{missing} of {sought} users were not found in Skolon, and {missing_before} of {sought_before} in "
        "the last full run"
    )


def _sought(totals: Mapping[Outcome, int]) -> int:
    return sum(users for outcome, users in totals.items() if outcome not in _NOT_LOOKED_UP)
