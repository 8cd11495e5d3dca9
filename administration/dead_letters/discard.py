"""Discards dead letters: first counted, then thrown away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from administration.dead_letters.groups import DeadLetterGroups
from producers.dead_letters.discard import DiscardChoice, discard
from producers.dead_letters.selection import select_open
from queues.dead_letters import iter_locked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from queues.interfaces import DeadLetterSource
    from schemas.messages.dead_letter_filter import DeadLetterFilter
    from schemas.runs.operation import Operation
    from store.store import Store


@dataclass(frozen=True, kw_only=True)
class DiscardPlan:
    """What a filter chooses: in groups to show, how many are `expected` in each queue, and their copies."""

    wanted: DeadLetterFilter
    groups: DeadLetterGroups
    expected: Mapping[str, int]
    copies: int


def plan_discard(
    wanted: DeadLetterFilter, *, limit: int | None, store: Store, broker: DeadLetterSource
) -> DiscardPlan:
    """Count the dead letters that a filter chooses, at most `limit`, the oldest first; stale ones aside."""
    groups, choice = DeadLetterGroups(), DiscardChoice(limit=limit)
    for portion in iter_locked(broker, wanted.queues_to_browse):
        for dead_letter, _ in select_open(portion, wanted, store=store):
            if not choice.is_copy(dead_letter) and choice.take(dead_letter):
                groups.add(dead_letter)
    return DiscardPlan(wanted=wanted, groups=groups, expected=choice.expected, copies=choice.copies)


def discard_planned(
    plan: DiscardPlan, *, operator: str | None, store: Store, broker: DeadLetterSource
) -> Operation:
    """Throw the counted dead letters away, and return how many there still were; `operator` is noted."""
    return discard(
        plan.wanted,
        expected=plan.expected,
        copies=plan.copies,
        operator=operator,
        store=store,
        broker=broker,
    )
