"""Dead letters that nobody told the books of: RabbitMQ made them itself, or a worker died in between.

Their receipts would stay pending, and their runs open, for ever. Whoever reads the letters makes it up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.outcomes import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from schemas.letters import Letter
    from store.replays import Key, ReceiptState
    from store.store import Store


@dataclass(frozen=True, kw_only=True)
class Adopted:
    """How the letters' receipts stand now, and how many of them got their outcome by this."""

    states: Mapping[Key, ReceiptState]
    receipts: int


def adopt(letters: Iterable[Letter], *, store: Store) -> Adopted:
    """Give receipts that await a message which is dead the outcome that it has; may be repeated."""
    by_key = {key: letter for letter in letters if (key := letter.receipt_key) is not None}
    states = store.replays.states(by_key)
    adopted = set()
    for key, state in states.items():
        letter = by_key[key]
        if state.is_lost(letter.operation) and store.receipts.dead_letter(
            *key, letter.verdict, letter.attempts, operation=letter.operation
        ):
            adopted.add(key)
    # Of all, not only of those just adopted: whoever adopted the last one may have died before this line.
    for run in sorted({run for (run, _), state in states.items() if state.status is Status.UPDATING}):
        store.runs.complete_if_done(run)
    return Adopted(states={**states, **store.replays.states(adopted)}, receipts=len(adopted))
