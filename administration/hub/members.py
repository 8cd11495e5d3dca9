"""Members of the Data Hub: invited, and removed."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from administration.hub.tokens import hash_token, new_token
from schemas.errors import UsageError
from schemas.hub.audit import Membership
from schemas.hub.member import NameTakenError, Role, comparable_name
from schemas.hub.session import AuditKind
from schemas.safe_text import is_storable
from schemas.timestamps import timestamp

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from schemas.hub.member import Member
    from store.store import Store

#: Characters of a member's name.
MAX_NAME: Final = 100

#: How the first operator is called, who has no name yet.
_FIRST_OPERATOR: Final = "Operator"


@dataclass(frozen=True, kw_only=True)
class Invitation:
    """A link for a member: its secret, and when it ends (aware). `is_new` says that the member is new."""

    member: Member
    token: str
    expires: dt.datetime
    is_new: bool

    def as_json(self, link: str) -> dict[str, Any]:
        """Return the JSON object; `link` is the address with the token in it."""
        return {**self.member.as_json(), "link": link, "expires": timestamp(self.expires)}

    def link(self, address: str) -> str:
        """Return the link, at the address of the Data Hub."""
        return f"{address}/sign-in?link={self.token}"


def invite(
    name: str, role: Role, tenants: Sequence[str], *, store: Store, by: Member | None = None
) -> Invitation:
    """Make a link for the member of that name, who is added or gets this role and these tenants.

    Names that differ in case alone are one name.

    A reader and an administrator need a tenant, an operator has all. `by` is the member who invites, None for
    the command line. Raises `UsageError`.
    """
    normalized = normalized_name(name)
    if normalized is None:
        raise UsageError(f"A member's name has 1 to {MAX_NAME} characters, all of them printable.")
    if role is Role.OPERATOR and tenants:
        raise UsageError("An operator sees all tenants: leave --tenant out.")
    if role is not Role.OPERATOR and not tenants:
        raise UsageError(f"A member with the role {role} needs a tenant: name it with --tenant.")
    try:
        member = store.hub_members.add(normalized, role, tenants)
    except NameTakenError:
        known = find_by_name(name, store=store)
        if known is None:
            # Removed in the same moment.
            raise
        member = store.hub_members.change(known.id, normalized, role, tenants)
        # An open session would go on to show what the member saw before.
        store.hub_sessions.end_all(known.id)
        return new_invitation(member, store=store, by=by)
    return new_invitation(member, store=store, by=by, is_new=True)


def normalized_name(name: str) -> str | None:
    """Return a member's name as it is kept, None for what is no name."""
    name = unicodedata.normalize("NFC", name).strip()
    is_name = 0 < len(name) <= MAX_NAME and name.isprintable() and is_storable(name)
    return name if is_name else None


def first_operator_invitation(*, store: Store) -> Invitation | None:
    """Make a link for the first operator; None once an operator has signed in."""
    if store.hub_members.has_signed_in(Role.OPERATOR):
        return None
    waiting = [each for each in store.hub_members.list() if each.role is Role.OPERATOR]
    if waiting:
        return new_invitation(waiting[0], store=store)
    return new_invitation(store.hub_members.add(_FIRST_OPERATOR, Role.OPERATOR), store=store, is_new=True)


def find_by_name(name: str, *, store: Store) -> Member | None:
    """Return the member of a name, in whatever case and form of Unicode it is written; None without one."""
    wanted = comparable_name(name)
    return next((each for each in store.hub_members.list() if comparable_name(each.name) == wanted), None)


def is_last_operator(member: Member, *, store: Store) -> bool:
    """Say whether a member is the only operator who has ever signed in."""
    if member.role is not Role.OPERATOR or member.signed_in is None:
        return False
    others = (each for each in store.hub_members.list() if each.id != member.id)
    return not any(each.role is Role.OPERATOR and each.signed_in is not None for each in others)


def remove_member(member: int, *, store: Store, by: Member | None = None) -> Member:
    """Remove a member, and end the member's sessions at once; raise `UsageError` if there is none.

    `by` is the member who removes, None for the command line; a member cannot remove the last operator
    (`LastOperatorError`).
    """
    removed = store.hub_members.get(member)
    store.hub_members.remove(member, by=None if by is None else by.id)
    return removed


def new_invitation(
    member: Member,
    *,
    store: Store,
    by: Member | None = None,
    is_new: bool = False,
    kind: AuditKind = AuditKind.INVITED,
) -> Invitation:
    """Make a link for a member; the former ones end. `by` is as `invite` has it, the audit has the `kind`."""
    token = new_token()
    expires = store.hub_invitations.add(hash_token(token), member.id)
    store.hub_audit.record(
        kind,
        member=member.id,
        by=None if by is None else by.id,
        membership=Membership(role=member.role, tenants=member.tenants),
    )
    return Invitation(member=member, token=token, expires=expires, is_new=is_new)
