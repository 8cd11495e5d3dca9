"""The forms about members: what they may choose, and what was sent."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from flask import abort, g, request
from flask_babel import lazy_gettext as _

from administration.hub.member_management import MemberFault, may_grant
from administration.hub.members import MAX_NAME
from hub.services import hub_services
from schemas.hub.member import Role

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask_babel.speaklater import LazyString

#: What is wrong with what was sent, and what to do.
FAULTS: Final[Mapping[MemberFault, LazyString]] = {
    MemberFault.NAME: _("Write a name of at most %(count)s characters.", count=MAX_NAME),
    MemberFault.TAKEN: _(
        "There is already a member of that name. "
        "Add something that tells the two apart. If you see the member above, open it and make a new link."
    ),
    MemberFault.NO_TENANT: _("Choose at least one organisation. Only an operator sees all of them."),
    MemberFault.LAST_OPERATOR: _(
        "This is the only operator who has signed in. Let another operator sign in first."
    ),
    MemberFault.BY_ENTRA: _("This person signs in by Microsoft Entra, and needs no link."),
    MemberFault.CHANGED: _(
        "Another person has changed this member in the meantime. This is how it is now: "
        "change it and save again."
    ),
}


class Done(StrEnum):
    """What was done to a member: a page says so afterwards."""

    CHANGED = "changed"
    SIGNED_OUT = "signed-out"
    REMOVED = "removed"


DONE_TEXTS: Final[Mapping[str, LazyString]] = {
    Done.CHANGED: _("Saved. Who was signed in with other rights is signed out, and may need a new link."),
    Done.SIGNED_OUT: _("The person is signed out everywhere."),
    Done.REMOVED: _("The member is removed."),
}

#: What each role may do, in a sentence.
ROLE_TEXTS: Final[Mapping[Role, LazyString]] = {
    Role.READER: _("Sees the pages of the organisations below."),
    Role.ADMINISTRATOR: _("Sees them, acts for these organisations, and invites people to them."),
    Role.OPERATOR: _("Works at Skolon: sees and does everything, for all organisations."),
}


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The role and the tenants, by their keys, that a form has chosen."""

    role: Role
    tenants: tuple[str, ...]


def roles() -> list[Role]:
    """Return the roles that the member may give."""
    return [role for role in ROLE_TEXTS if may_grant(g.member, role, ())]


def tenant_names() -> dict[str, str]:
    """Return the names of the tenants that the member may give, by key, in the order of their names."""
    outlines = hub_services().store.tenants.outlines()
    names = {each.key: each.name for each in outlines if g.member.administers(each.key)}
    return dict(sorted(names.items(), key=lambda item: item[1].casefold()))


def sent_choice() -> Choice:
    """Return what a form has sent; no form of ours offers a role or a tenant that the member may not give."""
    tenants = tuple(dict.fromkeys(request.form.getlist("tenant")))
    try:
        role = Role(request.form.get("role", ""))
    except ValueError:
        abort(400)
    if role not in roles() or not set(tenants) <= set(tenant_names()):
        abort(400)
    return Choice(role=role, tenants=tenants)
