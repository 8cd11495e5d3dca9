"""Whether users are in sync, since when, and what the runs did to them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from administration.remedies import FailureOwners, remedy_json
from administration.users.lookup import decision_about, find_user_ids, not_found
from schemas.details.detail import structured_json
from schemas.details.protection import may_protect
from schemas.errors import UsageError
from schemas.outcomes import Outcome
from schemas.reports.user_status import HistoryEntry, UserStatus, skolon_user_of, user_status_of
from schemas.timestamps import timestamp
from schemas.users.attributes import Attribute

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.reports.remedy import Owner
    from schemas.tenants.tenant import Tenant
    from store.store import Store


@dataclass(frozen=True, kw_only=True)
class UserReport:
    """A user's status and the runs that it comes from, the newest first; ids and words, no values.

    `skolon_id` is the Skolon user that the newest run knew, if any did. `not_synced` are the attributes that
    the tenant does not sync: no run says anything of them. `owner` is who must act on a failure.
    """

    user: str
    skolon_id: str | None
    standing: UserStatus
    owner: Owner | None
    history: Sequence[HistoryEntry]
    not_synced: tuple[Attribute, ...]

    def without_protection(self) -> UserReport:
        """Return it without the runs that left the user out for a reason that may have protected the user."""
        history = [
            entry
            for entry in self.history
            if entry.outcome is not Outcome.OUT_OF_SCOPE or not may_protect(entry.detail)
        ]
        return replace(self, history=history)

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        standing = self.standing
        told, confirmed, waits = standing.latest, standing.last_verification, standing.pending
        reason = told and told.reason
        return {
            "user": self.user,
            "skolon_user": self.skolon_id,
            "state": str(standing.state),
            "in_sync": standing.in_sync,
            "not_synced": [str(attribute) for attribute in self.not_synced],
            "since": standing.since and timestamp(standing.since),
            "verified": confirmed and confirmed.as_json(),
            "pending_run": waits and str(waits.run),
            "reason": reason and str(reason),
            "detail": told and told.detail,
            "structured_detail": structured_json(told.detail if told else None),
            **(
                remedy_json(reason, self.owner)
                if reason and self.owner
                else {"owner": None, "explanation": None}
            ),
            "history": [entry.as_json() for entry in self.history],
        }


def user_reports(
    tenant: str, identifier: str, *, store: Store, keys: Sequence[str], limit: int
) -> list[UserReport]:
    """Return the status of the users with that Entra id, Skolon id or EPPN, with `limit` runs of each.

    An ignored Skolon user may be no user's: then there is no report. Raises `UsageError` if there is no such
    tenant, or the runs of it know no such user.
    """
    store.tenants.outline(tenant)
    found = find_user_ids(tenant, identifier, store=store, keys=keys)
    if not found and decision_about(tenant, identifier, store=store) is None:
        if store.user_history.find_by_skolon_id(tenant, identifier):
            raise not_found(tenant, identifier, store=store)
        raise UsageError(
            f"No user with that id or EPPN was found in '{tenant}'. The runs know neither names nor e-mail "
            "addresses: without --recorded, Entra and Skolon are asked too."
        )
    return [user_report(tenant, user, store=store, limit=limit) for user in found]


def user_report(tenant: str, user: str, *, store: Store, limit: int) -> UserReport:
    """Return the status of the user with that Entra id; it is unknown if no run knows the user."""
    # Since when a state holds is asked of all runs, however many of them are shown.
    history = store.user_history.entries(tenant, user)
    verified = store.user_history.last_verification(tenant, user)
    if verified is not None:
        # It has the moment when Skolon was asked, and the history has the undo since then.
        undone = next((entry for entry in history if entry.run == verified.run), verified)
        verified = replace(verified, undone_by=undone.undone_by, undone_at=undone.undone_at)
    standing = user_status_of(history, verified)
    told = standing.latest
    return UserReport(
        user=user,
        skolon_id=skolon_user_of(history),
        standing=standing,
        owner=None
        if told is None or told.reason is None
        else FailureOwners(store).of(tenant, told.reason, told.detail),
        history=history[:limit],
        not_synced=not_synced_of(store.tenants.outline(tenant)),
    )


def not_synced_of(tenant: Tenant) -> tuple[Attribute, ...]:
    """Return the attributes that no property of Entra fills, so that no run compares them."""
    synced = {attribute for attribute in Attribute if tenant.sources[attribute]}
    if not tenant.wants_birthdays:
        synced.discard(Attribute.BIRTH_DATE)
    return tuple(attribute for attribute in Attribute if attribute not in synced)
