"""Users that fail although they have no dead letter any more: it was discarded, or RabbitMQ has lost it."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from administration.dead_letters.failed_users import FailedUser
from administration.dead_letters.open_failures import failed_users_list
from administration.paging import all_users
from schemas.messages.messages import USER_SYNC_QUEUE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from administration.dead_letters.groups import DeadLetterGroups
    from administration.remedies import FailureOwners
    from schemas.dead_letter_reasons import Reason
    from schemas.messages.dead_letter_filter import DeadLetterFilter
    from store.reports.open_failures import OpenFailure
    from store.store import Store

#: Users whose receipts are looked up together.
_BATCH: Final = 500


@dataclass(frozen=True, kw_only=True)
class Missing:
    """So many `users` of a tenant fail for a reason, and have no dead letter."""

    tenant: str
    reason: Reason
    users: int

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {"tenant": self.tenant, "reason": str(self.reason), "users": self.users}


def missing_dead_letters(
    wanted: DeadLetterFilter, groups: DeadLetterGroups, *, store: Store
) -> list[Missing]:
    """Return how many users fail without one of the dead letters that a filter has chosen.

    Of a filter that chooses by more than tenant and reason it is not known: the database counts by these.
    """
    if wanted.as_json().keys() - {"tenants", "reasons"}:
        return []
    found: Counter[tuple[str | None, Reason]] = Counter()
    for (queue, tenant, reason), group in groups.items():
        if queue == USER_SYNC_QUEUE:
            found[tenant, reason] += group.dead_letters
    return [
        Missing(tenant=tenant, reason=reason, users=users - found[tenant, reason])
        for tenant, reason, users in _failing(wanted, store)
        if users > found[tenant, reason]
    ]


def users_without_dead_letter(
    wanted: DeadLetterFilter, found: Sequence[FailedUser], owners: FailureOwners, *, store: Store
) -> list[FailedUser]:
    """Return the users that a filter chooses and that fail, but for those `found` by their dead letters.

    A user whose dead letter is being replayed is left out.
    """
    if wanted.ids or (wanted.queues and USER_SYNC_QUEUE not in wanted.queues):
        return []
    known = {(each.tenant, each.user) for each in found}
    counts = Counter((each.tenant, each.reason) for each in found)
    missing: list[FailedUser] = []
    for tenant, reason, users in _failing(wanted, store):
        if users <= counts[tenant, reason]:
            continue
        chosen = [
            each
            for each in all_users(failed_users_list(tenant, reason, store=store))
            if (tenant, each.entra_id) not in known and _is_chosen(each, wanted)
        ]
        missing += (
            FailedUser(
                tenant=tenant,
                user=each.entra_id,
                run=each.run,
                reason=each.reason,
                detail=each.detail or "",
                since=each.since,
                owner=owners.of(tenant, each.reason, each.detail),
                has_dead_letter=False,
            )
            for each in _at_rest(chosen, store)
        )
    return missing


def _failing(wanted: DeadLetterFilter, store: Store) -> Iterator[tuple[str, Reason, int]]:
    """Yield how many users of each tenant fail for each reason that a filter chooses."""
    tenants: Collection[str] = wanted.tenants or [each.key for each in store.tenants.outlines(None)]
    totals = store.tenant_overviews.user_totals(dt.datetime.now(dt.UTC), tenants)
    for tenant, users in sorted(totals.items()):
        for reason, count in sorted(users.failed.items()):
            if not wanted.reasons or reason in wanted.reasons:
                yield tenant, reason, count


def _is_chosen(failure: OpenFailure, wanted: DeadLetterFilter) -> bool:
    return (
        (not wanted.runs or failure.run in wanted.runs)
        and (not wanted.users or failure.entra_id in wanted.users)
        and (wanted.before is None or failure.since < wanted.before)
        and (wanted.after is None or failure.since > wanted.after)
    )


def _at_rest(failures: Sequence[OpenFailure], store: Store) -> Iterator[OpenFailure]:
    """Yield the failures that no replay has taken up."""
    for start in range(0, len(failures), _BATCH):
        batch = failures[start : start + _BATCH]
        states = store.replays.states([(each.run, each.entra_id) for each in batch])
        for each in batch:
            state = states.get((each.run, each.entra_id))
            if state is None or not state.replaying:
                yield each
