"""What became of the users of a task so far."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from schemas.dead_letters.task import Obstacle, TaskKind, TriedCounts, tried_counts
from schemas.outcomes import Outcome
from schemas.timestamps import timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from administration.paging import ReadsUsers
    from schemas.dead_letter_reasons import Reason
    from schemas.dead_letters.task import DeadLetterTask, TriedUser
    from store.store import Store


@dataclass(frozen=True, kw_only=True)
class TaskProgress:
    """A task, and what became of its users so far.

    `on_their_way` are being processed, `left` have not had their turn, and `missing` have no dead letter any
    more. `blocked` are in a halted run that waits for an answer.
    """

    task: DeadLetterTask
    outcomes: Mapping[Outcome, int] = field(default_factory=dict)
    reasons: Mapping[Reason, int] = field(default_factory=dict)
    obstacles: Mapping[Obstacle, int] = field(default_factory=dict)
    on_their_way: int = 0
    blocked: int = 0
    missing: int = 0
    set_aside: int = 0

    @property
    def done(self) -> int:
        """How many users it has come to an end with."""
        counted = sum(self.outcomes.values()) + sum(self.obstacles.values())
        return counted + self.blocked + self.missing + self.set_aside

    @property
    def left(self) -> int:
        """How many users have not had their turn."""
        return max(0, self.task.users - self.done - self.on_their_way)

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object."""
        task = self.task
        return {
            "task": str(task.id),
            "kind": str(task.kind),
            "status": str(task.status),
            "selection": task.selection.as_json(),
            "users": task.users,
            "done": self.done,
            "on_their_way": self.on_their_way,
            "left": self.left,
            "outcomes": {str(outcome): users for outcome, users in sorted(self.outcomes.items())},
            "reasons": {str(reason): users for reason, users in sorted(self.reasons.items())},
            "obstacles": {str(obstacle): users for obstacle, users in sorted(self.obstacles.items())},
            "blocked": self.blocked,
            "missing": self.missing,
            "set_aside": self.set_aside,
            "cause": task.cause and str(task.cause),
            "requested": timestamp(task.requested),
            "finished": task.finished and timestamp(task.finished),
        }


def task_progress(task: DeadLetterTask, *, store: Store) -> TaskProgress:
    """Return what became of a task's users so far."""
    match task.kind:
        case TaskKind.FORECAST:
            tried = store.tried_users.counts(task.id)
            return TaskProgress(
                task=task, outcomes=tried.outcomes, reasons=tried.reasons, obstacles=tried.obstacles
            )
        case TaskKind.DISCARD:
            count = task.counts.get("set_aside")
            if count is None:
                count = store.replays.count_discarded(task.operations)
            return TaskProgress(task=task, set_aside=count)
    on_their_way, settled_before = 0, task.counts.get("settled_before", 0)
    if task.is_open or task.counts.get("open", 0):
        # They may be taken up by a later task, so what has come to its end is read from the task itself.
        results = store.replays.results(*task.operations)
        tried = TriedCounts(outcomes=results.outcomes, reasons=results.reasons)
        on_their_way = results.open
        begun = [store.operations.get(each).counts for each in task.operations]
        settled_before = sum(counts.get("settled_before", 0) for counts in begun)
    else:
        tried = tried_counts(task.counts)
    outcomes = Counter(tried.outcomes)
    outcomes[Outcome.SUPERSEDED] += settled_before
    return TaskProgress(
        task=task,
        outcomes=+outcomes,
        reasons=tried.reasons,
        on_their_way=on_their_way,
        blocked=task.counts.get("blocked", 0),
        missing=task.counts.get("missing", 0),
    )


def tried_users_list(
    task: DeadLetterTask, outcome: Outcome | Obstacle | None, *, store: Store
) -> ReadsUsers[TriedUser]:
    """Return the list of the users of a task with an outcome or an obstacle, or of all."""
    if task.kind is TaskKind.FORECAST:
        return partial(store.tried_users.page, task.id, outcome)
    known = None if isinstance(outcome, Obstacle) else outcome
    is_discard = task.kind is TaskKind.DISCARD
    return partial(store.tried_users.page_of_results, task.operations, known, is_discard=is_discard)
