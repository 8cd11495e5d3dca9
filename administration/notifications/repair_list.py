"""The repair list: who could not be updated, by who must act, as things stand now.

It is computed whenever it is read, so a user leaves it when a run has confirmed the user.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from administration.dead_letters.open_failures import failed_users_list
from administration.dead_letters.set_aside import groups_aside
from administration.paging import all_users
from administration.remedies import FailureOwners
from schemas.notifications.settings import REPAIR_OWNERS

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from schemas.reports.remedy import Owner
    from store.reports.open_failures import OpenFailure
    from store.store import Store


@dataclass(frozen=True, kw_only=True)
class RepairEntry:
    """A user that fails, and who must act."""

    failure: OpenFailure
    owner: Owner


def repair_entries(tenant: str, *, now: dt.datetime, store: Store) -> Iterator[RepairEntry]:
    """Yield the users that fail and are not set aside, by Entra id, each with who must act.

    Those that Skolon's operators see to are left out: a school can do nothing about them.
    """
    aside = groups_aside([tenant], store=store, now=now).get(tenant, {})
    owners = FailureOwners(store)
    for each in all_users(failed_users_list(tenant, None, store=store)):
        owner = owners.of(tenant, each.reason, each.detail)
        if each.reason not in aside and owner in REPAIR_OWNERS:
            yield RepairEntry(failure=each, owner=owner)


def users_by_owner(tenant: str, *, now: dt.datetime, store: Store) -> dict[Owner, int]:
    """Return how many users each side has to correct."""
    return dict(Counter(each.owner for each in repair_entries(tenant, now=now, store=store)))
