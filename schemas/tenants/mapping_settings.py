"""A fingerprint of how a tenant's people are read and mapped: what a delta link is good for."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Final

from schemas.tenants.tenant import dump_tenant

if TYPE_CHECKING:
    from schemas.tenants.tenant import Tenant

#: To be raised when this code comes to map the same settings otherwise: everybody is read again then.
_RULES: Final = 1

#: The settings that decide whom a run looks at, and what it would write about them.
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
    """Return 64 hexadecimal digits that change whenever people who did not change may be mapped otherwise."""
    settings = dump_tenant(tenant)
    decisive = {"rules": _RULES, **{name: settings[name] for name in _RELEVANT_SETTINGS}}
    return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()
