"""Discards dead letters: first counted, then thrown away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from administration.dead_letters.groups import DeadLetterGroups
from producers.dead_letters.discard import discard
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
    """What a filter chooses: in groups to show, and how many are `expected` in each queue."""

    wanted: DeadLetterFilter
    groups: DeadLetterGroups
    expected: Mapping[str, int]


def plan_discard(
    wanted: DeadLetterFilter, *, limit: int | None, store: Store, broker: DeadLetterSource
) -> DiscardPlan:
    """Count the dead letters that a filter chooses, at most `limit`, the oldest first; stale ones aside."""
    groups, by_queue = DeadLetterGroups(), dict[str, int]()
    for portion in iter_locked(broker, wanted.queues_to_browse):
        for dead_letter, _ in select_open(portion, wanted, store=store):
            if groups.dead_letters != limit:
                groups.add(dead_letter)
                by_queue[dead_letter.queue] = by_queue.get(dead_letter.queue, 0) + 1
    return DiscardPlan(wanted=wanted, groups=groups, expected=by_queue)


def discard_planned(
    plan: DiscardPlan, *, operator: str | None, store: Store, broker: DeadLetterSource
) -> Operation:
    """Throw the counted dead letters away, and return how many there still were; `operator` is noted."""
    return discard(plan.wanted, expected=plan.expected, operator=operator, store=store, broker=broker)
