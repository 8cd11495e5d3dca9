"""Reads the dead letters that a filter chooses."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from producers.dead_letters.selection import Copies, select_open
from producers.dead_letters.since import since_first_failure
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
    """Yield at most `limit` dead letters that are not stale, each with the state of its receipt.

    Of a user that has several in a run the first one stands for all: each user counts once.
    Each is dated by since when its user fails, whichever runs the user has failed in.

    Receipts that still wait for a dead letter which RabbitMQ made itself are reconciled on the way. With
    `lock`, each queue is read in one pass, so that each dead letter is counted once.
    Raises `TransientError`.
    """
    left, copies = limit, Copies()
    read = iter_locked if lock else iter_paged
    for portion in read(broker, wanted.queues_to_browse):
        chosen = select_open(portion, wanted, store=store)
        found = list(islice((each for each in chosen if not copies.is_copy(each[0])), left))
        dated = since_first_failure([dead_letter for dead_letter, _ in found], store=store)
        yield from zip(dated, (state for _, state in found), strict=True)
        if left is not None:
            left -= len(found)
            if not left:
                return
