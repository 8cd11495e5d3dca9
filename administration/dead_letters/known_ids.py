"""Tells a filter that finds nothing from one that names what does not exist."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.errors import UsageError

if TYPE_CHECKING:
    from schemas.messages.dead_letter_filter import DeadLetterFilter
    from store.store import Store


def check_known_ids(wanted: DeadLetterFilter, *, store: Store) -> None:
    """Raise `UsageError` if a filter names a tenant or a run that does not exist, or an unknown user.

    To be called when the filter has found nothing: a dead letter may name what is gone by now.
    """
    for tenant in wanted.tenants:
        store.tenants.outline(tenant)
    for run in wanted.runs:
        store.runs.get(run)
    for user in wanted.users:
        if not store.user_history.is_known(user):
            raise UsageError(f"No run knows a user {user}. --user takes the id in Entra.")
