"""A fingerprint of the settings that decide what is read and written: a new one has all users read again."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Final

from schemas.tenants.tenant import dump_tenant

if TYPE_CHECKING:
    from schemas.tenants.tenant import Tenant

#: Raise it when the code maps the same settings differently: all users are read again then.
_RULES: Final = 2

#: The settings that decide which users a run reads, and what it would write.
_RELEVANT_SETTINGS: Final = (
    "entra_tenant_id",
    "client_id",
    "organisation",
    "sources",
    "match_keys",
    "erase_blank",
    "replace_from_later_sources",
    "ssn_country",
    "skolon_profile",
    "birthdays",
    "scope",
)


def mapping_fingerprint(tenant: Tenant) -> str:
    """Return 64 hexadecimal digits that change when unchanged users may be mapped differently."""
    settings = dump_tenant(tenant)
    decisive = {"rules": _RULES, **{name: settings.get(name) for name in _RELEVANT_SETTINGS}}
    return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()
