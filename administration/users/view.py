"""What tells the users apart that one name or address finds, and looking at one of them by its id."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from administration.users.current import CurrentState, current_state
from administration.users.status import UserReport, user_report
from schemas.errors import HaltError, TransientError
from schemas.fields import is_object_id
from schemas.hub.session import AuditKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clients.gateways import Gateways
    from schemas.hub.member import Member
    from store.store import Store

#: The properties of Entra by which a person tells users apart.
_TELLING: Final = ("displayName", "userPrincipalName", "department", "jobTitle")

#: Runs of a user that are shown.
_RUNS: Final = 10


@dataclass(frozen=True, kw_only=True)
class UserView:
    """What the runs recorded of a user, and both sides now; `now` is None where they were not asked."""

    recorded: UserReport
    now: CurrentState | None


def view_user(
    tenant: str, user: str, *, values: bool, store: Store, gateways: Gateways | None
) -> UserView | None:
    """Look at the user of an Entra id now and in the runs; None if neither knows such a user.

    Without `gateways` neither Entra nor Skolon is asked. A service that is away is told in the answer.
    """
    recorded = user_report(tenant, user, store=store, limit=_RUNS)
    if not recorded.history and not is_object_id(user):
        # Entra's ids are GUIDs: another text is asked of no service.
        return None
    if gateways is None:
        return UserView(recorded=recorded, now=None) if recorded.history else None
    now = current_state(user, tenant, recorded.standing, values=values, store=store, gateways=gateways)
    if not recorded.history and now.is_gone:
        return None
    return UserView(recorded=recorded, now=now)


def reveal(tenant: str, users: Sequence[str], member: Member, *, store: Store) -> None:
    """Record that a member looks at the values of users: to be called before they are shown."""
    for user in users:
        store.hub_audit.record(AuditKind.VALUES_REVEALED, member=member.id, tenant=tenant, user=user)


def telling_properties(
    tenant: str, users: Sequence[str], *, store: Store, gateways: Gateways
) -> dict[str, tuple[str, ...]]:
    """Return what Entra calls users, by their ids: name, user principal name, department and title.

    These are personal values; blank ones are left out. Empty while Entra is away.
    """
    try:
        found = gateways.graph(store.tenants.get(tenant).credentials).users(users, _TELLING)
    except (HaltError, TransientError):
        return {}
    told = {}
    for user, raw in found.items():
        texts = [(raw or {}).get(name) for name in _TELLING]
        told[user] = tuple(dict.fromkeys(text for text in texts if isinstance(text, str) and text.strip()))
    return told
