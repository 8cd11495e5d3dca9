"""Tasks on dead letters: asked for in the Data Hub, taken up by one process at a time."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, insert, or_, select, update

from schemas.dead_letters.task import (
    CHANGING_TASKS,
    OPEN_TASKS,
    DeadLetterTask,
    TaskControl,
    TaskKind,
    TaskStatus,
    load_selection,
)
from schemas.details.detail import from_stored, to_stored
from schemas.hub.action import ActionRefusal, ActionRefusedError
from schemas.outcomes import Cause
from store import tables
from store.timestamps import as_utc, now

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection, Row

    from schemas.crypto.encryption import FieldCipher
    from schemas.dead_letters.task import FailureSelection
    from schemas.hub.action import Submission
    from store.database import Database

#: After so long without a word the process that has taken a task up is taken for dead.
LEASE: Final = dt.timedelta(minutes=2)


class DeadLetterTasks:
    """The tasks' table; may be shared by threads."""

    def __init__(self, database: Database, cipher: FieldCipher) -> None:
        self._database = database
        self._cipher = cipher

    def request(  # noqa: PLR0913 - what a task is made of
        self,
        tenant: str,
        kind: TaskKind,
        selection: FailureSelection,
        *,
        users: int,
        submission: Submission,
        note: str | None = None,
    ) -> int:
        """Note a task that is to be taken up, and return its number; with the same key it is the same one.

        Raises `ActionRefusedError` while another task of the tenant is open that would be in its way.
        """
        tenants, tasks = tables.tenants, tables.dead_letter_tasks
        with self._database.transaction() as connection:
            # Of two that are asked for in one moment the second one waits here, and sees the first.
            mine = select(tenants.c.id).where(tenants.c.key == tenant).with_for_update(key_share=True)
            tenant_id = connection.scalar(mine)
            is_same = tasks.c.tenant_id == tenant_id, tasks.c.action_key == submission.key
            known: int | None = connection.scalar(select(tasks.c.id).where(*is_same))
            if known is not None:
                return known
            rivals = CHANGING_TASKS if kind in CHANGING_TASKS else (kind,)
            if _open_task(connection, tasks.c.tenant_id == tenant_id, tasks.c.kind.in_(rivals)) is not None:
                raise ActionRefusedError(ActionRefusal.OTHER_TASK, "Another task of the tenant is open.")
            values = {
                "tenant_id": tenant_id,
                "action_key": submission.key,
                "kind": kind,
                "status": TaskStatus.REQUESTED,
                "control": TaskControl.GO_ON,
                "selection": selection.as_json(),
                "users": users,
                "note": None if note is None else self._cipher.encrypt(note),
                "member_id": submission.actor.member,
                "token_id": submission.actor.token,
                "attempt": 0,
                "counts": {},
                "requested_at": now(),
            }
            key = connection.execute(insert(tasks).values(values)).inserted_primary_key
        return int(key[0])  # type: ignore[index] # an insert of one row has a key

    def find(self, tenant: str, task: int) -> DeadLetterTask | None:
        """Return a task of a tenant, None if it has none of that number."""
        tasks = tables.dead_letter_tasks
        with self._database.transaction() as connection:
            found = self._read(connection, tasks.c.id == task, tables.tenants.c.key == tenant)
        return found[0] if found else None

    def list(self, tenant: str, *, only_open: bool = False, limit: int = 5) -> Sequence[DeadLetterTask]:
        """Return tasks of a tenant, the newest first."""
        tasks = tables.dead_letter_tasks
        status = [tasks.c.status.in_(OPEN_TASKS)] if only_open else []
        with self._database.transaction() as connection:
            return self._read(connection, tables.tenants.c.key == tenant, *status, limit=limit)

    def control(self, task: int, control: TaskControl) -> bool:
        """Have an open task pause, go on or end; False if it has ended.

        The process that has taken it up follows within seconds; what no process has is changed at once.
        """
        tasks, moment = tables.dead_letter_tasks, now()
        at_rest: dict[TaskControl, dict[str, Any]] = {
            TaskControl.GO_ON: {"status": TaskStatus.REQUESTED},
            TaskControl.PAUSE: {"status": TaskStatus.PAUSED},
            TaskControl.CANCEL: {"status": TaskStatus.CANCELLED, "finished": moment},
        }
        with self._database.transaction() as connection:
            changed = connection.execute(
                update(tasks)
                .where(tasks.c.id == task, tasks.c.status.in_(OPEN_TASKS))
                .values(control=control)
            )
            connection.execute(
                update(tasks)
                .where(
                    tasks.c.id == task,
                    or_(
                        tasks.c.status.in_((TaskStatus.REQUESTED, TaskStatus.PAUSED)),
                        and_(tasks.c.status == TaskStatus.RUNNING, tasks.c.lease_until < moment),
                    ),
                )
                .values(at_rest[control])
            )
        return bool(changed.rowcount)

    def take(self, kinds: Collection[TaskKind]) -> DeadLetterTask | None:
        """Take up the oldest task that waits, or whose process has died; None if there is none."""
        tasks, moment = tables.dead_letter_tasks, now()
        waits = or_(
            tasks.c.status == TaskStatus.REQUESTED,
            and_(tasks.c.status == TaskStatus.RUNNING, tasks.c.lease_until < moment),
        )
        query = (
            select(tasks.c.id, tasks.c.control)
            .where(tasks.c.kind.in_(kinds), waits)
            .order_by(tasks.c.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        with self._database.transaction() as connection:
            row = connection.execute(query).one_or_none()
            if row is None:
                return None
            is_task = tasks.c.id == row.id
            if row.control != TaskControl.GO_ON:
                # Its process died before it could follow.
                ended = TaskStatus.PAUSED if row.control == TaskControl.PAUSE else TaskStatus.CANCELLED
                connection.execute(update(tasks).where(is_task).values(status=ended, finished=moment))
                return None
            values: dict[str, Any] = {
                "status": TaskStatus.RUNNING,
                "attempt": tasks.c.attempt + 1,
                "lease_until": moment + LEASE,
            }
            connection.execute(update(tasks).where(is_task).values(values))
            begun = update(tasks).where(is_task, tasks.c.started.is_(None)).values(started=moment)
            connection.execute(begun)
            return self._read(connection, is_task)[0]

    def renew(self, task: DeadLetterTask, counts: Mapping[str, int]) -> TaskControl:
        """Note that a task goes on, and how far; return what is wanted of it by now.

        A process that was taken for dead is told to end.
        """
        tasks = tables.dead_letter_tasks
        with self._database.transaction() as connection:
            values = {"lease_until": now() + LEASE, "counts": dict(counts)}
            renewed = connection.execute(update(tasks).where(*_is_mine(task)).values(values))
            if not renewed.rowcount:
                return TaskControl.CANCEL
            wanted = connection.scalar(select(tasks.c.control).where(tasks.c.id == task.id))
            return TaskControl(str(wanted))

    def release(self, task: DeadLetterTask) -> None:
        """Have a task that cannot go on just now taken up again."""
        self._end(task, status=TaskStatus.REQUESTED)

    def finish(
        self,
        task: DeadLetterTask,
        status: TaskStatus,
        counts: Mapping[str, int],
        *,
        cause: Cause | None = None,
        detail: str | None = None,
    ) -> None:
        """Note how a task ended, or that it is paused."""
        finished = None if status is TaskStatus.PAUSED else now()
        self._end(
            task,
            status=status,
            counts=dict(counts),
            cause=cause,
            detail=to_stored(detail),
            finished=finished,
        )

    def _end(self, task: DeadLetterTask, **values: Any) -> None:
        with self._database.transaction() as connection:
            connection.execute(update(tables.dead_letter_tasks).where(*_is_mine(task)).values(values))

    def _read(
        self, connection: Connection, *conditions: ColumnElement[bool], limit: int = 1
    ) -> Sequence[DeadLetterTask]:
        tasks, tenants, operations = tables.dead_letter_tasks, tables.tenants, tables.operations
        query = (
            select(tasks, tenants.c.key)
            .join(tenants, tenants.c.id == tasks.c.tenant_id)
            .where(*conditions)
            .order_by(tasks.c.id.desc())
            .limit(limit)
        )
        rows = connection.execute(query).all()
        begun = connection.execute(
            select(operations.c.id, operations.c.task_id)
            .where(operations.c.task_id.in_([row.id for row in rows]))
            .order_by(operations.c.id)
        ).all()
        return [self._task(row, tuple(each.id for each in begun if each.task_id == row.id)) for row in rows]

    def _task(self, row: Row[Any], operations: tuple[int, ...]) -> DeadLetterTask:
        return DeadLetterTask(
            id=row.id,
            tenant=row.key,
            kind=TaskKind(row.kind),
            status=TaskStatus(row.status),
            control=TaskControl(row.control),
            selection=load_selection(row.selection),
            users=row.users,
            attempt=row.attempt,
            counts=row.counts,
            requested=as_utc(row.requested_at),
            started=row.started and as_utc(row.started),
            finished=row.finished and as_utc(row.finished),
            cause=row.cause and Cause(row.cause),
            detail=from_stored(row.detail),
            note=None if row.note is None else self._cipher.decrypt(row.note),
            member=row.member_id,
            token=row.token_id,
            operations=operations,
        )


def _open_task(connection: Connection, *conditions: ColumnElement[bool]) -> int | None:
    tasks = tables.dead_letter_tasks
    found: int | None = connection.scalar(
        select(tasks.c.id).where(tasks.c.status.in_(OPEN_TASKS), *conditions).limit(1)
    )
    return found


def _is_mine(task: DeadLetterTask) -> tuple[ColumnElement[bool], ...]:
    """Say whether the process that has taken a task up still has it."""
    tasks = tables.dead_letter_tasks
    return tasks.c.id == task.id, tasks.c.attempt == task.attempt, tasks.c.status == TaskStatus.RUNNING
