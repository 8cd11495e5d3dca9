"""Reconciles receipts with dead letters that RabbitMQ created itself, or whose worker died too early.

Without that the receipts would stay pending, and their runs open, for ever. The reconciler does it, and every
command that reads the dead letters earlier.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind
from schemas.errors import PermanentError, UsageError
from schemas.messages.messages import TENANT_PAGES_QUEUE, UserSync, load_tenant_page
from schemas.outcomes import Cause, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from schemas.messages.dead_letter import DeadLetter
    from store.receipts.replays import Key, ReceiptState
    from store.store import Store


@dataclass(frozen=True, kw_only=True)
class ReconciledReceipts:
    """The state of the dead letters' receipts, and how many of them got their outcome by this call."""

    states: Mapping[Key, ReceiptState]
    receipts: int


def is_authentic(dead_letter: DeadLetter, *, store: Store) -> bool:
    """Say whether a dead letter is of a user's message of ours: a foreign one may name any receipt.

    Raises `UnsealableError` when a key is missing.
    """
    if dead_letter.receipt_key is None:
        return False
    run, user = dead_letter.receipt_key
    try:
        store.message_cipher.decrypt_user(
            UserSync(tenant=dead_letter.tenant or "", run=run, user=user, payload=dead_letter.payload)
        )
    except PermanentError:
        return False
    return True


def is_surely_authentic(dead_letter: DeadLetter, *, store: Store) -> bool:
    """Say whether a dead letter is surely ours: without the key, another process must decide."""
    try:
        return is_authentic(dead_letter, store=store)
    except UsageError:
        return False


def reconcile_receipts(dead_letters: Iterable[DeadLetter], *, store: Store) -> ReconciledReceipts:
    """Give receipts that wait for a dead-lettered message its outcome; may be repeated.

    A message that a policy dropped is no outcome: its user is published again.
    """
    by_key = {
        key: dead_letter for dead_letter in dead_letters if (key := dead_letter.receipt_key) is not None
    }
    states = store.replays.states(by_key)
    reconciled = set()
    for key, state in states.items():
        dead_letter = by_key[key]
        if dead_letter.is_dropped and not state.replaying:
            continue
        if (
            state.is_orphaned(dead_letter.operation)
            and is_surely_authentic(dead_letter, store=store)
            and store.receipts.mark_dead_lettered(
                *key, dead_letter.failure, dead_letter.attempts, operation=dead_letter.operation
            )
        ):
            reconciled.add(key)
    # All runs, not only those just reconciled: the process that wrote the last outcome may have died here.
    for run in sorted({run for (run, _), state in states.items() if state.status is Status.UPDATING}):
        store.runs.complete_if_done(run)
    return ReconciledReceipts(states={**states, **store.replays.states(reconciled)}, receipts=len(reconciled))


def reconcile_page(dead_letter: DeadLetter, *, store: Store) -> bool:
    """Halt the run of a page that RabbitMQ dead-lettered by itself; True if this halted it."""
    if (
        dead_letter.queue != TENANT_PAGES_QUEUE
        or not dead_letter.is_known
        or not dead_letter.by_broker
        or dead_letter.is_dropped
    ):
        return False
    try:
        page = load_tenant_page(dead_letter.fields)
        store.message_cipher.check_page(page)
    except (PermanentError, UsageError):
        return False
    detail = Detail(DetailKind.PAGE_NOT_READ, problem=dead_letter.failure.detail)
    return store.pages.should_read(page) and store.runs.halt(page.run, Cause.BUG, detail)
