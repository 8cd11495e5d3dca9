"""Tries users that fail, for members who ask what a replay would do now; nothing is written to Skolon.

A process that is killed has noted whom it has tried: the next one goes on behind the last of them.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from runtime.services import ShutdownError
from schemas.dead_letter_reasons import Reason
from schemas.dead_letters.task import Obstacle, TaskControl, TaskKind, TaskStatus, TriedUser
from schemas.errors import HaltError, TransientError
from schemas.messages.messages import UserSync
from schemas.outcomes import Outcome
from schemas.users.graph_user import is_placeholder_id
from workers.dry_run.replay_forecast import THREADS, try_user

if TYPE_CHECKING:
    from schemas.dead_letters.task import DeadLetterTask
    from store.receipts.replays import ReceiptState
    from store.reports.open_failures import OpenFailure
    from store.store import Store
    from workers.user_sync import UserSyncHandler

#: Users that are tried before the task says how far it is, and asks whether it shall go on.
_PORTION: Final = 4 * THREADS

#: Seconds between two looks for a task.
LOOK_INTERVAL: Final = 2.0


class ForecastTasks:
    """Carries out forecasts, one after the other."""

    def __init__(self, *, store: Store, handler: UserSyncHandler) -> None:
        self._store = store
        self._handler = handler

    def tick(self) -> None:
        """Carry out a forecast, if there is one; raises `TransientError` while the database is away."""
        tasks = self._store.dead_letter_tasks
        task = tasks.take([TaskKind.FORECAST])
        if task is None:
            return
        try:
            status = self._try_users(task)
        except HaltError as error:
            tasks.finish(task, TaskStatus.STOPPED, {}, cause=error.cause, detail=error.detail)
        except (ShutdownError, TransientError):
            tasks.release(task)
            raise
        except Exception:
            tasks.finish(task, TaskStatus.STOPPED, {})
            raise
        else:
            tasks.finish(task, status, {})

    def _try_users(self, task: DeadLetterTask) -> TaskStatus:
        tasks, tried = self._store.dead_letter_tasks, self._store.tried_users
        portions = self._store.open_failures.chosen(
            task.tenant, task.selection, after=tried.last(task.id), portion=_PORTION
        )
        with ThreadPoolExecutor(THREADS) as pool:
            for portion in portions:
                states = self._store.replays.states([(each.run, each.entra_id) for each in portion])
                asked = [pool.submit(self._try, task, each, states) for each in portion]
                tried.add(task.id, [each.result() for each in asked])
                control = tasks.renew(task, {})
                if control is not TaskControl.GO_ON:
                    return TaskStatus.PAUSED if control is TaskControl.PAUSE else TaskStatus.CANCELLED
        return TaskStatus.COMPLETED

    def _try(
        self, task: DeadLetterTask, failure: OpenFailure, states: dict[tuple[int, str], ReceiptState]
    ) -> TriedUser:
        user = failure.entra_id
        if is_placeholder_id(user):
            return TriedUser(entra_id=user, obstacle=Obstacle.NO_ID)
        state = states.get((failure.run, user))
        if state is not None and state.awaits_answer:
            return TriedUser(entra_id=user, obstacle=Obstacle.AWAITS_ANSWER)
        message = self._store.message_cipher.encrypt_user(
            UserSync(tenant=task.tenant, run=failure.run, user=user, payload=None)
        )
        found = try_user(message, self._handler, original_payload=False).result
        if isinstance(found, Outcome):
            return TriedUser(entra_id=user, outcome=found)
        if isinstance(found, Reason):
            return TriedUser(entra_id=user, outcome=Outcome.DEAD_LETTERED, reason=found)
        return TriedUser(
            entra_id=user, obstacle=Obstacle.OTHER_RUN if found is None else Obstacle.SERVICE_AWAY
        )
