"""Sources of Entra, what is wrong with a file, and who has changed what, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask_babel import gettext
from flask_babel import lazy_gettext as _

from schemas.details.names import ATTRIBUTE_NAMES
from schemas.tenants.mapping.sources import MappingFault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask_babel.speaklater import LazyString

    from schemas.hub.action import Actor
    from schemas.hub.api_token import ApiToken
    from schemas.reports.remedy import Language
    from schemas.tenants.mapping.sources import MappingFaultAt

#: What a source is called in Entra's own pages, where that is another name.
SOURCES: Final[Mapping[str, LazyString]] = {
    "id": _("Object ID"),
    "userPrincipalName": _("User principal name"),
    "mail": _("Email"),
    "otherMails": _("Other emails, the first one"),
    "onPremisesImmutableId": _("On-premises immutable ID"),
    "givenName": _("First name"),
    "surname": _("Last name"),
    "city": _("City"),
    "streetAddress": _("Street address"),
    "postalCode": _("ZIP or postal code"),
    "birthday": _("Birthday"),
    "mobilePhone": _("Mobile phone"),
}

_FAULTS: Final[Mapping[MappingFault, LazyString]] = {
    MappingFault.NOT_JSON: _("The file is not JSON. Choose one that was exported here."),
    MappingFault.NO_SOURCES: _(
        "The file is no mapping: it has no sources. Choose one that was exported here."
    ),
    MappingFault.UNKNOWN_MEMBER: _("%(name)s does not belong into a mapping."),
    MappingFault.UNKNOWN_ATTRIBUTE: _("There is no attribute %(name)s."),
    MappingFault.NO_LIST: _("%(attribute)s: its sources are no list of names."),
    MappingFault.NOT_ALLOWED: _("%(attribute)s: %(name)s cannot be its source."),
    MappingFault.TWICE: _("%(attribute)s: a source stands there twice."),
}


def fault_text(at: MappingFaultAt, language: Language) -> str:
    """Return what is wrong with a file in words."""
    attribute = "" if at.attribute is None else ATTRIBUTE_NAMES[language][at.attribute]
    return str(_FAULTS[at.fault]) % {"name": at.name, "attribute": attribute}


def author_name(
    by: Actor, members: Mapping[int, str], tokens: Mapping[int, ApiToken], operator: str | None = None
) -> str:
    """Return who has done something; a member that was removed, or a token that ended, has no name."""
    if by.member is not None:
        return members.get(by.member) or str(gettext("a former member"))
    if by.token is not None:
        token = tokens.get(by.token)
        if token is None:
            return str(gettext("a former program"))
        maker = members.get(token.member) or gettext("a former member")
        return str(gettext("the program %(label)s of %(who)s", label=token.label, who=maker))
    return str(gettext("%(who)s, by a command", who=operator) if operator else gettext("a command"))
