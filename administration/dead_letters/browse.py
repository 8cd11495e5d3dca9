"""Reads the dead letters that a filter chooses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from producers.reconciliation.receipts import reconcile_receipts
from queues.dead_letters import iter_locked, iter_paged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from queues.interfaces import DeadLetterSource
    from schemas.messages.dead_letter import DeadLetter
    from schemas.messages.dead_letter_filter import DeadLetterFilter
    from store.receipts.replays import ReceiptState
    from store.store import Store


def browse(
    wanted: DeadLetterFilter, *, store: Store, broker: DeadLetterSource, limit: int | None, lock: bool = False
) -> Iterator[tuple[DeadLetter, ReceiptState | None]]:
    """Yield at most `limit` dead letters, each with the state of its receipt.

    Receipts that still wait for a dead letter which RabbitMQ made itself are reconciled on the way. With
    `lock`, each queue is read in one pass, so that each dead letter is counted once.
    Raises `TransientError`.
    """
    left = limit
    read = iter_locked if lock else iter_paged
    for portion in read(broker, wanted.queues_to_browse):
        dead_letters = [dead_letter for dead_letter in portion if wanted.matches(dead_letter)][:left]
        states = reconcile_receipts(dead_letters, store=store).states
        for dead_letter in dead_letters:
            yield dead_letter, states.get(dead_letter.receipt_key) if dead_letter.receipt_key else None
        if left is not None:
            left -= len(dead_letters)
            if not left:
                return
