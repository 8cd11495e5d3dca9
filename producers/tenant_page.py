"""Handles page messages: reads one page, creates receipts, publishes its users and the next page."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import structlog

from producers.listing_bounds import endless_reason
from producers.listing_check import count_mismatch, ends_short
from producers.page_sources import PageSources, UserPage
from queues.message import tenant_page_message, user_sync_message
from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind
from schemas.errors import DeltaLinkExpiredError, HaltError, PageTokenExpiredError
from schemas.messages.messages import TenantPage
from schemas.outcomes import Cause
from schemas.runs.run import WarningKind

if TYPE_CHECKING:
    from clients.gateways import Gateways
    from producers.run_progress import RunProgressLog
    from queues.interfaces import Publisher
    from schemas.errors import UpdateSyncError
    from schemas.runs.run import Run
    from store.store import Store
    from store.tenants.tenants import TenantRecord

_log = structlog.get_logger(__name__)


class PageReader:
    """Reads pages of runs; may be shared by threads."""

    def __init__(
        self,
        *,
        store: Store,
        gateways: Gateways,
        publisher: Publisher,
        progress_log: RunProgressLog,
    ) -> None:
        self._progress_log = progress_log
        self._runs = store.runs
        self._pages = store.pages
        self._receipts = store.receipts
        self._delta_receipts = store.delta_receipts
        self._delta_state = store.delta_state
        self._guard_counters = store.guard_counters
        self._run_warnings = store.run_warnings
        self._settings_overrides = store.settings_overrides
        self._sources = PageSources(store=store, gateways=gateways)
        self._publisher = publisher
        self._message_cipher = store.message_cipher

    def read(self, page: TenantPage) -> None:
        """Read one page and publish its users and the next page's message.

        A repeated delivery does no harm: receipts are written once, and a user's message may come twice
        (promise P4).
        """
        self._message_cipher.check_page(page)
        if page.number == 1:
            self._progress_log.follow(page.run)
        if not self._pages.should_read(page):
            # The process that read it may have died before it completed the run.
            self._runs.complete_if_done(page.run)
            return
        run = self._runs.get(page.run)
        record = self._settings_overrides.for_run(run)
        try:
            found = self._sources.read(page, run, record)
        except (PageTokenExpiredError, DeltaLinkExpiredError) as error:
            self._restart(page, record, error)
            return
        self._pages.record_next_link(page, found.next_link)
        self._check_length(page, found)
        if found.delta_link is not None:
            # Before the next page is published: that may be the last one, and complete the run.
            self._delta_state.record_delta_link(page.run, found.delta_link)
        self._publish(page, run, record, found)
        if found.is_last:
            if found.is_full_listing:
                self._check_listing(page)
            self._runs.finish_reading(page.run)
            self._runs.complete_if_done(page.run)
        self._pages.mark_done(page, users=len(found.users) + len(found.removed))
        _log.info(
            "page_published",
            tenant=page.tenant,
            run=page.run,
            page=page.number,
            users=len(found.users),
            removed=len(found.removed),
        )

    def _publish(self, page: TenantPage, run: Run, record: TenantRecord, found: UserPage) -> None:
        if found.is_delta:
            pending = self._delta_receipts.create_pending(page.run, found.users.keys(), found.removed)
        else:
            pending = self._receipts.create_pending(
                page.run, tuple(found.users), read_again=found.is_read_again
            )
        give_up = record.tenant.give_up_after_hours
        users = {user: payload for user, payload in found.users.items() if user in pending}
        messages = [
            user_sync_message(user, give_up_after_hours=give_up, is_quick=run.is_quick)
            for user in self._message_cipher.encrypt_users(page.tenant, page.run, users)
        ]
        if not found.is_last:
            following = dataclasses.replace(page, number=page.number + 1, link=found.next_link)
            messages.append(
                tenant_page_message(self._message_cipher.sign_page(following), give_up_after_hours=give_up)
            )
        self._publisher.publish(messages)

    def _check_length(self, page: TenantPage, found: UserPage) -> None:
        """Raise `HaltError` (`page_loop`) if the list would not end although its links are new."""
        if found.next_link is None:
            return
        # The next page's message is published before this page is done, so the page's number tells how many
        # were read.
        users = self._pages.users_read(page)
        why = endless_reason(
            pages=page.number, users=users, counted=self._guard_counters.counted_directory_size(page.run)
        )
        if why is not None:
            raise HaltError(Cause.PAGE_LOOP, why)

    def _check_listing(self, page: TenantPage) -> None:
        """Check a list that has been read to its end; the last reading decides.

        A list without users halts the run (`suspicious_list`). The run has a warning if Graph's count differs
        from the number read. It leaves no delta link if the list ends short: a delta from there would never
        tell of the users that the list lacks.
        """
        read = self._runs.summary(page.run).published
        counted = self._guard_counters.counted_directory_size(page.run)
        if not read:
            empty = (
                Detail(DetailKind.EMPTY_LIST)
                if counted is None
                else Detail(DetailKind.EMPTY_LIST_BUT_COUNTED, counted=counted)
            )
            raise HaltError(Cause.SUSPICIOUS_LIST, empty)
        if counted is None:
            return
        if ends_short(counted=counted, read=read):
            self._delta_state.discard_delta_link(page.run)
        detail = count_mismatch(counted=counted, read=read)
        self._run_warnings.remove(page.run, WarningKind.COUNT_DIFFERS)
        if detail is not None:
            self._run_warnings.record(page.run, WarningKind.COUNT_DIFFERS, detail)
            _log.warning("count_differs", tenant=page.tenant, run=page.run, detail=detail)

    def _restart(self, page: TenantPage, record: TenantRecord, error: UpdateSyncError) -> None:
        """Restart the list after Graph has lost a page token or a delta link."""
        attempt = self._pages.restart_listing(page)
        event = "delta_link_expired" if isinstance(error, DeltaLinkExpiredError) else "page_token_expired"
        _log.warning(
            event, tenant=page.tenant, run=page.run, page=page.number, attempt=attempt, answer=str(error)
        )
        if attempt is not None:
            if isinstance(error, DeltaLinkExpiredError):
                note = Detail(DetailKind.DELTA_LINK_REFUSED, answer=error.args[0])
                self._delta_state.fall_back_to_list(page.run, attempt=attempt, why=note)
            first = TenantPage(tenant=page.tenant, run=page.run, attempt=attempt, number=1, link=None)
            self._publisher.publish(
                [
                    tenant_page_message(
                        self._message_cipher.sign_page(first),
                        give_up_after_hours=record.tenant.give_up_after_hours,
                    )
                ]
            )
