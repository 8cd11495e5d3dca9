"""What attributes, and the traits that users are compared by, are called in each language."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from schemas.details.template import AGREEING, DIFFERING
from schemas.reports.remedy import Language
from schemas.users.attributes import ATTRIBUTE_TABLE, Attribute

if TYPE_CHECKING:
    from collections.abc import Mapping

_SWEDISH_ATTRIBUTES: Final[Mapping[str, str]] = {
    Attribute.EXTERNAL_ID: "Externt id",
    Attribute.USER_NAME: "Användarnamn",
    Attribute.EMAIL: "E-post",
    Attribute.IDP_IDENTIFIER: "IdP-identifierare",
    Attribute.FIRST_NAME: "Förnamn",
    Attribute.LAST_NAME: "Efternamn",
    Attribute.CITY: "Ort",
    Attribute.ADDRESS: "Adress",
    Attribute.ZIP_CODE: "Postnummer",
    Attribute.BIRTH_DATE: "Födelsedatum",
    Attribute.HOME_PHONE: "Hemtelefon",
    Attribute.MOBILE_PHONE: "Mobiltelefon",
    Attribute.EPPN: "EPPN",
    Attribute.SSN: "Personnummer",
}

#: By attribute. In English they are the titles of Skolon's guide.
ATTRIBUTE_NAMES: Final[Mapping[Language, Mapping[str, str]]] = MappingProxyType(
    {
        Language.SWEDISH: _SWEDISH_ATTRIBUTES,
        Language.ENGLISH: {attribute: row.title for attribute, row in ATTRIBUTE_TABLE.items()},
    }
)

#: By `workers.rules.evidence.Trait`.
TRAIT_NAMES: Final[Mapping[Language, Mapping[str, str]]] = MappingProxyType(
    {
        Language.SWEDISH: {
            "personal_number": "personnummer",
            "birth_date": "födelsedatum",
            "first_name": "förnamn",
            "last_name": "efternamn",
            "external_id": "externt id",
        },
        Language.ENGLISH: {
            "personal_number": "personal number",
            "birth_date": "birth date",
            "first_name": "first name",
            "last_name": "last name",
            "external_id": "external id",
        },
    }
)

#: Where no trait agrees, and where none differs.
NO_TRAIT: Final[Mapping[str, Mapping[Language, str]]] = MappingProxyType(
    {
        AGREEING: {
            Language.SWEDISH: "inget av namn, födelsedatum och personnummer",
            Language.ENGLISH: "no name, birth date or personal number",
        },
        DIFFERING: {Language.SWEDISH: "inget", Language.ENGLISH: "none"},
    }
)
