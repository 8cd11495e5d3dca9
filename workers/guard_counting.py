"""Counts users for the guard that were not found, or that the scope leaves out."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from schemas.details.detail import joined
from schemas.errors import HaltError
from schemas.outcomes import Outcome
from schemas.runs.changes import ONE_LEFT_SCOPE, ONE_NOT_FOUND
from schemas.runs.totals.scope_exits import most_frequent_rule
from workers.rules.guard import check_guard

if TYPE_CHECKING:
    from schemas.tenants.tenant import Guard
    from store.receipts.outcomes import FinishedReceipt
    from store.receipts.work_items import WorkItem
    from store.store import Store


class GuardCounting:
    """Counts outcomes that change nothing in Skolon; may be shared by threads.

    Users that change are counted with their claims (`workers.pipeline.writer`), and failures by the listener
    that records them (`workers.failure_recorder`).
    """

    def __init__(self, *, store: Store) -> None:
        self._store = store

    def count(
        self, run_id: int, item: WorkItem, guard: Guard, outcome: Outcome, finished: FinishedReceipt | None
    ) -> None:
        """Count a user's outcome; raises `HaltError` (`guard_exceeded`) if the run has gone too far.

        `finished` is what was recorded, None if the user had its outcome before. Of other outcomes nothing is
        read or written.
        """
        if not item.guarded or item.dry_run:
            return
        # That a user is not found that was read again is no news.
        if outcome is Outcome.NOT_FOUND and guard.not_found is not None and not item.read_again:
            self._store.guard_counters.count(run_id, ONE_NOT_FOUND, partial(check_guard, guard))
        if finished is not None and finished.left_scope and guard.left_scope is not None:
            self._count_left_scope(run_id, guard)

    def _count_left_scope(self, run_id: int, guard: Guard) -> None:
        try:
            self._store.guard_counters.count(run_id, ONE_LEFT_SCOPE, partial(check_guard, guard))
        except HaltError as error:
            rule = most_frequent_rule(self._store.scope_exits.for_run(run_id))
            raise HaltError(error.cause, joined([error.detail, rule]) if rule else error.detail) from None
