"""The guard: decides whether more users are changed, not found, failed or left out than a tenant allows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind
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
) -> Iterator[Detail]:
    """Yield a sentence for each exceeded limit: which one it is, and by how much.

    `directory_size` returns how many users the tenant has, and `synced_before` how many earlier runs have
    synced, None when that is unknown. Each is called only when a count of its limits is exceeded. A share of
    an unknown number is not exceeded.
    """
    directory = directory_size, DetailKind.GUARD_EXCEEDED
    # Of the whole directory, those that a scope includes may be a small part.
    synced = synced_before, DetailKind.GUARD_EXCEEDED_OF_SYNCED
    limits = {
        "changed": (guard.changed, counts.changed, directory),
        "identity_changed": (guard.identity_changed, counts.identity_changed, directory),
        "not_found": (guard.not_found, counts.not_found, directory),
        "failed": (guard.failed, counts.failed, directory),
        "left_scope": (guard.left_scope, counts.left_scope, synced),
    }
    for name, (limit, count, (base, kind)) in limits.items():
        if limit is not None and count > limit.count:
            size = base()
            if size is not None and is_exceeded(limit, count, size):
                share = f"{limit.share * 100:.0f}"
                yield Detail(kind, limit=name, count=count, size=size, most=limit.count, share=share)


def is_exceeded(limit: Limit, count: int, directory_size: int) -> bool:
    """Say whether a limit is exceeded: both its count and its share of the users."""
    return count > limit.count and count > limit.share * directory_size
