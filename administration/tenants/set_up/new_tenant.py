"""A new tenant, which an operator adds and its own administrator connects to Entra."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from schemas.errors import InvalidTenantError, UsageError
from schemas.hub.session import AuditKind
from schemas.safe_text import is_storable
from schemas.tenants.tenant import new_tenant

if TYPE_CHECKING:
    from schemas.hub.member import Member
    from store.store import Store


class NewTenantFault(StrEnum):
    """Why a tenant is not added."""

    KEY = "key"
    #: Another tenant has the key.
    TAKEN = "taken"
    NAME = "name"
    ORGANISATION = "organisation"
    #: Another tenant writes to the same users in Skolon, and it was not said that this is meant.
    SHARED = "shared"


def add_tenant(  # noqa: PLR0913 - what is entered, who enters it, and where it goes
    key: str, name: str, organisation: str, member: Member, *, may_share: bool, store: Store
) -> NewTenantFault | None:
    """Add a tenant that is disabled and has no connection yet; None if it is there then.

    What was added already, by a first click, is not added again.
    """
    name, organisation = name.strip(), organisation.strip()
    fault = _fault(key, name, organisation)
    if fault is not None:
        return fault
    known = store.tenants.keys()
    if key in known:
        return None if _is_same(key, name, organisation, store) else NewTenantFault.TAKEN
    if not may_share and sharing_tenants(organisation, store=store):
        return NewTenantFault.SHARED
    try:
        store.tenants.add(new_tenant(key, name, organisation), None)
    except UsageError:
        # Added by another request in the same moment.
        return None if _is_same(key, name, organisation, store) else NewTenantFault.TAKEN
    store.hub_audit.record(AuditKind.TENANT_ADDED, member=member.id, tenant=key)
    return None


def sharing_tenants(organisation: str, *, store: Store) -> list[str]:
    """Return the names of the tenants with an organisation in Skolon."""
    return [each.name for each in store.tenants.outlines() if each.organisation == organisation.strip()]


def _fault(key: str, name: str, organisation: str) -> NewTenantFault | None:
    if not name.isprintable() or not is_storable(name):
        return NewTenantFault.NAME
    # Each with good values for the others: the first that is refused is wrong.
    for fault, values in (
        (NewTenantFault.KEY, (key, "x", "x")),
        (NewTenantFault.NAME, ("x", name, "x")),
        (NewTenantFault.ORGANISATION, ("x", "x", organisation)),
    ):
        try:
            new_tenant(*values)
        except InvalidTenantError:
            return fault
    return None


def _is_same(key: str, name: str, organisation: str, store: Store) -> bool:
    found = store.tenant_connections.get(key)
    is_new = not found.has_app and found.secret_set is None
    return is_new and (found.tenant.name, found.tenant.organisation) == (name, organisation)
