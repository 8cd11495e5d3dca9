"""What members ask for about users that fail, once for each time that they ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from administration.hub.actions import carry_out
from schemas.dead_letters.task import TaskControl, TaskKind
from schemas.hub.action import Action, ActionRefusal, ActionRefusedError
from schemas.hub.session import AuditKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from schemas.dead_letters.task import DeadLetterTask, FailureSelection
    from schemas.hub.action import Submission
    from store.reports.open_failures import OpenFailure
    from store.store import Store

#: Users of a selection that are shown before anything is done to them.
SHOWN: Final = 50

#: Users that can be named.
MAX_NAMED: Final = 500

#: Letters of the reason for which users are set aside.
MAX_NOTE: Final = 500

_KINDS: Final[Mapping[TaskKind, AuditKind]] = {
    TaskKind.FORECAST: AuditKind.USERS_TRIED,
    TaskKind.REPLAY: AuditKind.USERS_REPLAYED,
    TaskKind.DISCARD: AuditKind.USERS_SET_ASIDE,
}
_CONTROLS: Final[Mapping[TaskControl, AuditKind]] = {
    TaskControl.PAUSE: AuditKind.TASK_PAUSED,
    TaskControl.GO_ON: AuditKind.TASK_RESUMED,
    TaskControl.CANCEL: AuditKind.TASK_CANCELLED,
}


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """How many users a selection has as things stand, and the first of them."""

    users: int
    first: Sequence[OpenFailure]


def chosen_users(tenant: str, selection: FailureSelection, *, store: Store) -> Chosen:
    """Return how many users a selection has, and the first of them."""
    if selection.is_whole_group:
        groups = store.open_failures.groups(tenant)
        users = next((group.users for group in groups if group.reason is selection.reason), 0)
        return Chosen(
            users=users, first=store.open_failures.page(tenant, selection.reason, after="", limit=SHOWN)
        )
    among = None if selection.forecast is None else store.tried_users.helped(selection.forecast)
    count = 0
    first: list[OpenFailure] = []
    for portion in store.open_failures.chosen(tenant, selection, among=among):
        count += len(portion)
        first += portion[: SHOWN - len(first)]
    return Chosen(users=count, first=first)


def request_task_once(  # noqa: PLR0913 - what a task is made of
    tenant: str,
    kind: TaskKind,
    selection: FailureSelection,
    submission: Submission,
    *,
    store: Store,
    note: str | None = None,
) -> int:
    """Have something done to users that fail, once for each key of a submission; return the task's number.

    Raises `ActionRefusedError` if none of them fails any more, or another task is in the way, and as
    `carry_out` does.
    """
    users = chosen_users(tenant, selection, store=store).users
    action = Action(
        kind=_KINDS[kind],
        tenant=tenant,
        key=submission.key,
        reason=selection.reason,
        users=users,
        fields={"kind": str(kind), "selection": selection.as_json(), "note": note},
    )

    def request() -> dict[str, int]:
        if not users:
            raise ActionRefusedError(ActionRefusal.NOBODY, "None of these users fails any more.")
        task = store.dead_letter_tasks.request(
            tenant, kind, selection, users=users, submission=submission, note=note
        )
        return {"task": task}

    return int(carry_out(action, submission.actor, request, store=store)["task"])


def control_task_once(
    task: DeadLetterTask, control: TaskControl, submission: Submission, *, store: Store
) -> None:
    """Pause a task, let it go on, or end it, once for each key; raises as `carry_out` does."""
    action = Action(
        kind=_CONTROLS[control],
        tenant=task.tenant,
        key=submission.key,
        reason=task.selection.reason,
        users=task.users,
        fields={"task": task.id},
    )

    def do() -> dict[str, int]:
        if not store.dead_letter_tasks.control(task.id, control):
            raise ActionRefusedError(ActionRefusal.TASK_ENDED, "The task has ended.")
        return {"task": task.id}

    carry_out(action, submission.actor, do, store=store)
