"""The attribute table: which Skolon attribute may be filled from which property of an Entra user.

It is the table of Skolon's guide to the Microsoft Entra update sync, as data. Where the guide says
`otherEmails`, Graph's `otherMails` is meant: Graph has no property of the other name.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The fifteen properties inside Graph's `onPremisesExtensionAttributes`.
EXTENSION_ATTRIBUTES: Final = tuple(f"extensionAttribute{number}" for number in range(1, 16))

#: The Graph property that holds all the extension attributes; they cannot be selected one by one.
EXTENSION_ATTRIBUTES_PROPERTY: Final = "onPremisesExtensionAttributes"

#: Graph gives it for a single user only, never on a list.
BIRTHDAY: Final = "birthday"

USER_PRINCIPAL_NAME: Final = "userPrincipalName"


class Attribute(StrEnum):
    """The fourteen attributes of a Skolon user that the sync keeps up to date."""

    EXTERNAL_ID = "external_id"
    USER_NAME = "user_name"
    EMAIL = "email"
    IDP_IDENTIFIER = "idp_identifier"
    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    CITY = "city"
    ADDRESS = "address"
    ZIP_CODE = "zip_code"
    BIRTH_DATE = "birth_date"
    HOME_PHONE = "home_phone"
    MOBILE_PHONE = "mobile_phone"
    EPPN = "eppn"
    SSN = "ssn"


@dataclass(frozen=True, kw_only=True)
class AttributeRow:
    """One row of the table.

    `sources` are the allowed ones in the guide's order; `default` are those used, in order, when
    the tenant says nothing. `identity` attributes are the ones that lock a user out when they
    change by mistake.
    """

    attribute: Attribute
    title: str
    sources: tuple[str, ...]
    default: tuple[str, ...]
    configurable: bool = False
    identity: bool = False


def _fixed(attribute: Attribute, title: str, source: str, *, identity: bool = False) -> AttributeRow:
    return AttributeRow(
        attribute=attribute, title=title, sources=(source,), default=(source,), identity=identity
    )


def _configurable(
    attribute: Attribute, title: str, *default: str, further: tuple[str, ...] = (), identity: bool = False
) -> AttributeRow:
    return AttributeRow(
        attribute=attribute,
        title=title,
        sources=default + further,
        default=default,
        configurable=True,
        identity=identity,
    )


_ROWS: Final = (
    _fixed(Attribute.EXTERNAL_ID, "External Id", "id", identity=True),
    _configurable(Attribute.USER_NAME, "User name", "userPrincipalName", "mail", "otherMails", identity=True),
    _configurable(Attribute.EMAIL, "E-mail", "mail", "otherMails"),
    _configurable(
        Attribute.IDP_IDENTIFIER,
        "Idp identifier",
        "userPrincipalName",
        "mail",
        "otherMails",
        "onPremisesImmutableId",
        identity=True,
    ),
    _fixed(Attribute.FIRST_NAME, "First name", "givenName"),
    _fixed(Attribute.LAST_NAME, "Last name", "surname"),
    _fixed(Attribute.CITY, "City", "city"),
    _fixed(Attribute.ADDRESS, "Address", "streetAddress"),
    _fixed(Attribute.ZIP_CODE, "Zip code", "postalCode"),
    _fixed(Attribute.BIRTH_DATE, "Birth date", BIRTHDAY),
    _fixed(Attribute.HOME_PHONE, "Home phone number", "mobilePhone"),
    _fixed(Attribute.MOBILE_PHONE, "Mobile phone number", "mobilePhone"),
    _configurable(
        Attribute.EPPN,
        "EPPN",
        "mail",
        "otherMails",
        "userPrincipalName",
        further=EXTENSION_ATTRIBUTES,
        identity=True,
    ),
    _configurable(Attribute.SSN, "SSN", further=EXTENSION_ATTRIBUTES, identity=True),
)

ATTRIBUTE_TABLE: Final[Mapping[Attribute, AttributeRow]] = MappingProxyType(
    {row.attribute: row for row in _ROWS}
)

#: Attributes that tell who a user is, and may come from several sources, of which the first is the best.
SOURCE_ORDERED_ATTRIBUTES: Final = (
    Attribute.USER_NAME,
    Attribute.EMAIL,
    Attribute.IDP_IDENTIFIER,
    Attribute.EPPN,
)

#: Attributes that lock users out if they are wrong: a change of their sources can need a second person.
APPROVABLE_ATTRIBUTES: Final = tuple(row.attribute for row in _ROWS if row.identity)

#: Attributes by which a user can be found in Skolon: each value belongs to one user at most.
MATCH_KEYS: Final = (
    Attribute.EXTERNAL_ID,
    Attribute.EPPN,
    Attribute.USER_NAME,
    Attribute.EMAIL,
    Attribute.IDP_IDENTIFIER,
    Attribute.SSN,
)

#: Compared without regard to case: External Id because Entra's are GUIDs (RFC 9562 section 4), EPPN by the
#: domain's custom, User name by RFC 7643 section 4.1.1 (`caseExact` false), e-mail by common practice.
CASE_INSENSITIVE_ATTRIBUTES: Final = frozenset(
    {Attribute.EXTERNAL_ID, Attribute.EPPN, Attribute.USER_NAME, Attribute.EMAIL}
)


def values_match(attribute: Attribute, left: str | None, right: str | None) -> bool:
    """Say whether two values of an attribute are the same as far as Skolon is concerned.

    Case alone is no change of a `CASE_INSENSITIVE_ATTRIBUTES` value. An Idp identifier is compared to the
    letter, and everything else is written as Entra has it.
    """
    # Nearly all values are the same to the letter.
    if left == right:
        return True
    if attribute in CASE_INSENSITIVE_ATTRIBUTES and left is not None and right is not None:
        return normalized_key(attribute, left) == normalized_key(attribute, right)
    return False


def keys_match(attribute: Attribute, left: str, right: str) -> bool:
    """Say whether two values of a match key name the same user."""
    return left == right or normalized_key(attribute, left) == normalized_key(attribute, right)


def normalized_key(attribute: Attribute, value: str) -> str:
    """Return a value of a match key in a form that is equal for values that name the same user.

    It is in Unicode's form C. Small letters stand for capital ones, and nothing else is folded: full case
    folding would take `ß` and `ss`, which are two addresses, for the same.
    """
    composed = unicodedata.normalize("NFC", value)
    return composed.lower() if attribute in CASE_INSENSITIVE_ATTRIBUTES else composed
