"""Dead letters of triggers and pages, replayed: they are few, and have no receipts to wait for.

What they ask for is done between two walks, because it may take its time, and bears to be done twice.
"""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING

from producers.resume import resume_run
from queues.dead_letters import read_in_portions
from queues.replays import replayed_as_it_was
from schemas.errors import PermanentError, WrongUseError
from schemas.messages.messages import TENANT_PAGES_QUEUE, TENANT_SYNC_QUEUE, load_tenant_page
from schemas.outcomes import Status
from store.runs.rows import is_run_id

if TYPE_CHECKING:
    from queues.interfaces import Postbox
    from schemas.messages.dead_letter import Letter
    from schemas.messages.dead_letter_filter import LetterFilter
    from store.store import Store


class RunsReplay:
    """What a replay does about triggers and pages: counted, with notes on why some pages are left."""

    def __init__(self, wanted: LetterFilter, *, operation: int, store: Store, broker: Postbox) -> None:
        self.counts: Counter[str] = Counter()
        self.notes: list[str] = []
        self._wanted = wanted
        self._operation = operation
        self._store = store
        self._broker = broker

    def triggers(self, letters: int) -> None:
        """Publish triggers again as they were, `letters` at most; the same event twice is one run."""
        chosen = self._chosen(TENANT_SYNC_QUEUE, letters)
        self._broker.publish([replayed_as_it_was(letter, operation=self._operation) for letter in chosen])
        self.counts["triggers"] += len(chosen)
        self._take(TENANT_SYNC_QUEUE, {letter.id for letter in chosen})

    def pages(self, letters: int) -> None:
        """Resume the runs of pages that were not read; of a run that has ended nothing is left to do."""
        chosen = self._chosen(TENANT_PAGES_QUEUE, letters)
        settled = set()
        for run in dict.fromkeys(letter.run for letter in chosen if self._is_genuine(letter)):
            try:
                if run is not None and is_run_id(run):
                    self._go_on(run)
                    settled.add(run)
            except WrongUseError as error:
                self.counts["runs_left"] += 1
                self.notes.append(str(error))
        self._take(TENANT_PAGES_QUEUE, {letter.id for letter in chosen if letter.run in settled})

    def _go_on(self, run: int) -> None:
        if self._store.runs.get(run).status in (Status.COMPLETED, Status.CANCELLED):
            self.counts["runs_over"] += 1
            return
        resume_run(run, store=self._store, publisher=self._broker)
        self.counts["runs_resumed"] += 1

    def _is_genuine(self, letter: Letter) -> bool:
        """Say whether a page's letter is of a message of ours: a foreign one resumes nobody's run."""
        try:
            self._store.seals.check_page(load_tenant_page(letter.fields))
        except PermanentError:
            return False
        return True

    def _chosen(self, queue: str, letters: int) -> list[Letter]:
        read = read_in_portions(self._broker, (queue,))
        meant = (letter for portion in read for letter in portion if self._is_meant(letter))
        return list(islice(meant, letters))

    def _is_meant(self, letter: Letter) -> bool:
        return letter.is_known and self._wanted.matches(letter) and letter.operation != self._operation

    def _take(self, queue: str, ids: set[str]) -> None:
        with self._broker.walk_dead_letters(queue) as walk:
            for found in walk:
                # One that came back meanwhile has the same id, and stays.
                if found.letter.id in ids and found.letter.operation != self._operation:
                    walk.take(found)
