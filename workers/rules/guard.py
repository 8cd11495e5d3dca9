"""The guard: decides whether more users are changed, not found, failed or left out than a tenant allows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.errors import HaltError
from schemas.outcomes import Cause

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from schemas.runs.changes import GuardCounts
    from schemas.tenants.tenant import Guard, Limit


def check_guard(
    guard: Guard,
    counts: GuardCounts,
    directory_size: Callable[[], int | None],
    synced_before: Callable[[], int | None],
) -> None:
    """Raise `HaltError` (`guard_exceeded`) for the first limit in `violations`."""
    for excess in violations(guard, counts, directory_size, synced_before):
        raise HaltError(Cause.GUARD_EXCEEDED, excess)


def violations(
    guard: Guard,
    counts: GuardCounts,
    directory_size: Callable[[], int | None],
    synced_before: Callable[[], int | None],
) -> Iterator[str]:
    """Yield a sentence for each exceeded limit: which one it is, and by how much.

    `directory_size` returns how many users the tenant has, and `synced_before` how many earlier runs have
    synced, None when that is unknown. Each is called only when a count of its limits is exceeded. A share of
    an unknown number is not exceeded.
    """
    limits = {
        "changed": (guard.changed, counts.changed, directory_size, "users"),
        "identity_changed": (guard.identity_changed, counts.identity_changed, directory_size, "users"),
        "not_found": (guard.not_found, counts.not_found, directory_size, "users"),
        "failed": (guard.failed, counts.failed, directory_size, "users"),
        # Of the whole directory, those that a scope includes may be a small part.
        "left_scope": (guard.left_scope, counts.left_scope, synced_before, "synced users"),
    }
    for name, (limit, count, base, users) in limits.items():
        if limit is not None and count > limit.count:
            size = base()
            if size is not None and is_exceeded(limit, count, size):
                yield (
                    f"guard.{name}: {count} of {size} {users}; "
                    f"the limit is {limit.count} and {limit.share:.0%}"
                )


def is_exceeded(limit: Limit, count: int, directory_size: int) -> bool:
    """Say whether a limit is exceeded: both its count and its share of the users."""
    return count > limit.count and count > limit.share * directory_size
