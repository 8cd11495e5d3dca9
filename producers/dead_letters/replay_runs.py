"""Replays dead letters of triggers and pages: they are few, and have no receipts to wait for.

The work is done between two passes over the queue, because it may take long, and may be done twice.
"""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING

from producers.resume import resume_run
from queues.dead_letters import iter_paged
from queues.message import original_replay_message
from schemas.errors import PermanentError, UsageError
from schemas.messages.messages import TENANT_PAGES_QUEUE, TENANT_SYNC_QUEUE, load_tenant_page
from schemas.outcomes import Status
from store.runs.rows import is_run_id

if TYPE_CHECKING:
    from queues.interfaces import ReplayBroker
    from schemas.messages.dead_letter import DeadLetter
    from schemas.messages.dead_letter_filter import DeadLetterFilter
    from store.store import Store


class RunReplayer:
    """Replays triggers and pages; counts them, with notes on pages that stay."""

    def __init__(
        self, wanted: DeadLetterFilter, *, operation: int, store: Store, broker: ReplayBroker
    ) -> None:
        self.counts: Counter[str] = Counter()
        self.notes: list[str] = []
        self._wanted = wanted
        self._operation = operation
        self._store = store
        self._broker = broker

    def replay_triggers(self, dead_letters: int) -> None:
        """Publish at most `dead_letters` triggers again unchanged; the same event twice is one run."""
        chosen = self._chosen(TENANT_SYNC_QUEUE, dead_letters)
        self._broker.publish(
            [original_replay_message(dead_letter, operation=self._operation) for dead_letter in chosen]
        )
        self.counts["triggers"] += len(chosen)
        self._take(TENANT_SYNC_QUEUE, {dead_letter.id for dead_letter in chosen})

    def replay_pages(self, dead_letters: int) -> None:
        """Resume the runs of pages that were not read; a run that has ended needs nothing."""
        chosen = self._chosen(TENANT_PAGES_QUEUE, dead_letters)
        settled = set()
        for run in dict.fromkeys(
            dead_letter.run for dead_letter in chosen if self._is_authentic(dead_letter)
        ):
            try:
                if run is not None and is_run_id(run):
                    self._resume(run)
                    settled.add(run)
            except UsageError as error:
                self.counts["runs_left"] += 1
                self.notes.append(str(error))
        self._take(
            TENANT_PAGES_QUEUE, {dead_letter.id for dead_letter in chosen if dead_letter.run in settled}
        )

    def _resume(self, run: int) -> None:
        if self._store.runs.get(run).status in (Status.COMPLETED, Status.CANCELLED):
            self.counts["runs_over"] += 1
            return
        resume_run(run, store=self._store, publisher=self._broker)
        self.counts["runs_resumed"] += 1

    def _is_authentic(self, dead_letter: DeadLetter) -> bool:
        """Say whether a page's dead letter is of a message of ours: a foreign one must not resume a run."""
        try:
            self._store.message_cipher.check_page(load_tenant_page(dead_letter.fields))
        except PermanentError:
            return False
        return True

    def _chosen(self, queue: str, dead_letters: int) -> list[DeadLetter]:
        read = iter_paged(self._broker, (queue,))
        selected = (
            dead_letter for portion in read for dead_letter in portion if self._is_selected(dead_letter)
        )
        return list(islice(selected, dead_letters))

    def _is_selected(self, dead_letter: DeadLetter) -> bool:
        return (
            dead_letter.is_known
            and self._wanted.matches_properties(dead_letter)
            and self._wanted.matches_age(dead_letter)
            and dead_letter.operation != self._operation
        )

    def _take(self, queue: str, ids: set[str]) -> None:
        with self._broker.browse_dead_letters(queue) as browser:
            for found in browser:
                # A message that failed again meanwhile has the same id, and stays.
                if found.dead_letter.id in ids and found.dead_letter.operation != self._operation:
                    browser.ack(found)
