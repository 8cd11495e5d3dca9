"""Checks dead letters before a replay: how many can be replayed, and what blocks the others."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from producers.dead_letters.ramp import BlockReason
from producers.reconciliation.receipts import reconcile_receipts
from queues.dead_letters import iter_locked
from schemas.errors import UsageError
from schemas.messages.messages import TENANT_PAGES_QUEUE, USER_SYNC_QUEUE
from store.runs.rows import is_run_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from queues.interfaces import DeadLetterSource
    from schemas.messages.dead_letter import DeadLetter
    from schemas.messages.dead_letter_filter import DeadLetterFilter
    from store.receipts.replays import Key, ReceiptState
    from store.store import Store


@dataclass(kw_only=True)
class Precheck:
    """How many dead letters can be replayed, by queue, and how many are blocked."""

    expected: Counter[str] = field(default_factory=Counter)
    blocked: Counter[BlockReason] = field(default_factory=Counter)

    @property
    def replayable(self) -> int:
        """How many dead letters can be replayed."""
        return self.expected.total()


def precheck(
    wanted: DeadLetterFilter, *, limit: int | None, store: Store, broker: DeadLetterSource, counts: Precheck
) -> Iterator[DeadLetter]:
    """Yield the dead letters that can be replayed, at most `limit`; count them and the others in `counts`.

    It reconciles the receipts with their dead letters on the way. Raises `TransientError`.
    """
    runs: dict[int | None, bool] = {}
    for portion in iter_locked(broker, wanted.queues_to_browse):
        dead_letters = [dead_letter for dead_letter in portion if wanted.matches(dead_letter)]
        states = reconcile_receipts(dead_letters, store=store).states
        superseded_and_pruned = _superseded_and_pruned(dead_letters, states, store)
        for dead_letter in dead_letters:
            obstacle = _block_reason(dead_letter, states, runs, store)
            if obstacle is BlockReason.RUN_GONE and dead_letter.id in superseded_and_pruned:
                obstacle = BlockReason.SUPERSEDED
            if counts.replayable == limit:
                return
            if obstacle is not None:
                counts.blocked[obstacle] += 1
                continue
            counts.expected[dead_letter.queue] += 1
            yield dead_letter


def _superseded_and_pruned(
    dead_letters: Sequence[DeadLetter], states: Mapping[Key, ReceiptState], store: Store
) -> set[str]:
    """Return the ids of dead letters whose receipts are pruned because newer runs superseded them."""
    gone = {
        dead_letter.id: (dead_letter.tenant, *dead_letter.receipt_key)
        for dead_letter in dead_letters
        if dead_letter.tenant is not None
        and dead_letter.receipt_key is not None
        and dead_letter.receipt_key not in states
    }
    superseded_and_pruned = store.pruning.superseded_and_pruned(set(gone.values()))
    return {dead_letter for dead_letter, person in gone.items() if person in superseded_and_pruned}


def _block_reason(
    dead_letter: DeadLetter, states: Mapping[Key, ReceiptState], runs: dict[int | None, bool], store: Store
) -> BlockReason | None:
    if not dead_letter.is_known:
        return BlockReason.FOREIGN
    if dead_letter.queue == USER_SYNC_QUEUE:
        if dead_letter.receipt_key is None:
            return BlockReason.FOREIGN
        return None if dead_letter.receipt_key in states else BlockReason.RUN_GONE
    if dead_letter.queue == TENANT_PAGES_QUEUE:
        if dead_letter.run not in runs:
            runs[dead_letter.run] = _is_there(dead_letter.run, store)
        return None if runs[dead_letter.run] else BlockReason.RUN_GONE
    return None


def _is_there(run: int | None, store: Store) -> bool:
    if run is None or not is_run_id(run):
        return False
    try:
        store.runs.get(run)
    except UsageError:
        return False
    return True
