"""Whom somebody means: an Entra id, a Skolon id or an EPPN, looked for in the books."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from schemas.crypto.encryption import FieldCipher
from schemas.runs.identity_digests import normalize_eppn
from schemas.users.attributes import Attribute

if TYPE_CHECKING:
    from bootstrap.services import Services


def read_identifier(who: str) -> str:
    """Return what was written; `-` reads it from standard input, so that it gets into no history."""
    return (sys.stdin.readline() if who == "-" else who).strip()


def find_user_ids(services: Services, tenant: str, wanted: str) -> list[str]:
    """Return the Entra ids of those whom the tenant's runs have met by that id or EPPN."""
    marks = []
    if "@" in wanted:
        index = FieldCipher(services.settings.secret_keys).index
        marks = index.digests(tenant, Attribute.EPPN, normalize_eppn(wanted))
    return list(services.store.people.find(tenant, wanted, marks))
