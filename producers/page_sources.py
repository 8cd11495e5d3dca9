"""Sources of a page's users: the trigger's own, Entra's list or delta, unresolved ones, or a run to undo."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import structlog

from schemas.errors import DeltaLinkExpiredError, HaltError, PageTokenExpiredError
from schemas.outcomes import Cause
from schemas.tenants.mapping_fingerprint import mapping_fingerprint
from schemas.tenants.selected_properties import selected_properties
from schemas.users.graph_user import is_entra_id, placeholder_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from clients.gateways import Gateways
    from schemas.messages.messages import TenantPage
    from schemas.runs.run import Run
    from store.store import Store
    from store.tenants.tenants import TenantRecord

#: Graph's maximum page size, also used for runs that name their users.
PAGE_SIZE: Final = 999

#: Users that a delta run reads again by id at most, though Graph tells of no change.
MAX_READ_AGAIN: Final = 999

#: In a delta run the link to the page of these users; it is no address of Graph's.
UNRESOLVED_USERS: Final = "unresolved-users"

#: Causes for which Graph may refuse a delta link but give the list: the list is read all the same.
_NO_DELTA: Final = (Cause.GRAPH_QUERY, Cause.ENTRA_PERMISSION)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class UserPage:
    """The users of a page by id, with Graph's data for each; None for those to be read by id.

    `is_full_listing` marks pages of the complete list. `is_delta` pages may have `removed` users too, and the
    last of them has the link for the next delta. `is_read_again` marks the page of unresolved users.
    """

    users: dict[str, dict[str, Any] | None]
    next_link: str | None
    is_last: bool
    is_delta: bool = False
    is_full_listing: bool = False
    is_read_again: bool = False
    removed: tuple[str, ...] = ()
    delta_link: str | None = None


class PageSources:
    """Reads pages; may be shared by threads."""

    def __init__(self, *, store: Store, gateways: Gateways) -> None:
        self._guard_counters = store.guard_counters
        self._delta_state = store.delta_state
        self._undo_records = store.undo_records
        self._unresolved_users = store.unresolved_users
        self._gateways = gateways

    def read(self, page: TenantPage, run: Run, record: TenantRecord) -> UserPage:
        """Return the users of a page.

        Raises `PageTokenExpiredError` and `DeltaLinkExpiredError` when the run has to begin again, the
        latter with the complete list; otherwise as Graph's client does.
        """
        if run.users:
            return _named_users(run, page)
        if run.reverts_run_id is not None:
            return self._changed_by(run.reverts_run_id, page)
        reading = self._delta_state.read_plan(run, mapping_fingerprint(record.tenant))
        delta_link = reading.delta_link_for(page.attempt)
        if delta_link is not None:
            if page.link == UNRESOLVED_USERS:
                return self._read_unresolved(run, record)
            return self._changed_users(page, run, delta_link, record)
        if page.number == 1:
            self._record_directory_size(run, record)
            if reading.needs_delta_link:
                self._record_delta_link(run, record)
        return self._all_users(page, record)

    def _record_directory_size(self, run: Run, record: TenantRecord) -> None:
        """Record the size of the directory for the guard's shares; Graph may refuse to tell."""
        with suppress(HaltError):
            self._guard_counters.record_directory_size(
                run.id, self._gateways.graph(record.credentials).count()
            )

    def _all_users(self, page: TenantPage, record: TenantRecord) -> UserPage:
        graph = self._gateways.graph(record.credentials)
        answer = graph.page(page.link, selected_properties(record.tenant, record.saved))
        users: dict[str, dict[str, Any] | None] = {}
        for row, user in enumerate(answer.users, start=1):
            users.setdefault(_id_of(user, page, row), user)
        return UserPage(
            users=users,
            next_link=answer.next_link,
            is_last=answer.next_link is None,
            is_full_listing=True,
        )

    def _changed_users(self, page: TenantPage, run: Run, delta_link: str, record: TenantRecord) -> UserPage:
        graph = self._gateways.graph(record.credentials)
        answer = graph.delta_page(page.link or delta_link, is_delta_link=page.link is None)
        users = _merged(answer.users, answer.removed, page)
        next_link = answer.next_link
        if next_link is None and not run.dry_run and self._unresolved(run):
            next_link = UNRESOLVED_USERS
        return UserPage(
            users=users,
            next_link=next_link,
            is_last=next_link is None,
            is_delta=True,
            removed=tuple(user for user in answer.removed if user not in users),
            delta_link=answer.delta_link,
        )

    def _unresolved(self, run: Run) -> Sequence[str]:
        return self._unresolved_users.due(run.id, limit=MAX_READ_AGAIN)

    def _read_unresolved(self, run: Run, record: TenantRecord) -> UserPage:
        """Return the unresolved users that were tried longest ago, as Entra has them now."""
        graph = self._gateways.graph(record.credentials)
        users = graph.users(self._unresolved(run), selected_properties(record.tenant))
        return UserPage(users=users, next_link=None, is_last=True, is_read_again=True)

    def _changed_by(self, undone: int, page: TenantPage) -> UserPage:
        """Return the users that the undone run has changed, or may have; Entra is not asked."""
        users = self._undo_records.claimed_users(undone, after=page.link or "", limit=PAGE_SIZE)
        is_last = len(users) < PAGE_SIZE
        return UserPage(users=dict.fromkeys(users), next_link=None if is_last else users[-1], is_last=is_last)

    def _record_delta_link(self, run: Run, record: TenantRecord) -> None:
        """Record, before the list is read, the link from which the next delta continues.

        In this order a change during the reading is read once more, and none is missed.
        """
        graph = self._gateways.graph(record.credentials)
        try:
            link = graph.delta_link(selected_properties(record.tenant))
        except (PageTokenExpiredError, DeltaLinkExpiredError):
            link = None
        except HaltError as error:
            if error.cause not in _NO_DELTA:
                raise
            link = None
        if link is None:
            _log.warning("delta_link_unavailable", tenant=run.tenant, run=run.id)
        else:
            self._delta_state.record_delta_link(run.id, link)


def _named_users(run: Run, page: TenantPage) -> UserPage:
    start = (page.number - 1) * PAGE_SIZE
    users: Sequence[str] = run.users[start : start + PAGE_SIZE]
    return UserPage(users=dict.fromkeys(users), next_link=None, is_last=start + PAGE_SIZE >= len(run.users))


def _merged(
    users: Iterable[Any], removed: Iterable[str], page: TenantPage
) -> dict[str, dict[str, Any] | None]:
    """Return each user once; one that comes twice and differs, or is removed as well, is to be read by id."""
    merged: dict[str, dict[str, Any] | None] = {}
    gone = set(removed)
    for row, user in enumerate(users, start=1):
        user_id = _id_of(user, page, row)
        certain = user_id not in gone and merged.get(user_id, user) == user
        merged[user_id] = user if certain else None
    return merged


def _id_of(user: object, page: TenantPage, row: int) -> str:
    """Return a user's id in the database: Entra's id, or a placeholder if it has none.

    A user without an id gets a receipt too, which says what is wrong.
    """
    user_id = user.get("id") if isinstance(user, dict) else None
    if isinstance(user_id, str) and is_entra_id(user_id):
        return user_id
    return placeholder_id(page.number, row)
