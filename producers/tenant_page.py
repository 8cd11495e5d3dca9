"""One page of a run: read, given receipts, published together with the message for the next one."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import structlog

from producers.endless import why_endless
from producers.page_sources import PageOfUsers, PageSources
from producers.truncation import why_count_differs
from queues.messages import tenant_page_message, user_sync_message
from schemas.cautions import Caution
from schemas.errors import DeltaLinkExpiredError, HaltError, PageTokenExpiredError
from schemas.messages import TenantPage, UserSync
from schemas.outcomes import Cause

if TYPE_CHECKING:
    from clients.directories import Directories
    from queues.broker import Publisher
    from schemas.errors import UpdateSyncError
    from store.store import Store
    from store.tenants import TenantRecord

_log = structlog.get_logger(__name__)


class PageReader:
    """Works off page messages; may be shared by threads."""

    def __init__(
        self,
        *,
        store: Store,
        directories: Directories,
        publisher: Publisher,
    ) -> None:
        self._runs = store.runs
        self._pages = store.pages
        self._receipts = store.receipts
        self._changes = store.changes
        self._readings = store.readings
        self._guards = store.guards
        self._run_warnings = store.run_warnings
        self._trials = store.trials
        self._sources = PageSources(store=store, directories=directories)
        self._publisher = publisher
        self._seals = store.seals

    def read(self, page: TenantPage) -> None:
        """Read one page and publish its users and the next page's message.

        Whatever of it was done before, by a delivery that was cut off, is done again without harm:
        receipts are written once, and a user's message may come twice (promise P4).
        """
        self._seals.check_page(page)
        if not self._pages.begin(page):
            # Whoever read it may have died before the run's last line was drawn.
            self._runs.complete_if_done(page.run)
            return
        run = self._runs.get(page.run)
        record = self._trials.for_run(run)
        try:
            found = self._sources.read(page, run, record)
        except (PageTokenExpiredError, DeltaLinkExpiredError) as error:
            self._restart(page, record, error)
            return
        self._pages.check_link(page, found.next_link)
        self._check_length(page, found)
        self._publish(page, record, found)
        if found.is_last:
            if found.lists_everybody:
                self._warn_of_count(page)
            if found.delta_link is not None:
                self._readings.leave(page.run, found.delta_link)
            self._runs.finish_reading(page.run)
            self._runs.complete_if_done(page.run)
        self._pages.done(page, users=len(found.users) + len(found.removed))
        _log.info(
            "page published",
            tenant=page.tenant,
            run=page.run,
            page=page.number,
            users=len(found.users),
            removed=len(found.removed),
        )

    def _publish(self, page: TenantPage, record: TenantRecord, found: PageOfUsers) -> None:
        if found.is_delta:
            pending = self._changes.publish(page.run, found.users.keys(), found.removed)
        else:
            pending = self._receipts.publish(page.run, tuple(found.users))
        give_up = record.tenant.give_up_after_hours
        messages = [
            user_sync_message(
                self._seals.user(
                    UserSync(tenant=page.tenant, run=page.run, user=user, payload=None), payload
                ),
                give_up_after_hours=give_up,
            )
            for user, payload in found.users.items()
            if user in pending
        ]
        if not found.is_last:
            following = dataclasses.replace(page, number=page.number + 1, link=found.next_link)
            messages.append(tenant_page_message(self._seals.page(following), give_up_after_hours=give_up))
        self._publisher.publish(messages)

    def _check_length(self, page: TenantPage, found: PageOfUsers) -> None:
        """Raise `HaltError` (`page_loop`) if the list cannot end: its links are new, and lead nowhere."""
        if found.next_link is None:
            return
        # The next page's message goes out before this page is done, so pages are told by number, not counted.
        users = self._pages.users_read(page)
        why = why_endless(pages=page.number, users=users, counted=self._guards.people(page.run))
        if why is not None:
            raise HaltError(Cause.PAGE_LOOP, why)

    def _warn_of_count(self, page: TenantPage) -> None:
        """Warn on the run if Graph counted others than were read; the last reading has the say."""
        summary, counted = self._runs.summary(page.run), self._guards.people(page.run)
        if counted is None:
            return
        detail = why_count_differs(counted=counted, read=summary.published)
        self._run_warnings.withdraw(page.run, Caution.COUNT_DIFFERS)
        if detail is not None:
            self._run_warnings.note(page.run, Caution.COUNT_DIFFERS, detail)
            _log.warning("count differs", tenant=page.tenant, run=page.run, detail=detail)

    def _restart(self, page: TenantPage, record: TenantRecord, error: UpdateSyncError) -> None:
        """Begin the list again because of what Graph no longer knows: a page's token, or a delta's link."""
        scan = self._pages.restart_scan(page)
        why = "delta link expired" if isinstance(error, DeltaLinkExpiredError) else "page token expired"
        _log.warning(why, tenant=page.tenant, run=page.run, page=page.number, scan=scan, answer=str(error))
        if scan is not None:
            if isinstance(error, DeltaLinkExpiredError):
                note = f"everybody is read: Graph no longer takes the delta link that was kept ({error})"
                self._readings.read_everybody(page.run, scan=scan, why=note)
            first = TenantPage(tenant=page.tenant, run=page.run, scan=scan, number=1, link=None)
            self._publisher.publish(
                [
                    tenant_page_message(
                        self._seals.page(first), give_up_after_hours=record.tenant.give_up_after_hours
                    )
                ]
            )
