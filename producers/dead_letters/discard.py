"""Discards dead letters: exactly the selected and counted ones, recorded as an operation."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from producers.dead_letters.selection import iter_selected
from producers.reconciliation.receipts import reconcile_receipts
from schemas.runs.operation import OperationKind, OperationStatus

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from queues.interfaces import BrowsedMessage, DeadLetterBrowser, DeadLetterSource
    from schemas.messages.dead_letter import DeadLetter
    from schemas.messages.dead_letter_filter import DeadLetterFilter
    from schemas.runs.operation import Operation
    from store.receipts.replays import Key
    from store.store import Store

#: Dead letters whose receipts are looked up together.
_BATCH: Final = 500


class DiscardChoice:
    """Chooses the dead letters that are discarded, at most `limit`: `expected` by queue, each user once.

    `copies` counts further dead letters of the chosen users, which go with them.
    """

    def __init__(self, *, limit: int | None = None) -> None:
        self.expected: dict[str, int] = {}
        self.copies = 0
        self._limit = limit
        self._users: set[Key] = set()

    @property
    def is_full(self) -> bool:
        """Whether the limit is reached."""
        return sum(self.expected.values()) == self._limit

    def is_copy(self, dead_letter: DeadLetter) -> bool:
        """Say whether it is a further dead letter of a chosen user, and count it."""
        is_copy = dead_letter.receipt_key in self._users
        self.copies += is_copy
        return is_copy

    def take(self, dead_letter: DeadLetter) -> bool:
        """Choose a dead letter; False if the limit is reached."""
        if self.is_full:
            return False
        self.expected[dead_letter.queue] = self.expected.get(dead_letter.queue, 0) + 1
        if dead_letter.receipt_key is not None:
            self._users.add(dead_letter.receipt_key)
        return True


def discard(  # noqa: PLR0913 - what it is about, and who asks for it
    wanted: DeadLetterFilter,
    *,
    expected: Mapping[str, int],
    operator: str | None,
    store: Store,
    broker: DeadLetterSource,
    copies: int = 0,
    task: int | None = None,
) -> Operation:
    """Discard dead letters that are not stale, the oldest first: as many of a queue as `expected` says.

    Copies of those go too, which are `copies` in all and not counted. Receipts keep `dead_lettered`. The
    operation is recorded before the first one is discarded, and its counts after each batch. `task` is what
    it is a part of, which has a reason: then the receipts note it. Raises `TransientError` when the database
    or RabbitMQ is unavailable.
    """
    selection = {**wanted.as_json(), "dead_letters": sum(expected.values())}
    operation = store.operations.start(
        OperationKind.DISCARD, selection=selection, operator=operator, task=task
    )
    counts: dict[str, int] = {}
    for queue, dead_letters in expected.items():
        with broker.browse_dead_letters(queue) as browser:
            meant = _with_copies(iter_selected(browser, wanted, store=store), dead_letters, copies)
            while batch := list(islice(meant, _BATCH)):
                found_ones = [found for found, _ in batch]
                _discard_batch(found_ones, browser, store, None if task is None else operation.id)
                for found in (found for found, is_copy in batch if not is_copy):
                    name = f"{found.dead_letter.tenant or '-'} {found.dead_letter.failure.reason}"
                    counts[name] = counts.get(name, 0) + 1
                store.operations.record_progress(operation.id, counts)
    return store.operations.finish(operation.id, OperationStatus.COMPLETED, counts)


def _with_copies(
    selected: Iterator[BrowsedMessage], dead_letters: int, copies: int
) -> Iterator[tuple[BrowsedMessage, bool]]:
    """Yield so many of the selected dead letters, and the copies of their users: True for a copy."""
    choice = DiscardChoice(limit=dead_letters)
    for found in selected:
        if choice.is_copy(found.dead_letter):
            yield found, True
        elif choice.take(found.dead_letter):
            yield found, False
        if choice.is_full and choice.copies >= copies:
            return


def _discard_batch(
    batch: list[BrowsedMessage], browser: DeadLetterBrowser, store: Store, noted: int | None
) -> None:
    reconcile_receipts([found.dead_letter for found in batch], store=store)
    store.replays.release(list(_keys(batch)), discarded_by=noted)
    for found in batch:
        browser.ack(found)


def _keys(batch: list[BrowsedMessage]) -> Iterator[tuple[int, str]]:
    return (key for found in batch if (key := found.dead_letter.receipt_key) is not None)
