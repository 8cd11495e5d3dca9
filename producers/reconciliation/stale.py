"""Tells which dead letters are stale: they need no person, because another run has told more of their users.

Every command that reads the dead letters leaves these out. A producer removes those that are stale for good
(`producers/dead_letters/cleanup.py`): no open run, and no answer to a halted one, can bring them back.
A dead letter that is no authentic message of a user is never stale.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from producers.reconciliation.receipts import is_authentic, is_surely_authentic, reconcile_receipts
from schemas.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from queues.interfaces import BrowsedMessage
    from schemas.messages.dead_letter import DeadLetter
    from store.receipts.replays import Key, ReceiptState
    from store.store import Store


def open_dead_letters(
    dead_letters: Sequence[DeadLetter], *, store: Store
) -> Iterator[tuple[DeadLetter, ReceiptState | None]]:
    """Yield the dead letters that are not stale, each with the state of its receipt, if it has one.

    Receipts that wait for a dead letter are reconciled on the way. Without the key of a message, it counts as
    authentic. Raises `TransientError` (database).
    """
    states = reconcile_receipts(dead_letters, store=store).states
    stale = {key for key, state in states.items() if state.is_stale}
    stale |= _pruned_keys(dead_letters, states, store)
    for dead_letter in dead_letters:
        key = dead_letter.receipt_key
        if key is None or key not in stale or _is_forged(dead_letter, store):
            yield dead_letter, states.get(key) if key is not None else None


def removable(
    found: Sequence[BrowsedMessage], *, store: Store, seen: set[Key] | None = None
) -> list[BrowsedMessage]:
    """Return the browsed dead letters that are stale for good, and whose key says that they are ours.

    With them come copies: further ones of users in `seen`, to which the others of `found` are added.
    """
    seen = set() if seen is None else seen
    dead_letters = [each.dead_letter for each in found]
    states = reconcile_receipts(dead_letters, store=store).states
    removable_keys = {key for key, state in states.items() if state.is_removable}
    stale = removable_keys | _pruned_keys(dead_letters, states, store)
    at_rest = {key for key, state in states.items() if state.is_at_rest}
    removed = []
    for each in found:
        key = each.dead_letter.receipt_key
        if key is None or not (key in stale or key in at_rest):
            continue
        if not is_surely_authentic(each.dead_letter, store=store):
            continue
        if key in stale or key in seen:
            removed.append(each)
        else:
            seen.add(key)
    return removed


def _pruned_keys(
    dead_letters: Iterable[DeadLetter], states: Mapping[Key, ReceiptState], store: Store
) -> set[Key]:
    """Return the receipts that were pruned: they are gone, and a newer run has told of the user.

    Without such a run their tenant was removed.
    """
    gone = {
        (dead_letter.tenant, *key)
        for dead_letter in dead_letters
        if dead_letter.tenant is not None
        and (key := dead_letter.receipt_key) is not None
        and key not in states
    }
    return {(run, user) for _, run, user in store.pruning.superseded_and_pruned(gone)}


def _is_forged(dead_letter: DeadLetter, store: Store) -> bool:
    try:
        return not is_authentic(dead_letter, store=store)
    except UsageError:
        return False
