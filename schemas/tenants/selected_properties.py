"""Which properties of Entra's users a page of Graph is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.runs.sign_in import SIGN_IN_PROPERTIES
from schemas.runs.totals.source_facts import ATTRIBUTES_BY_SOURCE
from schemas.users.attributes import (
    BIRTHDAY,
    EXTENSION_ATTRIBUTES,
    EXTENSION_ATTRIBUTES_PROPERTY,
    USER_PRINCIPAL_NAME,
)
from schemas.users.graph_user import UPN_DOMAIN

if TYPE_CHECKING:
    from schemas.tenants.tenant import Tenant


def selected_properties(tenant: Tenant, also: Tenant | None = None) -> tuple[str, ...]:
    """Return the properties for `$select`, sorted, `id` always among them and `birthday` never.

    What sign-in by QR codes depends on is always asked for too. `also` are settings to compare with; then all
    properties are asked for that may fill an attribute.

    Graph has no way to select one extension attribute: the object that holds all of them is asked
    for. It gives a birthday for a single user only.
    """
    if also is not None:
        # What each of them holds is told beside the mapping.
        every = {_property(source) for source in ATTRIBUTES_BY_SOURCE}
        return tuple(sorted({*selected_properties(tenant), *selected_properties(also), *every}))
    sources = {source for row in tenant.sources.values() for source in row}
    sources |= tenant.scope.sources
    if tenant.scope.enabled_only:
        sources.add("accountEnabled")
    if tenant.scope.members_only:
        sources.add("userType")
    properties = {_property(source) for source in sources - {BIRTHDAY}}
    return tuple(sorted({*properties, "id", *SIGN_IN_PROPERTIES}))


def _property(source: str) -> str:
    if source == UPN_DOMAIN:
        return USER_PRINCIPAL_NAME
    return EXTENSION_ATTRIBUTES_PROPERTY if source in EXTENSION_ATTRIBUTES else source
