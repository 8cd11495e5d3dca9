"""What the member may do and why not, and the statement about accessibility."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from flask import Blueprint, g, render_template
from flask_babel import lazy_gettext as _

from hub.access import ROUTES
from hub.services import hub_services
from schemas.hub.access import Access
from schemas.hub.member import Role

if TYPE_CHECKING:
    from flask_babel.speaklater import LazyString

    from schemas.hub.member import Member

blueprint = Blueprint("permissions", __name__)

#: Where a person complains if a report of what is not accessible did not help: at Sweden's authority.
_AUTHORITY: Final = "https://www.digg.se/tdosanmalan"

_NO_ORGANISATION: Final = _("You see no organisation yet. Ask the person who invited you to give you one.")
_IS_READER: Final = _(
    "You are a reader. The person who invited you can make you an organisation administrator."
)
_OPERATORS_ONLY: Final = _("Only Skolon's operators may do that. Ask them if you need it.")


@dataclass(frozen=True, kw_only=True)
class Permission:
    """Something that can be done; `why_not` says why the member may not do it, None if the member may."""

    what: LazyString
    why_not: LazyString | None = None


def permissions_of(member: Member) -> tuple[Permission, ...]:
    """Return what can be done in the Data Hub, and what of it a member may do."""
    is_operator = member.role is Role.OPERATOR
    sees = None if is_operator or member.tenants else _NO_ORGANISATION
    acts = sees or (_IS_READER if member.role is Role.READER else None)
    operates = None if is_operator else _OPERATORS_ONLY
    shown = [
        Permission(what=_("See runs, reports and what needs attention"), why_not=sees),
        Permission(
            what=_("Look up a user, and be shown the user's values (which the audit records)"), why_not=sees
        ),
        Permission(
            what=_("See a user that a rule leaves out, and be shown the rule (which the audit records)"),
            why_not=acts,
        ),
        Permission(what=_("See who has signed in and who was shown values"), why_not=sees),
        Permission(what=_("Start, cancel and undo runs, and answer a halted one"), why_not=acts),
        Permission(what=_("Try users that fail, try them again, and set them aside"), why_not=acts),
        Permission(what=_("Set up the connection to Entra, and switch the sync on and off"), why_not=acts),
        Permission(what=_("See all organisations, and add one"), why_not=operates),
        Permission(what=_("Invite, change and remove members of your organisations"), why_not=acts),
    ]
    if Access.TENANT_ADMINISTRATOR in ROUTES.values():
        shown.insert(-2, Permission(what=_("Make and end tokens for programs"), why_not=acts))
    return tuple(shown)


@blueprint.get("/permissions")
def show() -> str:
    """Show what the member may do, for which organisations, and why not more."""
    names = {each.key: each.name for each in hub_services().store.tenants.outlines()}
    organisations = [(key, names[key]) for key in g.member.tenants if key in names]
    return render_template(
        "permissions.html",
        permissions=permissions_of(g.member),
        organisations=organisations,
        is_operator=g.member.role is Role.OPERATOR,
    )


@blueprint.get("/accessibility")
def accessibility() -> str:
    """Show how accessible the pages are, and how to report what is not."""
    return render_template("accessibility.html", authority=_AUTHORITY)
