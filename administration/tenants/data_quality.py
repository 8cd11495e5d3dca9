"""Data errors in Entra and Skolon that a tenant's last complete run of all users found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.errors import UsageError
from schemas.runs.sign_in import IMMUTABLE_ID
from schemas.users.attributes import Attribute

if TYPE_CHECKING:
    from schemas.reports.data_quality import DataQualityReport
    from store.store import Store


def uses_immutable_id(tenant: str, *, store: Store) -> bool:
    """Say whether a tenant's Idp identifier comes from the property that sign-in by QR codes needs."""
    return store.tenants.outline(tenant).sources[Attribute.IDP_IDENTIFIER][:1] == (IMMUTABLE_ID,)


def data_quality_of(tenant: str, *, store: Store, limit: int) -> DataQualityReport:
    """Return the report of a tenant, with at most `limit` users or groups of each kind.

    Raises `UsageError` if there is no such tenant, or no full run of it is complete.
    """
    store.tenants.outline(tenant)
    found = store.data_quality.last(tenant, limit)
    if found is None:
        raise UsageError(f"No full run of tenant '{tenant}' is complete yet: 'trigger {tenant}' starts one.")
    return found
