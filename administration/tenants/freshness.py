"""How long ago a tenant's users were verified in Skolon."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.reports.freshness import Freshness

if TYPE_CHECKING:
    import datetime as dt

    from store.store import Store


def freshness_of(tenant: str | None, *, store: Store, now: dt.datetime) -> list[Freshness]:
    """Return the freshness of one tenant, or of all if `tenant` is None; `now` is aware.

    Raises `UsageError` if there is no such tenant.
    """
    if tenant is None:
        keys = [each.key for each in store.tenants.outlines()]
    else:
        keys = [store.tenants.outline(tenant).key]
    totals = store.tenant_overviews.user_totals(now, keys)
    return [Freshness(tenant=key, totals=totals[key]) for key in keys]
