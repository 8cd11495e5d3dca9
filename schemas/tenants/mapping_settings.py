"""What a tenant's settings mean for reading: which Graph properties to select, and when to read all again."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Final

from schemas.tenants.tenant import dump_tenant
from schemas.users.attributes import BIRTHDAY, EXTENSION_ATTRIBUTES, EXTENSION_ATTRIBUTES_PROPERTY

if TYPE_CHECKING:
    from schemas.tenants.tenant import Tenant

#: Raise it when the code maps the same settings differently: all users are read again then.
_RULES: Final = 1

#: The settings that decide which users a run reads, and what it would write.
_RELEVANT_SETTINGS: Final = (
    "entra_tenant_id",
    "client_id",
    "organisation",
    "sources",
    "match_keys",
    "erase_blank",
    "ssn_country",
    "birthdays",
    "scope",
)


def mapping_fingerprint(tenant: Tenant) -> str:
    """Return 64 hexadecimal digits that change when unchanged users may be mapped differently."""
    settings = dump_tenant(tenant)
    decisive = {"rules": _RULES, **{name: settings[name] for name in _RELEVANT_SETTINGS}}
    return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()


def selected_properties(tenant: Tenant) -> tuple[str, ...]:
    """Return the properties for `$select`, sorted, `id` always among them and `birthday` never.

    Graph has no way to select one extension attribute: the object that holds all of them is asked
    for. It gives a birthday for a single user only.
    """
    sources = {source for row in tenant.sources.values() for source in row}
    sources |= {rule.source for rule in tenant.scope.exclude}
    if tenant.scope.enabled_only:
        sources.add("accountEnabled")
    if tenant.scope.members_only:
        sources.add("userType")
    properties = {_property(source) for source in sources - {BIRTHDAY}}
    return tuple(sorted(properties | {"id"}))


def _property(source: str) -> str:
    return EXTENSION_ATTRIBUTES_PROPERTY if source in EXTENSION_ATTRIBUTES else source
