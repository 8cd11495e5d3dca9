"""Chooses the dead letters that a filter means, the same ones for every command.

Stale ones are left out. The age of a user's dead letter is that which is shown: since when the user fails, in
whichever run. The message's own time would be that of the last run, because each run replaces the dead letter
of the one before.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from producers.dead_letters.since import since_first_failure
from producers.reconciliation.stale import open_dead_letters

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from queues.interfaces import BrowsedMessage
    from schemas.messages.dead_letter import DeadLetter
    from schemas.messages.dead_letter_filter import DeadLetterFilter
    from store.receipts.replays import Key, ReceiptState
    from store.store import Store

#: Dead letters whose receipts are looked up together.
_BATCH: Final = 500


class Copies:
    """Tells the first dead letter of a user in a run from others of the same user, which are copies.

    A message that RabbitMQ confirmed too late is published twice, and so may be that of a pending user when
    its run is resumed. If both fail, the user counts once all the same.
    """

    def __init__(self) -> None:
        self._users: set[Key] = set()

    def is_copy(self, dead_letter: DeadLetter) -> bool:
        """Say whether another dead letter of the user was asked for before; of no user there is none."""
        key = dead_letter.receipt_key
        if key is None:
            return False
        if key in self._users:
            return True
        self._users.add(key)
        return False


def select_open(
    dead_letters: Sequence[DeadLetter], wanted: DeadLetterFilter, *, store: Store
) -> Iterator[tuple[DeadLetter, ReceiptState | None]]:
    """Yield the chosen dead letters that are not stale, each with the state of its receipt, if it has one.

    Receipts that wait for a dead letter are reconciled on the way. Raises `TransientError` (database).
    """
    chosen = [each for each in dead_letters if wanted.matches_properties(each)]
    found = list(open_dead_letters(chosen, store=store))
    if not wanted.bounds_age:
        yield from found
        return
    dated = since_first_failure([dead_letter for dead_letter, _ in found], store=store)
    for (dead_letter, state), of_user in zip(found, dated, strict=True):
        if wanted.matches_age(of_user):
            yield dead_letter, state


def iter_selected(
    found: Iterable[BrowsedMessage], wanted: DeadLetterFilter, *, store: Store
) -> Iterator[BrowsedMessage]:
    """Yield the browsed dead letters that are chosen and not stale.

    Reads some ahead. Raises `TransientError` (database).
    """
    left = (each for each in found if wanted.matches_properties(each.dead_letter))
    while batch := list(islice(left, _BATCH)):
        dead_letters = [each.dead_letter for each in batch]
        kept = {id(dead_letter) for dead_letter, _ in select_open(dead_letters, wanted, store=store)}
        yield from (
            each for each, dead_letter in zip(batch, dead_letters, strict=True) if id(dead_letter) in kept
        )
