"""The users of a tenant that could not be updated, as its results tell: no message is read for it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from administration.dead_letters.set_aside import groups_aside

if TYPE_CHECKING:
    import datetime as dt

    from administration.paging import ReadsUsers
    from schemas.dead_letter_reasons import Reason
    from schemas.runs.run import Run
    from store.reports.open_failures import FailureGroup, OpenFailure
    from store.store import Store


def failure_groups(tenant: str, last_run: Run | None, *, store: Store) -> tuple[FailureGroup, ...]:
    """Return the users that fail, in groups by reason; of each, `recent` ones since `last_run` began."""
    return store.open_failures.groups(tenant, recently=None if last_run is None else last_run.started)


def failed_users_now(tenant: str, *, store: Store, now: dt.datetime) -> ReadsUsers[OpenFailure]:
    """Return the list of the users that fail, but for the groups that are set aside `now` (aware)."""
    aside = groups_aside([tenant], store=store, now=now).get(tenant, {})
    return partial(store.open_failures.page, tenant, None, but=frozenset(aside))


def failed_users_list(tenant: str, reason: Reason | None, *, store: Store) -> ReadsUsers[OpenFailure]:
    """Return the list of the users that fail for a reason, or for any if it is None."""
    return partial(store.open_failures.page, tenant, reason)
