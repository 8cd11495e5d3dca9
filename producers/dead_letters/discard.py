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
    from schemas.messages.dead_letter_filter import DeadLetterFilter
    from schemas.runs.operation import Operation
    from store.store import Store

#: Dead letters whose receipts are looked up together.
_BATCH: Final = 500


def discard(  # noqa: PLR0913 - what it is about, and who asks for it
    wanted: DeadLetterFilter,
    *,
    expected: Mapping[str, int],
    operator: str | None,
    store: Store,
    broker: DeadLetterSource,
    task: int | None = None,
) -> Operation:
    """Discard dead letters that are not stale, the oldest first: as many of a queue as `expected` says.

    Receipts keep `dead_lettered`. The operation is recorded before the first one is discarded, and its counts
    after each batch. `task` is what it is a part of, which has a reason: then the receipts note it. Raises
    `TransientError` when the database or RabbitMQ is unavailable.
    """
    selection = {**wanted.as_json(), "dead_letters": sum(expected.values())}
    operation = store.operations.start(
        OperationKind.DISCARD, selection=selection, operator=operator, task=task
    )
    counts: dict[str, int] = {}
    for queue, dead_letters in expected.items():
        with broker.browse_dead_letters(queue) as browser:
            meant = islice(iter_selected(browser, wanted, store=store), dead_letters)
            while batch := list(islice(meant, _BATCH)):
                _discard_batch(batch, browser, store, None if task is None else operation.id)
                for found in batch:
                    name = f"{found.dead_letter.tenant or '-'} {found.dead_letter.failure.reason}"
                    counts[name] = counts.get(name, 0) + 1
                store.operations.record_progress(operation.id, counts)
    return store.operations.finish(operation.id, OperationStatus.COMPLETED, counts)


def _discard_batch(
    batch: list[BrowsedMessage], browser: DeadLetterBrowser, store: Store, noted: int | None
) -> None:
    reconcile_receipts([found.dead_letter for found in batch], store=store)
    store.replays.release(list(_keys(batch)), discarded_by=noted)
    for found in batch:
        browser.ack(found)


def _keys(batch: list[BrowsedMessage]) -> Iterator[tuple[int, str]]:
    return (key for found in batch if (key := found.dead_letter.receipt_key) is not None)
