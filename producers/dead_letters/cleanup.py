"""Removes stale dead letters in the background, so that the queue lists the users who need a person, once.

Each pass over the queue is short and releases it, so that commands and replays wait for seconds at most. A
process that is killed has removed only what it found stale; the next cleanup goes on, because the runs are
not marked yet. Two processes take turns, and the second one finds nothing.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

import structlog

from producers.reconciliation.stale import removable
from schemas.messages.messages import USER_SYNC_QUEUE
from schemas.runs.operation import OperationKind, OperationStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from queues.interfaces import BrowsedMessage, DeadLetterBrowser, DeadLetterSource
    from schemas.runs.operation import Operation
    from store.receipts.replays import Key
    from store.store import Store

#: Dead letters that are looked at together, and kept in memory.
_BATCH: Final = 500

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class CleanupTimes:
    """Times in seconds: between two looks for ended runs, of a pass over the queue, and between two passes.

    To a pass the time is added in which it gets to where the last one ended.
    """

    interval: float = 300.0
    max_pass: float = 5.0
    pause: float = 1.0


class DeadLetterCleanup:
    """Removes the dead letters of users that newer runs have settled; not safe for threads."""

    def __init__(self, *, store: Store, broker: DeadLetterSource, times: CleanupTimes | None = None) -> None:
        self._store = store
        self._broker = broker
        self._times = times or CleanupTimes()
        self._operation: Operation | None = None
        self._counts: Counter[str] = Counter()

    def tick(self) -> Operation | None:
        """Remove what became stale since the last cleanup; return the operation, None if nothing was.

        Nothing is read unless a run has ended since. Raises `TransientError` when the database or RabbitMQ is
        unavailable; the next call begins again.
        """
        runs = self._store.cleanups.due_runs()
        if not runs:
            return None
        self._operation, self._counts = None, Counter()
        stayed, more = 0, True
        while more:
            stayed, more = self._pass(stayed)
            if more:
                time.sleep(self._times.pause)
        self._store.cleanups.mark(runs)
        if self._operation is None:
            return None
        _log.info("stale_dead_letters_removed", dead_letters=self._counts.total())
        return self._store.operations.finish(self._operation.id, OperationStatus.COMPLETED, self._counts)

    def _pass(self, stayed: int) -> tuple[int, bool]:
        """Look at dead letters beyond the first `stayed`; return how many stay, and if there are more."""
        with self._broker.browse_dead_letters(USER_SYNC_QUEUE) as browser:
            dead_letters = islice(browser, stayed, None)
            ends = math.inf
            users: set[Key] = set()
            while True:
                batch = list(islice(dead_letters, _BATCH))
                # From the first batch on: to skip what stayed may take as long as a pass.
                ends = min(ends, time.monotonic() + self._times.max_pass)
                stale = removable(batch, store=self._store, seen=users)
                if stale:
                    self._remove(stale, browser)
                stayed += len(batch) - len(stale)
                if len(batch) < _BATCH:
                    return stayed, False
                if time.monotonic() >= ends:
                    return stayed, True

    def _remove(self, stale: Sequence[BrowsedMessage], browser: DeadLetterBrowser) -> None:
        if self._operation is None:
            self._operation = self._store.operations.start(OperationKind.CLEANUP, selection={}, operator=None)
        for found in stale:
            browser.ack(found)
            self._counts[f"{found.dead_letter.tenant} {found.dead_letter.failure.reason}"] += 1
        self._store.operations.record_progress(self._operation.id, self._counts)
