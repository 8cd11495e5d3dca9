"""Carries out replays and discards that members of the Data Hub ask for; may be killed at any moment.

Each time that a task is taken up it begins a new operation: of one that was killed it is not known which dead
letters it had published, and the next operation takes these over (`producers/dead_letters/replay.py`).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from producers.dead_letters.discard import DiscardChoice, discard
from producers.dead_letters.precheck import Precheck, precheck
from producers.dead_letters.replay import Replay
from producers.dead_letters.replay_request import ReplayHooks, ReplayRequest
from producers.dead_letters.selection import select_open
from queues.dead_letters import iter_locked
from runtime.services import ShutdownError
from schemas.dead_letters.task import CHANGING_TASKS, FEW, TaskControl, TaskKind, TaskStatus, counts_of
from schemas.details.detail import as_detail
from schemas.details.kinds import DetailKind
from schemas.errors import TransientError
from schemas.messages.dead_letter_filter import DeadLetterFilter
from schemas.messages.messages import USER_SYNC_QUEUE
from schemas.runs.operation import OperationStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from producers.dead_letters.replay_request import ReplayProgress
    from queues.interfaces import ReplayBroker
    from schemas.dead_letters.task import DeadLetterTask
    from schemas.runs.operation import Operation
    from store.store import Store

#: Of more than a few users, the share that may fail again.
_MAX_FAILED_SHARE: Final = 0.5

#: Seconds between two looks for a task, and between two looks at what is wanted of one.
LOOK_INTERVAL: Final = 2.0
_CONTROL_INTERVAL: Final = 1.0

_ENDS: Final = {
    OperationStatus.COMPLETED: TaskStatus.COMPLETED,
    OperationStatus.STOPPED: TaskStatus.STOPPED,
}


class _Watch:
    """Tells that a task goes on, and remembers what is wanted of it."""

    def __init__(self, task: DeadLetterTask, store: Store) -> None:
        self.counts: dict[str, int] = dict(task.counts)
        self.control = TaskControl.GO_ON
        self._task = task
        self._store = store
        self._looked = 0.0

    def is_ending(self) -> bool:
        """Whether the task shall pause or end."""
        if self.control is TaskControl.GO_ON and time.monotonic() - self._looked >= _CONTROL_INTERVAL:
            self._looked = time.monotonic()
            self.control = self._store.dead_letter_tasks.renew(self._task, self.counts)
        return self.control is not TaskControl.GO_ON


class DeadLetterTaskRunner:
    """Carries out tasks, one after the other in each thread that calls it."""

    def __init__(
        self, *, store: Store, broker: ReplayBroker, sleep: Callable[[float], object] = time.sleep
    ) -> None:
        self._store = store
        self._broker = broker
        self._sleep = sleep

    def tick(self) -> None:
        """Carry out a task, if there is one; raises `TransientError` while a service is away."""
        tasks = self._store.dead_letter_tasks
        task = tasks.take(CHANGING_TASKS)
        if task is None:
            return
        try:
            if self._among(task) == frozenset():
                # A filter without users would choose everybody's.
                tasks.finish(task, TaskStatus.COMPLETED, {})
            elif task.kind is TaskKind.REPLAY:
                self._replay(task)
            else:
                self._discard(task)
        except (ShutdownError, TransientError):
            tasks.release(task)
            raise
        except Exception:
            tasks.finish(task, TaskStatus.STOPPED, task.counts)
            raise

    def _replay(self, task: DeadLetterTask) -> None:
        wanted, found, watch = self._wanted(task), Precheck(), _Watch(task, self._store)
        for _ in precheck(wanted, limit=None, store=self._store, broker=self._broker, counts=found):
            watch.is_ending()
        watch.counts["blocked"] = found.blocked.total()
        if not task.operations:
            # What the results tell of, and no dead letter does any more.
            watch.counts["missing"] = max(0, task.users - found.replayable - found.blocked.total())
        request = ReplayRequest(
            selection=wanted,
            expected=found.expected,
            reasons=found.reasons,
            operator=None,
            max_failed=1.0 if task.users <= FEW else _MAX_FAILED_SHARE,
            task=task.id,
        )
        hooks = ReplayHooks(sleep=self._sleep, is_cancelled=watch.is_ending, on_progress=_ignore_progress)
        self._end(task, watch, Replay(request, store=self._store, broker=self._broker, hooks=hooks).run())

    def _end(self, task: DeadLetterTask, watch: _Watch, operation: Operation) -> None:
        if _was_outage(operation):
            # It waits, and goes on by itself (promise P8).
            self._store.dead_letter_tasks.renew(task, watch.counts)
            self._store.dead_letter_tasks.release(task)
            return
        results = self._store.replays.results(*task.operations, operation.id)
        watch.counts |= counts_of(results)
        before = task.counts.get("settled_before", 0)
        watch.counts["settled_before"] = before + operation.counts.get("settled_before", 0)
        paused = TaskStatus.PAUSED if watch.control is TaskControl.PAUSE else TaskStatus.CANCELLED
        status = _ENDS.get(operation.status, paused)
        self._store.dead_letter_tasks.finish(task, status, watch.counts, detail=operation.detail)

    def _discard(self, task: DeadLetterTask) -> None:
        """Discard the dead letters of the users, and note it of those too whose dead letter is gone."""
        wanted, store = self._wanted(task), self._store
        choice = DiscardChoice()
        for found in iter_locked(self._broker, (USER_SYNC_QUEUE,)):
            for dead_letter, _ in select_open(found, wanted, store=store):
                if not choice.is_copy(dead_letter):
                    choice.take(dead_letter)
        chosen = store.open_failures.chosen(task.tenant, task.selection, among=self._among(task))
        operation = discard(
            wanted,
            expected=choice.expected,
            copies=choice.copies,
            operator=None,
            store=store,
            broker=self._broker,
            task=task.id,
        )
        # Each portion begins behind the last user of the one before: what is noted does not disturb that.
        for portion in chosen:
            store.replays.release([(each.run, each.entra_id) for each in portion], discarded_by=operation.id)
        operations = [*task.operations, operation.id]
        counts = {"set_aside": store.replays.count_discarded(operations)}
        store.dead_letter_tasks.finish(task, TaskStatus.COMPLETED, counts)

    def _wanted(self, task: DeadLetterTask) -> DeadLetterFilter:
        selection, among = task.selection, self._among(task)
        return DeadLetterFilter(
            queues=(USER_SYNC_QUEUE,),
            tenants=(task.tenant,),
            reasons=(selection.reason,),
            users=frozenset(selection.users) if among is None else among,
            before=selection.before,
            after=selection.after,
            # Those have had their turn.
            not_of=frozenset(task.operations),
        )

    def _among(self, task: DeadLetterTask) -> frozenset[str] | None:
        forecast = task.selection.forecast
        return None if forecast is None else self._store.tried_users.helped(forecast)


def _ignore_progress(_: ReplayProgress) -> None:
    """Do nothing: whoever looks counts the results."""


def _was_outage(operation: Operation) -> bool:
    return (
        operation.status is OperationStatus.STOPPED
        and operation.detail is not None
        and as_detail(operation.detail).kind is DetailKind.SERVICE_PROBLEM
    )
