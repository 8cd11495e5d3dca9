"""The bar of outcomes: an image made here, with the same numbers in words beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from schemas.outcomes import Outcome
from schemas.reports.user_status import SyncState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from schemas.tenants.tenant_status import UserTotals

#: Units of the image's width, and how many a share has at least, so that it can be seen.
WIDTH: Final = 1000
_NARROWEST: Final = 6

#: The order on a bar: done, then waiting, then left alone, then failed.
ORDER: Final[Sequence[Outcome | SyncState]] = (
    Outcome.UPDATED,
    Outcome.WOULD_UPDATE,
    Outcome.UNCHANGED,
    SyncState.REVERTED,
    Outcome.SUPERSEDED,
    Outcome.PENDING,
    Outcome.NOT_FOUND,
    Outcome.OUT_OF_SCOPE,
    Outcome.DEAD_LETTERED,
)


@dataclass(frozen=True, kw_only=True)
class Share:
    """So many users of an outcome, and where their part of the bar begins and how wide it is, in units."""

    outcome: Outcome | SyncState
    users: int
    begins: int
    width: int


def outcome_bar(counts: Mapping[Any, int]) -> tuple[Share, ...]:
    """Return the shares of a bar, which together are as wide as it is; empty if there are no users."""
    present = [(outcome, counts[outcome]) for outcome in ORDER if counts.get(outcome, 0) > 0]
    return tuple(_shares(present, _widths([users for _, users in present])))


def user_bar(users: UserTotals) -> tuple[Share, ...]:
    """Return the bar of a tenant's users, by the newest outcome of each."""
    return outcome_bar(
        {
            Outcome.UNCHANGED: users.in_sync,
            SyncState.REVERTED: users.reverted,
            Outcome.NOT_FOUND: users.not_found,
            Outcome.OUT_OF_SCOPE: users.out_of_scope,
            Outcome.DEAD_LETTERED: users.failures,
        }
    )


def _shares(present: Sequence[tuple[Outcome | SyncState, int]], widths: Sequence[int]) -> Iterator[Share]:
    begins = 0
    for (outcome, users), width in zip(present, widths, strict=True):
        yield Share(outcome=outcome, users=users, begins=begins, width=width)
        begins += width


def _widths(numbers: Sequence[int]) -> list[int]:
    """Return widths in proportion to numbers, none too narrow to be seen, that add up to the bar's."""
    if not numbers:
        return []
    total = sum(numbers)
    widths = [max(_NARROWEST, WIDTH * number // total) for number in numbers]
    # The widest one takes what rounding has left over, or gives what the narrow ones got too much.
    widest = max(range(len(widths)), key=widths.__getitem__)
    widths[widest] += WIDTH - sum(widths)
    return widths
