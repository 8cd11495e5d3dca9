"""Which settings make everybody be read again."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, Final

import pytest

from schemas.tenants.mapping_fingerprint import mapping_fingerprint
from schemas.tenants.scope import Scope
from schemas.tenants.skolon_target import SkolonLack, SkolonProfile
from schemas.tenants.tenant import Guard, Tenant, dump_tenant, restore_tenant
from schemas.users.attributes import Attribute
from tests.unit.workers.factories import equals, tenant

TENANT: Final = tenant()
DECISIVE: Final[dict[str, Any]] = {
    "entra_tenant_id": "another",
    "client_id": "another",
    "organisation": "another",
    "sources": {**TENANT.sources, Attribute.EPPN: TENANT.sources[Attribute.EPPN][::-1]},
    "match_keys": TENANT.match_keys[::-1],
    "erase_blank": frozenset([Attribute.CITY]),
    "replace_from_later_sources": frozenset([Attribute.EPPN]),
    "ssn_country": "SE",
    "skolon_profile": SkolonProfile.SS12000,
    "birthdays": False,
    "scope": Scope(exclude=(equals("city", "X"),)),
}
OTHERS: Final[dict[str, Any]] = {
    "key": "another",
    "skolon_lacks": frozenset([SkolonLack.FILTERS]),
    "needs_approval": frozenset([Attribute.EPPN]),
    "name": "Another",
    "client_secret_expires": None,
    "guard": Guard(changed=None),
    "give_up_after_hours": 1.0,
    "trust_receipts_days": 3,
    "schedule": "0 3 * * *",
    "time_zone": "UTC",
    "enabled": False,
}


def test_every_setting_is_one_or_the_other() -> None:
    """A setting that is new has to be put on one of the two lists."""
    assert {*DECISIVE, *OTHERS} == {field.name for field in fields(Tenant)}
    assert not DECISIVE.keys() & OTHERS.keys()


@pytest.mark.parametrize("name", DECISIVE)
def test_what_decides_changes_the_fingerprint(name: str) -> None:
    """Whatever decides whom a run looks at, or what it writes, makes another fingerprint."""
    changed: Tenant = replace(TENANT, **{name: DECISIVE[name]})
    assert mapping_fingerprint(changed) != mapping_fingerprint(TENANT)


@pytest.mark.parametrize("name", OTHERS)
def test_what_does_not_decide_leaves_it(name: str) -> None:
    """Other settings may be changed without everybody being read again."""
    changed: Tenant = replace(TENANT, **{name: OTHERS[name]})
    assert mapping_fingerprint(changed) == mapping_fingerprint(TENANT)


def test_stored_settings_have_the_same_fingerprint() -> None:
    """It does not matter whether a tenant comes fresh or out of the database, nor in which order a set is."""
    blank = frozenset(Attribute) - {Attribute.USER_NAME}
    fresh = tenant(erase_blank=blank)
    stored = restore_tenant(fresh.key, dump_tenant(tenant(erase_blank=frozenset(reversed(tuple(blank))))))
    assert mapping_fingerprint(stored) == mapping_fingerprint(fresh)
