"""Members managed by other members: an operator manages all, an administrator those of the own tenants."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from administration.hub.members import (
    Invitation,
    new_invitation,
    normalized_name,
    remove_member,
)
from schemas.hub.member import LastOperatorError, NameTakenError, Role
from schemas.hub.session import AuditKind

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from schemas.hub.member import Member
    from store.store import Store


class MemberFault(StrEnum):
    """Why a member is not invited, changed or removed."""

    #: The name is blank, too long, or cannot be printed.
    NAME = "name"
    #: There is a member of that name.
    TAKEN = "taken"
    #: An administrator or a reader without a tenant.
    NO_TENANT = "no_tenant"
    #: It is the only operator who has ever signed in.
    LAST_OPERATOR = "last_operator"
    #: The member signs in by Entra, and needs no link.
    BY_ENTRA = "by_entra"
    #: Another member has changed this one since the form was shown.
    CHANGED = "changed"


def may_manage(actor: Member, member: Member) -> bool:
    """Say whether `actor` may change, sign out and remove `member`: never oneself, as a safeguard."""
    if actor.id == member.id or actor.role is Role.READER:
        return False
    if actor.role is Role.OPERATOR:
        return True
    # What is changed would count for the other tenants of the member too.
    is_own = bool(member.tenants) and set(member.tenants) <= set(actor.tenants)
    return member.role is not Role.OPERATOR and is_own


def may_grant(actor: Member, role: Role, tenants: Collection[str]) -> bool:
    """Say whether `actor` may give a member this role for these tenants."""
    if actor.role is Role.OPERATOR:
        return True
    return (
        actor.role is Role.ADMINISTRATOR and role is not Role.OPERATOR and set(tenants) <= set(actor.tenants)
    )


def managed_members(actor: Member, *, store: Store) -> list[Member]:
    """Return the members that `actor` manages, by number."""
    return [each for each in store.hub_members.list() if may_manage(actor, each)]


def managed_member(actor: Member, member: int, *, store: Store) -> Member | None:
    """Return a member by number; None if there is none, or `actor` does not manage it."""
    found = store.hub_members.find(member)
    return found if found is not None and may_manage(actor, found) else None


def add_member(
    actor: Member, name: str, role: Role, tenants: Sequence[str], *, store: Store
) -> Invitation | MemberFault:
    """Add a member and make the first link; unlike `invite` it changes no member who is there.

    `actor` may grant the role for the tenants. Raises `UsageError` if there is no such tenant.
    """
    normalized = normalized_name(name)
    if normalized is None:
        return MemberFault.NAME
    if role is not Role.OPERATOR and not tenants:
        return MemberFault.NO_TENANT
    try:
        member = store.hub_members.add(normalized, role, () if role is Role.OPERATOR else tenants)
    except NameTakenError:
        return MemberFault.TAKEN
    return new_invitation(member, store=store, by=actor, is_new=True)


def change_member(  # noqa: PLR0913 - who changes whom, from what to what
    actor: Member, member: Member, seen: str, role: Role, tenants: Sequence[str], *, store: Store
) -> MemberFault | None:
    """Give a member another role and other tenants; open sessions end, as they may show too much.

    `seen` is the `state_of` the member that the form was made for. `actor` manages the member, and may grant
    the role for the tenants. Raises `UsageError` if there is no such tenant.
    """
    if state_of(member) != seen:
        return MemberFault.CHANGED
    if role is not Role.OPERATOR and not tenants:
        return MemberFault.NO_TENANT
    tenants = () if role is Role.OPERATOR else tenants
    if role is member.role and set(tenants) == set(member.tenants):
        return None
    try:
        store.hub_members.change(member.id, member.name, role, tenants, by=actor.id)
    except LastOperatorError:
        return MemberFault.LAST_OPERATOR
    store.hub_sessions.end_all(member.id)
    return None


def state_of(member: Member) -> str:
    """Return what a form for a member may change, to see whether it has changed since."""
    return " ".join([str(member.role), *sorted(member.tenants)])


def invite_again(actor: Member, member: Member, *, store: Store) -> Invitation | MemberFault:
    """Make a new link for a member, whose former links and sessions end.

    Who has an account in Entra gets none: a link would go past the role that Entra gives.
    """
    if member.has_entra_account:
        return MemberFault.BY_ENTRA
    # A member is not to be signed in beside another person who has the link: the member notices it.
    store.hub_sessions.end_all(member.id)
    return new_invitation(member, store=store, by=actor, kind=AuditKind.LINK_MADE)


def end_sessions(actor: Member, member: Member, *, store: Store) -> None:
    """Sign a member out of all browsers, and end the links that wait."""
    store.hub_sessions.end_all(member.id)
    store.hub_invitations.end_all(member.id)
    store.hub_audit.record(AuditKind.SESSIONS_ENDED, member=member.id, by=actor.id)


def remove(actor: Member, member: Member, *, store: Store) -> MemberFault | None:
    """Remove a member, whose sessions and links end at once."""
    try:
        remove_member(member.id, store=store, by=actor)
    except LastOperatorError:
        return MemberFault.LAST_OPERATOR
    return None
