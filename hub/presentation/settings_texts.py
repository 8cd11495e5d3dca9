"""A tenant's settings in a school's words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from flask_babel import format_decimal, format_percent, get_locale, gettext
from flask_babel import lazy_gettext as _

from schemas.tenants.scope import Operator
from schemas.users.attributes import ATTRIBUTE_TABLE, Attribute

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask_babel.speaklater import LazyString

    from schemas.tenants.scope import ScopeRule
    from schemas.tenants.tenant import Guard, Limit, Tenant


@dataclass(frozen=True, kw_only=True)
class AttributeSetting:
    """An attribute, its sources in order, what it is for, and what becomes of it when it is blank in Entra.

    `match_position` is its place among the attributes by which users are found, None if it is none of them.
    """

    attribute: Attribute
    sources: tuple[str, ...]
    what: LazyString
    match_position: int | None
    is_identity: bool
    is_erased: bool


#: What each attribute is for.
ATTRIBUTES: Final[Mapping[Attribute, LazyString]] = {
    Attribute.EXTERNAL_ID: _("Ties the user in Skolon to the account in Entra for good."),
    Attribute.USER_NAME: _("What the user is called in Skolon."),
    Attribute.EMAIL: _("Where Skolon sends mail."),
    Attribute.IDP_IDENTIFIER: _("Signs the user in: it must be what your sign-in service sends."),
    Attribute.FIRST_NAME: _("Shown to teachers and classmates."),
    Attribute.LAST_NAME: _("Shown to teachers and classmates."),
    Attribute.CITY: _("Part of the address."),
    Attribute.ADDRESS: _("Part of the address."),
    Attribute.ZIP_CODE: _("Part of the address."),
    Attribute.BIRTH_DATE: _("Helps to tell persons of the same name apart."),
    Attribute.HOME_PHONE: _("A phone number."),
    Attribute.MOBILE_PHONE: _("A phone number."),
    Attribute.EPPN: _("Tells who the user is to the learning tools that the school uses."),
    Attribute.SSN: _(
        "The personal number, which Entra gives only if you keep it in an attribute of its own."
    ),
}

_OPERATORS: Final[Mapping[Operator, LazyString]] = {
    Operator.EQUALS: _("%(source)s is %(values)s"),
    Operator.ONE_OF: _("%(source)s is one of %(values)s"),
    Operator.STARTS_WITH: _("%(source)s begins with %(values)s"),
    Operator.ENDS_WITH: _("%(source)s ends with %(values)s"),
    Operator.IS_BLANK: _("%(source)s is blank"),
}

#: Decimals of a share, as many as it has: 0.1 % is not 0 %.
_EXACT: Final = "0.######"

_LIMITS: Final[Mapping[str, LazyString]] = {
    "changed": _("Users that change"),
    "identity_changed": _("Users whose user name, EPPN, External Id or another identity changes"),
    "not_found": _("Users that are not found in Skolon"),
    "failed": _("Users that cannot be updated"),
    "left_scope": _("Synced users that your rules now leave out"),
}


def attribute_settings(tenant: Tenant) -> list[AttributeSetting]:
    """Return all attributes in the guide's order."""
    return [
        AttributeSetting(
            attribute=attribute,
            sources=tenant.sources[attribute]
            if attribute is not Attribute.BIRTH_DATE or tenant.wants_birthdays
            else (),
            what=ATTRIBUTES[attribute],
            match_position=tenant.match_keys.index(attribute) + 1 if attribute in tenant.match_keys else None,
            is_identity=row.identity,
            is_erased=attribute in tenant.erase_blank,
        )
        for attribute, row in ATTRIBUTE_TABLE.items()
    ]


def rule_text(rule: ScopeRule, *, shows_values: bool) -> str:
    """Return a rule of the scope; its values, which may mark a protected identity, only if they are shown."""
    values = ", ".join(rule.values) if shows_values else "…"
    return str(_OPERATORS[rule.operator]) % {"source": rule.source, "values": values}


def guard_texts(guard: Guard) -> list[tuple[LazyString, str]]:
    """Return what the guard counts, and its limit."""
    return [(title, _limit_text(getattr(guard, name))) for name, title in _LIMITS.items()]


def _limit_text(limit: Limit | None) -> str:
    if limit is None:
        return str(gettext("no limit"))
    return str(
        gettext(
            "stops at more than %(count)s that are also more than %(share)s of all",
            count=format_decimal(limit.count),
            share=format_percent(
                limit.share, get_locale().percent_formats[None].pattern.replace("0", _EXACT)
            ),
        )
    )


def other_texts(tenant: Tenant) -> list[tuple[str, str, str]]:
    """Return further settings: the title, the value, and what it does."""
    yes, no = gettext("Yes"), gettext("No")
    country = tenant.ssn_country or gettext("not set")
    return [
        (
            str(gettext("Switched on")),
            str(yes if tenant.enabled else no),
            str(gettext("Only an organisation that is switched on is synced.")),
        ),
        (
            str(gettext("Country of personal numbers")),
            str(country),
            str(gettext("Personal numbers that break this country's rules are not written.")),
        ),
        (
            str(gettext("Waits for a service that is away")),
            str(gettext("%(hours)s hours", hours=format_decimal(tenant.give_up_after_hours))),
            str(
                gettext(
                    "Within that time an outage makes no user fail: the sync waits and goes on by itself."
                )
            ),
        ),
        (
            str(gettext("Days that a confirmed user is relied on")),
            str(tenant.trust_receipts_days or no),
            str(gettext("An unchanged user that was confirmed since is not looked up in Skolon again.")),
        ),
    ]
