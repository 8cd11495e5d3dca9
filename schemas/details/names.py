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

#: What is an abbreviation, or begins with one, keeps its capitals within a sentence.
_ABBREVIATIONS: Final = frozenset({Attribute.EPPN, Attribute.IDP_IDENTIFIER})

#: By attribute. In English they are the titles of Skolon's guide.
ATTRIBUTE_NAMES: Final[Mapping[Language, Mapping[str, str]]] = MappingProxyType(
    {
        Language.SWEDISH: _SWEDISH_ATTRIBUTES,
        Language.ENGLISH: {attribute: row.title for attribute, row in ATTRIBUTE_TABLE.items()},
    }
)

#: By attribute, within a sentence.
NAMES_IN_SENTENCES: Final[Mapping[Language, Mapping[str, str]]] = MappingProxyType(
    {
        Language.SWEDISH: {
            attribute: name if attribute in _ABBREVIATIONS else name.lower()
            for attribute, name in _SWEDISH_ATTRIBUTES.items()
        },
        Language.ENGLISH: ATTRIBUTE_NAMES[Language.ENGLISH],
    }
)

#: By the guard's limit: what would become of the users that it counts.
GUARD_NAMES: Final[Mapping[Language, Mapping[str, str]]] = MappingProxyType(
    {
        Language.SWEDISH: {
            "changed": "skulle ändras",
            "identity_changed": "skulle få ett annat användarnamn, EPPN eller annat id",
            "not_found": "hittas inte i Skolon",
            "failed": "kan inte uppdateras",
            "left_scope": "skulle utelämnas",
        },
        Language.ENGLISH: {
            "changed": "would be changed",
            "identity_changed": "would get another user name, EPPN or other id",
            "not_found": "are not found in Skolon",
            "failed": "cannot be updated",
            "left_scope": "would be left out",
        },
    }
)

#: By the code of a country whose personal numbers can be checked (ISO 3166-1).
COUNTRY_NAMES: Final[Mapping[Language, Mapping[str, str]]] = MappingProxyType(
    {
        Language.SWEDISH: {"SE": "Sverige", "NO": "Norge", "DK": "Danmark", "FI": "Finland"},
        Language.ENGLISH: {"SE": "Sweden", "NO": "Norway", "DK": "Denmark", "FI": "Finland"},
    }
)

#: What stands before the last one of several.
CONJUNCTIONS: Final[Mapping[Language, str]] = MappingProxyType(
    {Language.SWEDISH: "och", Language.ENGLISH: "and"}
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
