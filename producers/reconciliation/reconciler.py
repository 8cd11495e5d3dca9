"""The reconciler: publishes lost messages of open runs again, or records the outcomes of their dead letters.

Messages can vanish without an error: an operator purges a queue, a policy drops messages, RabbitMQ
dead-letters one by itself. The run would stay open for ever. So the producers check the open runs
periodically, one process at a time.
"""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog

from producers.page_sources import PAGE_SIZE
from producers.reconciliation.loss_detection import DrainHistory, LossTimeouts, UnchangedSince, lost_before
from producers.reconciliation.receipts import reconcile_page, reconcile_receipts
from queues.message import tenant_page_message, user_sync_message
from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind
from schemas.errors import HaltError
from schemas.messages.messages import TENANT_PAGES_QUEUE, USER_SYNC_QUEUE, TenantPage
from schemas.outcomes import Status
from schemas.runs.run import WarningKind, lost_messages_warning

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Mapping

    from queues.interfaces import BrowsedMessage, DeadLetterBrowser, ReconcilerBroker
    from store.receipts.lost_messages import OpenRun
    from store.store import Store

#: Dead letters that are read together.
_PAGE_SIZE: Final = 1000

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Republished:
    """What one check published again: how many users by run, and the runs whose page it was."""

    users: Mapping[int, int]
    pages: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class _Lost:
    """Users of a run whose last sign of life is from before a moment, as found `now`."""

    run: OpenRun
    before: dt.datetime
    now: dt.datetime


_NOTHING: Final = Republished(users={}, pages=())


