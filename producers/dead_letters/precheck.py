"""A look at dead letters before they are replayed: how many can be, and what is in the way of the rest."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from producers.dead_letters.ramp import Obstacle
from producers.reconciliation.dead_letters import adopt
from queues.dead_letters import read_at_once
from schemas.errors import WrongUseError
from schemas.messages.messages import TENANT_PAGES_QUEUE, USER_SYNC_QUEUE
from store.runs.rows import is_run_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from queues.interfaces import DeadLetters
    from schemas.messages.dead_letter import Letter
    from schemas.messages.dead_letter_filter import LetterFilter
    from store.receipts.replays import Key, ReceiptState
    from store.store import Store


@dataclass(kw_only=True)
class Survey:
    """How many letters there are to replay, by queue, and how many that cannot be."""

    expected: Counter[str] = field(default_factory=Counter)
    left: Counter[Obstacle] = field(default_factory=Counter)

    @property
    def letters(self) -> int:
        """How many letters can be replayed."""
        return self.expected.total()


def survey(
    wanted: LetterFilter, *, limit: int | None, store: Store, broker: DeadLetters, counts: Survey
) -> Iterator[Letter]:
    """Yield the letters that can be replayed, at most `limit`, and count them and the others into `counts`.

    Receipts that nobody told of their letter are told on the way. Raises `TransientError`.
    """
    runs: dict[int | None, bool] = {}
    for portion in read_at_once(broker, wanted.queues_to_walk):
        letters = [letter for letter in portion if wanted.matches(letter)]
        states = adopt(letters, store=store).states
        outlived = _outlived(letters, states, store)
        for letter in letters:
            obstacle = _obstacle(letter, states, runs, store)
            if obstacle is Obstacle.GONE and letter.id in outlived:
                obstacle = Obstacle.OUTLIVED
            if counts.letters == limit:
                return
            if obstacle is not None:
                counts.left[obstacle] += 1
                continue
            counts.expected[letter.queue] += 1
            yield letter


def _outlived(letters: Sequence[Letter], states: Mapping[Key, ReceiptState], store: Store) -> set[str]:
    """Return the ids of letters whose receipts housekeeping has removed, since newer runs have told more."""
    gone = {
        letter.id: (letter.tenant, *letter.receipt_key)
        for letter in letters
        if letter.tenant is not None and letter.receipt_key is not None and letter.receipt_key not in states
    }
    outlived = store.pruning.outlived(set(gone.values()))
    return {letter for letter, person in gone.items() if person in outlived}


def _obstacle(
    letter: Letter, states: Mapping[Key, ReceiptState], runs: dict[int | None, bool], store: Store
) -> Obstacle | None:
    if not letter.is_known:
        return Obstacle.NOT_OURS
    if letter.queue == USER_SYNC_QUEUE:
        if letter.receipt_key is None:
            return Obstacle.NOT_OURS
        return None if letter.receipt_key in states else Obstacle.GONE
    if letter.queue == TENANT_PAGES_QUEUE:
        if letter.run not in runs:
            runs[letter.run] = _is_there(letter.run, store)
        return None if runs[letter.run] else Obstacle.GONE
    return None


def _is_there(run: int | None, store: Store) -> bool:
    if run is None or not is_run_id(run):
        return False
    try:
        store.runs.get(run)
    except WrongUseError:
        return False
    return True
