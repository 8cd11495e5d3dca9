"""Replays dead letters: first counted, then tried again, with progress."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from administration.dead_letters.groups import DeadLetterGroups
from producers.dead_letters.precheck import Precheck, precheck
from schemas.outcomes import Outcome
from schemas.runs.operation import OperationStatus

if TYPE_CHECKING:
    from queues.interfaces import DeadLetterSource
    from schemas.messages.dead_letter_filter import DeadLetterFilter
    from schemas.runs.operation import Operation
    from store.store import Store


@dataclass(frozen=True, kw_only=True)
class ReplayPlan:
    """What a filter chooses: in groups to show, and how many can and cannot be replayed."""

    groups: DeadLetterGroups
    counts: Precheck


def plan_replay(
    wanted: DeadLetterFilter, *, limit: int | None, store: Store, broker: DeadLetterSource
) -> ReplayPlan:
    """Count the dead letters that a filter chooses and that can be replayed, at most `limit`."""
    counts, groups = Precheck(), DeadLetterGroups()
    for dead_letter in precheck(wanted, limit=limit, store=store, broker=broker, counts=counts):
        groups.add(dead_letter)
    return ReplayPlan(groups=groups, counts=counts)


def has_succeeded(operation: Operation) -> bool:
    """Say whether a replay came to its end, and nothing that it replayed failed again."""
    failed = {str(Outcome.DEAD_LETTERED), "runs_left"} & operation.counts.keys()
    return operation.status is OperationStatus.COMPLETED and not failed