class Reconciler:
    """Finds lost messages, and remembers its observations; not safe for threads."""

    def __init__(self, *, store: Store, queues: ReconcilerBroker, patience: LossTimeouts) -> None:
        self._store = store
        self._lost = store.lost_messages
        self._queues = queues
        self._patience = patience
        #: How often users of an open run were published again, and how often its list was restarted.
        self._times: dict[int, int] = {}
        self._page_times: dict[int, int] = {}
        self._forget()

    def tick(self, now: dt.datetime) -> Republished:
        """Publish again what is lost at `now` (aware), and return it.

        Raises `TransientError` when the database or RabbitMQ is unavailable, and forgets all observations.
        """
        try:
            with self._lost.try_lock() as mine:
                if mine:
                    return self._check(now)
            self._forget()
        except Exception:
            self._forget()
            raise
        return _NOTHING

    def _forget(self) -> None:
        self._users_passage, self._pages_passage = DrainHistory(), DrainHistory()
        self._quick_passage = DrainHistory()
        self._runs, self._pages = UnchangedSince(), UnchangedSince()

    def _check(self, now: dt.datetime) -> Republished:
        runs = self._lost.open_runs()
        self._times = {run.id: self._times.get(run.id, 0) for run in runs}
        self._page_times = {run.id: self._page_times.get(run.id, 0) for run in runs}
        self._runs.record(now, [(run.id, run.attempt) for run in runs])
        self._pages.record(now, runs)
        if not runs:
            return _NOTHING
        self._note_passages(now, runs)
        failed = self._lost.last_failure()
        away = failed is not None and (now - failed).total_seconds() < self._patience.quiet_time_in_outage
        found = [self._lost_of(run, now, away=away) for run in runs]
        lost = {each.run.id: each for each in found if each is not None}
        users: Counter[int] = Counter()
        if lost:
            # The message may be a dead letter that RabbitMQ created by itself.
            users += self._reconcile_dead_letters(lost)
        users += Counter({run: self._publish_all(each) for run, each in lost.items()})
        for run, count in users.items():
            self._report_users(lost[run].run, count)
        pages = [run for run in runs if self._page_is_lost(run, now, away=away)]
        begun = [run.id for run in pages if self._restart_list(run)]
        return Republished(users=dict(users), pages=tuple(begun))

    def _note_passages(self, now: dt.datetime, runs: Collection[OpenRun]) -> None:
        depth = self._queues.depth(USER_SYNC_QUEUE)
        left = now if depth.is_empty else None if depth.deferred else self._lost.newest_finished()
        self._users_passage.record(now, left)
        # Quick users stand behind no others.
        self._quick_passage.record(now, None if depth.deferred else now)
        if any(run.status is Status.READING for run in runs):
            self._pages_passage.record(now, now if self._queues.depth(TENANT_PAGES_QUEUE).is_empty else None)

    def _lost_of(self, run: OpenRun, now: dt.datetime, *, away: bool) -> _Lost | None:
        """Return the lost users of a run, None if there are none."""
        quiet = self._patience.required_quiet(away=away, times=self._times[run.id])
        passage = self._quick_passage if run.is_quick else self._users_passage
        before = lost_before(now, quiet, passage, self._runs.since((run.id, run.attempt)))
        if before is None or not self._lost.lost_users(run.id, before=before, limit=1):
            return None
        return _Lost(run=run, before=before, now=now)

    def _page_is_lost(self, run: OpenRun, now: dt.datetime, *, away: bool) -> bool:
        if run.status is not Status.READING:
            return False
        quiet = self._patience.required_quiet(away=away, times=self._page_times[run.id])
        before = lost_before(now, quiet, self._pages_passage, self._pages.since(run))
        return before is not None and (run.page_next_try is None or run.page_next_try < before)

    def _publish_all(self, lost: _Lost) -> int:
        count, last = 0, ""
        while users := self._lost.lost_users(lost.run.id, before=lost.before, after=last, limit=PAGE_SIZE):
            count, last = count + len(self._publish(lost, users)), users[-1]
        return count

    def _publish(self, lost: _Lost, users: Collection[str]) -> set[str]:
        """Publish the users that are still lost, each to be read afresh; return them."""
        run = lost.run
        marked = self._lost.mark_republished(run.id, users, before=lost.before, moment=lost.now)
        give_up = self._give_up(run)
        self._queues.publish(
            [
                user_sync_message(user, give_up_after_hours=give_up, is_quick=run.is_quick)
                for user in self._store.message_cipher.encrypt_users(
                    run.tenant, run.id, dict.fromkeys(sorted(marked))
                )
            ]
        )
        return marked

    def _report_users(self, run: OpenRun, count: int) -> None:
        self._times[run.id] += 1
        self._store.run_warnings.record_users(run.id, count, lost_messages_warning)
        _log.warning("messages_lost", tenant=run.tenant, run=run.id, users=count)

    def _reconcile_dead_letters(self, lost: Mapping[int, _Lost]) -> Counter[int]:
        """Reconcile the dead letters; return how many dropped users of each run were published again."""
        users: Counter[int] = Counter()
        with self._queues.browse_dead_letters(USER_SYNC_QUEUE) as browser:
            dead_letters = iter(browser)
            while portion := list(itertools.islice(dead_letters, _PAGE_SIZE)):
                reconcile_receipts([found.dead_letter for found in portion], store=self._store)
                for run, each in lost.items():
                    users[run] += self._replace_dropped(browser, portion, each)
        return users

    def _replace_dropped(
        self, browser: DeadLetterBrowser, portion: Collection[BrowsedMessage], lost: _Lost
    ) -> int:
        """Publish users again whose messages a policy dropped, and remove those dead letters."""
        dropped = [
            (key[1], found)
            for found in portion
            if found.dead_letter.is_dropped
            and (key := found.dead_letter.receipt_key)
            and key[0] == lost.run.id
        ]
        if not dropped:
            return 0
        published = self._publish(lost, {user for user, _ in dropped})
        for user, found in dropped:
            if user in published:
                browser.ack(found)
        return len(published)

    def _restart_list(self, run: OpenRun) -> bool:
        """Restart the list of a run whose page message is lost; False if the run is halted for that."""
        with self._queues.browse_dead_letters(TENANT_PAGES_QUEUE) as browser:
            if any(reconcile_page(found.dead_letter, store=self._store) for found in browser):
                return False
        page = TenantPage(
            tenant=run.tenant, run=run.id, attempt=run.attempt, number=run.pages_done + 1, link=None
        )
        try:
            attempt = self._store.pages.restart_listing(page)
        except HaltError as error:
            lost = Detail(DetailKind.PAGES_LOST, problem=error.detail)
            self._store.runs.halt(run.id, error.cause, lost)
            return False
        if attempt is None:
            return False
        first = TenantPage(tenant=run.tenant, run=run.id, attempt=attempt, number=1, link=None)
        sealed = self._store.message_cipher.sign_page(first)
        give_up = self._give_up(run)
        self._queues.publish(
            [tenant_page_message(sealed, give_up_after_hours=give_up, is_quick=run.is_quick)]
        )
        self._page_times[run.id] += 1
        detail = Detail(DetailKind.PAGE_MESSAGE_LOST)
        self._store.run_warnings.record(run.id, WarningKind.PAGE_LOST, detail)
        _log.warning("page_message_lost", tenant=run.tenant, run=run.id, attempt=attempt)
        return True

    def _give_up(self, run: OpenRun) -> float:
        return self._store.tenants.settings(run.tenant).give_up_after_hours
