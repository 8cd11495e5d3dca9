"""One page of a run: read, given receipts, published together with the message for the next one."""

from __future__ import annotations

import dataclasses
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import structlog

from queues.messages import tenant_page_message, user_sync_message
from schemas.errors import HaltError, PageTokenExpiredError
from schemas.graph_user import is_entra_id, nameless_id
from schemas.messages import TenantPage, UserSync
from schemas.selection import properties_to_select

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clients.directories import Directories
    from queues.broker import Publisher
    from schemas.runs import Run
    from schemas.sealing import Sealer
    from store.store import Store
    from store.tenants import TenantRecord

#: Graph's limit for a page of users, and so the size of ours for runs that name their users.
PAGE_SIZE: Final = 999

_log = structlog.get_logger(__name__)


@dataclasses.dataclass(frozen=True, kw_only=True)
class PageOfUsers:
    """The users of a page by id, with what Graph said of each if it was read, and where the next page is."""

    users: dict[str, dict[str, Any] | None]
    next_link: str | None
    is_last: bool


class PageReader:
    """Works off page messages; may be shared by threads."""

    def __init__(
        self,
        *,
        store: Store,
        directories: Directories,
        publisher: Publisher,
        sealer: Sealer,
    ) -> None:
        self._runs = store.runs
        self._pages = store.pages
        self._receipts = store.receipts
        self._guards = store.guards
        self._tenants = store.tenants
        self._directories = directories
        self._publisher = publisher
        self._sealer = sealer

    def read(self, page: TenantPage) -> None:
        """Read one page and publish its users and the next page's message.

        Whatever of it was done before, by a delivery that was cut off, is done again without harm:
        receipts are written once, and a user's message may come twice (promise P4).
        """
        if not self._pages.begin(page):
            # Whoever read it may have died before the run's last line was drawn.
            self._runs.complete_if_done(page.run)
            return
        run = self._runs.get(page.run)
        record = self._tenants.get(run.tenant)
        if page.number == 1 and not run.users:
            self._note_people(run, record)
        try:
            found = _named_users(run, page) if run.users else self._graph_users(page, record)
        except PageTokenExpiredError:
            self._restart(page, record)
            return
        self._pages.check_link(page, found.next_link)
        self._publish(page, record, found)
        if found.is_last:
            self._runs.finish_reading(page.run)
            self._runs.complete_if_done(page.run)
        self._pages.done(page, users=len(found.users))
        _log.info(
            "page published", tenant=page.tenant, run=page.run, page=page.number, users=len(found.users)
        )

    def _note_people(self, run: Run, record: TenantRecord) -> None:
        """Note how many people there are, for the guard's shares; a directory need not tell."""
        with suppress(HaltError):
            self._guards.note_people(run.id, self._directories.graph(record.credentials).count())

    def _graph_users(self, page: TenantPage, record: TenantRecord) -> PageOfUsers:
        answer = self._directories.graph(record.credentials).page(
            page.link, properties_to_select(record.tenant)
        )
        users: dict[str, dict[str, Any] | None] = {}
        for row, user in enumerate(answer.users, start=1):
            users.setdefault(_id_of(user, page, row), user)
        return PageOfUsers(users=users, next_link=answer.next_link, is_last=answer.next_link is None)

    def _publish(self, page: TenantPage, record: TenantRecord, found: PageOfUsers) -> None:
        pending = self._receipts.publish(page.run, tuple(found.users))
        give_up = record.tenant.give_up_after_hours
        messages = [
            user_sync_message(
                UserSync(tenant=page.tenant, run=page.run, user=user, payload=self._sealed(payload)),
                give_up_after_hours=give_up,
            )
            for user, payload in found.users.items()
            if user in pending
        ]
        if not found.is_last:
            following = dataclasses.replace(page, number=page.number + 1, link=found.next_link)
            messages.append(tenant_page_message(following, give_up_after_hours=give_up))
        self._publisher.publish(messages)

    def _sealed(self, payload: dict[str, Any] | None) -> str | None:
        return None if payload is None else self._sealer.seal_json(payload)

    def _restart(self, page: TenantPage, record: TenantRecord) -> None:
        scan = self._pages.restart_scan(page)
        _log.warning("page token expired", tenant=page.tenant, run=page.run, page=page.number, scan=scan)
        if scan is not None:
            first = TenantPage(tenant=page.tenant, run=page.run, scan=scan, number=1, link=None)
            self._publisher.publish(
                [tenant_page_message(first, give_up_after_hours=record.tenant.give_up_after_hours)]
            )


def _id_of(user: object, page: TenantPage, row: int) -> str:
    """Return what a user is called in our books: its id, or its place if it has none.

    A user without an id is somebody all the same, and gets a receipt that says what is wrong.
    """
    user_id = user.get("id") if isinstance(user, dict) else None
    if isinstance(user_id, str) and is_entra_id(user_id):
        return user_id
    return nameless_id(page.number, row)


def _named_users(run: Run, page: TenantPage) -> PageOfUsers:
    start = (page.number - 1) * PAGE_SIZE
    users: Sequence[str] = run.users[start : start + PAGE_SIZE]
    return PageOfUsers(
        users=dict.fromkeys(users), next_link=None, is_last=start + PAGE_SIZE >= len(run.users)
    )
