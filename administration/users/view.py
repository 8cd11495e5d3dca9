"""What tells the users apart that one name or address finds, and looking at one of them by its id."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from administration.users.current import CurrentState, current_state
from administration.users.status import UserReport, user_report
from clients.graph.batch import MAX_BATCH_SIZE
from schemas.details.protection import may_protect
from schemas.errors import HaltError, PermanentError, TransientError
from schemas.fields import is_object_id
from schemas.hub.session import AuditKind
from schemas.outcomes import Outcome
from schemas.reports.user_status import SyncState
from schemas.tenants.selected_properties import selected_properties
from schemas.users.graph_user import load_graph_user
from workers.rules.scope import evaluate_scope, exclusion_reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clients.gateways import Gateways
    from schemas.dead_letter_reasons import Reason
    from schemas.hub.member import Member
    from schemas.reports.user_status import UserStatus
    from schemas.tenants.tenant import Tenant
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

    @property
    def may_be_protected(self) -> bool:
        """Whether a rule of the scope or Skolon leaves the user out, now or by the runs.

        The runs count until the user is synced: what Skolon alone knows is not seen of a user who is gone
        from Entra, or cannot be matched now.
        """
        if self.now is not None and self.now.outcome is Outcome.OUT_OF_SCOPE:
            if may_protect(self.now.explanation.as_json()["detail"]):
                return True
        elif self.now is not None and self.now.outcome in (Outcome.WOULD_UPDATE, Outcome.UNCHANGED):
            return False
        return is_left_out_by_rule(self.recorded.standing)


def is_left_out_by_rule(standing: UserStatus) -> bool:
    """Say whether the runs left a user out for a reason that may protect the user."""
    latest = standing.latest
    return standing.state is SyncState.EXCLUDED and may_protect(latest.detail if latest else None)


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


def group_names(  # noqa: PLR0913 - the group, who looks, and the sources
    tenant: str,
    reason: Reason,
    users: Sequence[str],
    member: Member,
    *,
    store: Store,
    gateways: Gateways,
) -> dict[str, tuple[str, ...]]:
    """Return what Entra calls users that fail for a reason; one entry of the audit has their number."""
    told = telling_properties(tenant, users, store=store, gateways=gateways)
    if told:
        store.hub_audit.record(
            AuditKind.NAMES_REVEALED, member=member.id, tenant=tenant, reason=reason, users=len(told)
        )
    return told


def reveal_scope(tenant: str, users: Sequence[str], member: Member, *, store: Store) -> None:
    """Record that a member looks at what leaves users out: to be called before it is shown."""
    for user in users:
        store.hub_audit.record(AuditKind.SCOPE_REVEALED, member=member.id, tenant=tenant, user=user)


def not_protected(tenant: str, users: Sequence[str], *, store: Store, gateways: Gateways | None) -> list[str]:
    """Return those of some users whom no rule leaves out, by the runs and by Entra now."""
    record = store.tenants.get(tenant)
    found: dict[str, dict[str, Any] | None] = {}
    if gateways is not None:
        with suppress(HaltError, TransientError):
            select = selected_properties(record.tenant)
            found = gateways.graph(record.credentials).users(users, select)
    return [
        user
        for user in users
        if not is_left_out_by_rule(user_report(tenant, user, store=store, limit=1).standing)
        and not _is_left_out_by_rule_now(found.get(user), record.tenant)
    ]


def telling_properties(
    tenant: str, users: Sequence[str], *, store: Store, gateways: Gateways
) -> dict[str, tuple[str, ...]]:
    """Return what Entra calls users, by their ids: name, user principal name, department and title.

    These are personal values; blank ones are left out. A user that the tenant's scope leaves out, or whom the
    runs have left out, is not told: such a person may be protected. Nor are those that Entra does not give
    in time.
    """
    record = store.tenants.get(tenant)
    select = sorted({*_TELLING, *selected_properties(record.tenant)})
    graph = gateways.graph(record.credentials)
    found: dict[str, dict[str, Any] | None] = {}
    with suppress(HaltError, TransientError):
        # One request after the other, so that what has come stays.
        for start in range(0, len(users), MAX_BATCH_SIZE):
            found |= graph.users(users[start : start + MAX_BATCH_SIZE], select)
    told = {}
    for user, raw in found.items():
        if raw is None or not _may_be_told(user, raw, record.tenant, store):
            continue
        texts = [raw.get(name) for name in _TELLING]
        told[user] = tuple(dict.fromkeys(text for text in texts if isinstance(text, str) and text.strip()))
    return told


def _may_be_told(user: str, raw: dict[str, Any], tenant: Tenant, store: Store) -> bool:
    # Protection that Skolon alone knows stands in what the runs recorded.
    if user_report(tenant.key, user, store=store, limit=1).standing.state is SyncState.EXCLUDED:
        return False
    try:
        results = evaluate_scope(load_graph_user(raw), tenant.scope)
    except PermanentError:
        return False
    return exclusion_reason(results) is None


def _is_left_out_by_rule_now(raw: dict[str, Any] | None, tenant: Tenant) -> bool:
    if raw is None:
        return False
    try:
        reason = exclusion_reason(evaluate_scope(load_graph_user(raw), tenant.scope))
    except PermanentError:
        return True
    return reason is not None and may_protect(reason)
