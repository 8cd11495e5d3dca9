"""Checks dead letters before a replay: how many can be replayed, and what blocks the others."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from producers.dead_letters.ramp import BlockReason
from producers.dead_letters.selection import Copies, select_open
from producers.reconciliation.receipts import is_authentic
from queues.dead_letters import iter_locked
from schemas.errors import UsageError
from schemas.messages.messages import TENANT_PAGES_QUEUE, USER_SYNC_QUEUE
from store.runs.rows import is_run_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from queues.interfaces import DeadLetterSource
    from schemas.dead_letter_reasons import Reason
    from schemas.messages.dead_letter import DeadLetter
    from schemas.messages.dead_letter_filter import DeadLetterFilter
    from store.receipts.replays import ReceiptState
    from store.store import Store


@dataclass(kw_only=True)
class Precheck:
    """How many dead letters can be replayed, by queue, and how many are blocked; each user counts once.

    `reasons` counts those of users by reason.
    """

    expected: Counter[str] = field(default_factory=Counter)
    reasons: Counter[Reason] = field(default_factory=Counter)
    blocked: Counter[BlockReason] = field(default_factory=Counter)

    @property
    def replayable(self) -> int:
        """How many dead letters can be replayed."""
        return self.expected.total()


def precheck(
    wanted: DeadLetterFilter, *, limit: int | None, store: Store, broker: DeadLetterSource, counts: Precheck
) -> Iterator[DeadLetter]:
    """Yield the dead letters that can be replayed, at most `limit`; count them and the others in `counts`.

    Stale ones are left out. It reconciles the receipts with their dead letters on the way. Raises
    `TransientError`.
    """
    runs, copies = dict[int | None, bool](), Copies()
    for portion in iter_locked(broker, wanted.queues_to_browse):
        for dead_letter, state in select_open(portion, wanted, store=store):
            if counts.replayable == limit:
                return
            obstacle = _block_reason(dead_letter, state, runs, store)
            # A foreign message must not pass for a user's own.
            if obstacle is not BlockReason.FOREIGN and copies.is_copy(dead_letter):
                continue
            if obstacle is not None:
                counts.blocked[obstacle] += 1
                continue
            counts.expected[dead_letter.queue] += 1
            if dead_letter.queue == USER_SYNC_QUEUE:
                counts.reasons[dead_letter.failure.reason] += 1
            yield dead_letter


def _block_reason(
    dead_letter: DeadLetter, state: ReceiptState | None, runs: dict[int | None, bool], store: Store
) -> BlockReason | None:
    if not dead_letter.is_known:
        return BlockReason.FOREIGN
    if dead_letter.queue == USER_SYNC_QUEUE:
        if dead_letter.receipt_key is None:
            return BlockReason.FOREIGN
        if state is None or not is_authentic(dead_letter, store=store):
            return BlockReason.RUN_GONE if state is None else BlockReason.FOREIGN
        # A replay would find that user in the newer run, do nothing, and leave no dead letter.
        return BlockReason.AWAITS_ANSWER if state.awaits_answer else None
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
