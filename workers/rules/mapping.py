"""Maps an Entra user to the attributes of a Skolon user, by the tenant's sources."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from schemas.dead_letter_reasons import Reason
from schemas.details.detail import Detail, joined
from schemas.details.kinds import DetailKind
from schemas.errors import PermanentError
from schemas.outcomes import Stage
from schemas.users.attributes import ATTRIBUTE_TABLE, USER_PRINCIPAL_NAME, Attribute, normalized_key
from workers.rules.national_ids import is_personal_number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from schemas.tenants.tenant import Tenant
    from schemas.users.graph_user import GraphUser

#: Addresses with several lines are common in Active Directory. No other attribute may hold control
#: characters.
_LINE_BREAKS: Final = {Attribute.ADDRESS: "\r\n\t"}

_NAMES: Final = frozenset({Attribute.FIRST_NAME, Attribute.LAST_NAME})

#: Attributes that tell who a user is: an invisible character in one makes it another's.
_IDENTITY: Final = frozenset(row.attribute for row in ATTRIBUTE_TABLE.values() if row.identity) | {
    Attribute.EMAIL
}

#: Attributes whose values have a form.
_WITH_FORM: Final = frozenset({Attribute.EPPN, Attribute.SSN})

#: In the user principal name of a guest: the name belongs to another directory, and no user signs in with it.
_GUEST_MARK: Final = "#EXT#"
_NOT_FROM_GUESTS: Final = frozenset({Attribute.USER_NAME, Attribute.EPPN, Attribute.IDP_IDENTIFIER})

#: Unicode's categories of invisible characters, and of separators other than the space.
_INVISIBLE: Final = frozenset({"Cf", "Zl", "Zp"})

Mapped = dict[Attribute, str | None]


@dataclass(frozen=True, kw_only=True)
class ResolvedSource:
    """The source of an attribute's value: `source`, or None if every source is blank.

    `known` is False if `source` would decide, and its property is missing: then the attribute stays as it is.
    """

    source: str | None
    value: str | None
    known: bool = True


def resolve_sources(user: GraphUser, tenant: Tenant) -> dict[Attribute, ResolvedSource]:
    """Return the deciding source of each attribute that the tenant syncs."""
    return {
        attribute: resolve_source(attribute, user, sources)
        for attribute, sources in tenant.sources.items()
        if sources
    }


def mapped_values(sources: Mapping[Attribute, ResolvedSource]) -> Mapped:
    """Return the values that Skolon should have: None if every source is blank.

    An attribute is left out if the property of the deciding source is missing.
    """
    return {attribute: each.value for attribute, each in sources.items() if each.known}


def is_personal(user: GraphUser, value: str | None) -> bool:
    """Say whether a mapped value is the user's own, and no mail address that a family may share.

    A mail address that is the user principal name too is the user's own: no other user signs in with it.
    """
    if value is None:
        return False
    names, addresses = (
        {normalized_key(Attribute.EPPN, text) for source in sources for text in user.texts(source) or ()}
        for sources in ((USER_PRINCIPAL_NAME,), ("mail", "otherMails"))
    )
    key = normalized_key(Attribute.EPPN, value)
    return key in names or key not in addresses


def invalid_values(mapped: Mapping[Attribute, str | None], tenant: Tenant) -> dict[Attribute, Detail]:
    """Return what is wrong with each value that breaks a rule of its attribute, without the value.

    Such a value is neither written nor a match key; the user's other values are.
    """
    faults = {
        attribute: list(_faults(attribute, value, tenant))
        for attribute, value in mapped.items()
        # Nearly all values are printable, and this check is quick.
        if value is not None and (attribute in _WITH_FORM or not value.isprintable())
    }
    return {attribute: joined(found) for attribute, found in faults.items() if found}


def invalid_user(faults: Mapping[Attribute, Detail]) -> PermanentError:
    """Return the error of a user that has no valid value to be matched by."""
    return PermanentError(Reason.INVALID_USER, Stage.MAP, joined(faults.values()))


def resolve_source(attribute: Attribute, user: GraphUser, sources: tuple[str, ...]) -> ResolvedSource:
    """Return which of the sources of an attribute decides."""
    for source in sources:
        texts = user.texts(source)
        if texts is None:
            return ResolvedSource(source=source, value=None, known=False)
        if texts and not (source == USER_PRINCIPAL_NAME and _is_guest_name(attribute, texts[0])):
            value = unicodedata.normalize("NFC", texts[0])
            return ResolvedSource(source=source, value=_trimmed(value) if attribute in _NAMES else value)
    return ResolvedSource(source=None, value=None)


def _is_guest_name(attribute: Attribute, text: str) -> bool:
    """Say whether a user principal name is a guest's, from which this attribute takes no value."""
    return attribute in _NOT_FROM_GUESTS and _GUEST_MARK in text.upper()


def _trimmed(text: str) -> str | None:
    """Return a name without invisible characters at its ends; other values are left to `invalid_values`."""
    if text.isprintable():
        return text
    start, end = 0, len(text)
    while start < end and _is_blank(text[start]):
        start += 1
    while start < end and _is_blank(text[end - 1]):
        end -= 1
    return text[start:end] or None


def _is_blank(sign: str) -> bool:
    return sign.isspace() or unicodedata.category(sign) in _INVISIBLE


def _faults(attribute: Attribute, value: str, tenant: Tenant) -> Iterator[Detail]:
    allowed = _LINE_BREAKS.get(attribute, "")
    if not value.isprintable() and any(
        unicodedata.category(sign) in ("Cc", "Cs") and sign not in allowed for sign in value
    ):
        yield Detail(DetailKind.CONTROL_CHARACTER, attribute=attribute)
    elif not value.isprintable() and attribute in _IDENTITY:
        yield from (
            Detail(DetailKind.INVISIBLE_CHARACTER, attribute=attribute, code=f"{ord(sign):04X}")
            for sign in dict.fromkeys(value)
            if unicodedata.category(sign) in _INVISIBLE
        )
    if attribute is Attribute.EPPN and not _is_eppn(value):
        yield Detail(DetailKind.NOT_AN_EPPN, attribute=attribute)
    if (
        attribute is Attribute.SSN
        and tenant.ssn_country
        and not is_personal_number(value, tenant.ssn_country)
    ):
        yield Detail(DetailKind.NOT_A_PERSONAL_NUMBER, attribute=attribute, country=tenant.ssn_country)


def _is_eppn(value: str) -> bool:
    name, at, domain = value.partition("@")
    return bool(name and at and domain) and "@" not in domain and not any(map(str.isspace, value))
