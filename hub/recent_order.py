"""The order of all tenants on the start page, found out seldom: it takes the status of each of them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from schemas.tenants.tenant_status import TenantStatus

#: Seconds for which an order is good enough: what a page shows of its tenants is as of the look at it.
KEPT: Final = 30.0


@dataclass(frozen=True, kw_only=True)
class TenantEntry:
    """A tenant's place in the order: its key and name, and whether it needs attention."""

    tenant: str
    name: str
    needs_attention: bool


class RecentOrder:
    """Remembers the order of the tenants for some seconds; for threads."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: tuple[float, Sequence[TenantEntry]] | None = None
        # While one thread finds it out, the others wait for the same order.
        self._lock = Lock()

    def find(
        self, keys: Collection[str], statuses: Callable[[], Sequence[TenantStatus]]
    ) -> Sequence[TenantEntry]:
        """Return the tenants in order, as of now or of some seconds ago.

        `keys` has the keys of all tenants as of now, and `statuses` gives the status of each.
        """
        with self._lock:
            known = self._known
            if (
                known is None
                or self._clock() - known[0] >= KEPT
                or {each.tenant for each in known[1]} != set(keys)
            ):
                found = in_order(statuses())
                known = self._known = self._clock(), found
            return known[1]


def in_order(statuses: Sequence[TenantStatus]) -> Sequence[TenantEntry]:
    """Return the tenants, those that need attention first, and each kind by name."""
    entries = [
        TenantEntry(tenant=each.tenant, name=each.name, needs_attention=bool(each.problems))
        for each in statuses
    ]
    return sorted(entries, key=lambda each: (not each.needs_attention, each.name.casefold(), each.tenant))
