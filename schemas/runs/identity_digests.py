"""Keyed digests of EPPN, address and national id, by which the database finds equal ones."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from schemas.users.attributes import Attribute, normalized_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.crypto.blind_index import BlindIndex

#: A Swedish personal number, with or without its century and its sign.
_SWEDISH: Final = re.compile(r"(?P<century>\d\d)?(?P<date>\d{6})(?P<sign>[-+]?)(?P<last>[^\W_]{4})")


@dataclass(frozen=True, kw_only=True)
class IdentityDigests:
    """The digests of one user's values; None where there is no value.

    `mail` is Entra's address, as if it were an EPPN: the two are compared.
    """

    eppn: str | None = None
    ssn: str | None = None
    mail: str | None = None


def identity_digests_of(
    mapped: Mapping[Attribute, str | None],
    tenant: str,
    index: BlindIndex,
    year: int,
    *,
    mail: str | None = None,
) -> IdentityDigests:
    """Return the digests of mapped values and of Entra's `mail`.

    `year` is the current one: it determines a missing century.
    """
    ssn = mapped.get(Attribute.SSN)
    eppn, address = (
        None if value is None else index.digest(tenant, Attribute.EPPN, normalize_eppn(value))
        for value in (mapped.get(Attribute.EPPN), mail)
    )
    return IdentityDigests(
        eppn=eppn,
        ssn=None if ssn is None else index.digest(tenant, Attribute.SSN, normalize_national_id(ssn, year)),
        mail=address,
    )


def normalize_eppn(eppn: str) -> str:
    """Return an EPPN such that equal ones are the same text: case does not count."""
    return normalized_key(Attribute.EPPN, eppn.strip())


def normalize_national_id(number: str, year: int) -> str:
    """Return a personal number such that equal ones are the same text: a Swedish one of 12 signs.

    Without a century it is the latest that lies not ahead of `year`, or the one before that if a plus says
    so (Skatteverket). Other countries' numbers only lose what separates their parts.
    """
    text = number.strip().upper()
    found = _SWEDISH.fullmatch(text)
    if found is None:
        return re.sub(r"[\s-]", "", text)
    century = found["century"]
    if century is None:
        born = year - (year - int(found["date"][:2])) % 100
        century = f"{(born - (100 if found['sign'] == '+' else 0)) // 100:02}"
    return f"{century}{found['date']}{found['last']}"
