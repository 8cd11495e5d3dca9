"""The guard: decides whether a run has changed, not found or failed for more users than its tenant allows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.errors import HaltError
from schemas.outcomes import Cause

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from schemas.runs.changes import GuardCounts
    from schemas.tenants.tenant import Guard, Limit


def check_guard(guard: Guard, counts: GuardCounts, directory_size: Callable[[], int | None]) -> None:
    """Raise `HaltError` (`guard_exceeded`) for the first limit in `violations`."""
    for excess in violations(guard, counts, directory_size):
        raise HaltError(Cause.GUARD_EXCEEDED, excess)


def violations(guard: Guard, counts: GuardCounts, directory_size: Callable[[], int | None]) -> Iterator[str]:
    """Yield a sentence for each exceeded limit: which one it is, and by how much.

    `directory_size` returns how many users the tenant has, None when that is unknown. It is called only when
    a count is exceeded. A share of an unknown number is not exceeded.
    """
    limits = {
        "changed": (guard.changed, counts.changed),
        "identity_changed": (guard.identity_changed, counts.identity_changed),
        "not_found": (guard.not_found, counts.not_found),
        "failed": (guard.failed, counts.failed),
    }
    for name, (limit, count) in limits.items():
        if limit is not None and count > limit.count:
            size = directory_size()
            if size is not None and is_exceeded(limit, count, size):
                yield (
                    f"guard.{name}: {count} of {size} users; the limit is {limit.count} and {limit.share:.0%}"
                )


def is_exceeded(limit: Limit, count: int, directory_size: int) -> bool:
    """Say whether a limit is exceeded: both its count and its share of the users."""
    return count > limit.count and count > limit.share * directory_size
