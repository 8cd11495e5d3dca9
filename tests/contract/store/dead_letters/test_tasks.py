"""Tasks on dead letters: each is had by one process at a time, and outlives the process that dies over it."""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import TYPE_CHECKING

import pytest

from schemas.dead_letter_reasons import Reason
from schemas.dead_letters.task import (
    CHANGING_TASKS,
    DeadLetterTask,
    FailureSelection,
    TaskControl,
    TaskKind,
    TaskStatus,
    load_selection,
)
from schemas.hub.action import ActionRefusal, ActionRefusedError, Actor, Submission
from store.dead_letters import tasks as module
from tests.contract.store.factories import TENANT, run_concurrently

if TYPE_CHECKING:
    from store.store import Store

SELECTION = FailureSelection(
    reason=Reason.BUG,
    users=("anna",),
    after=dt.datetime(2026, 11, 1, tzinfo=dt.UTC),
    before=dt.datetime(2026, 11, 27, 1, 2, 3, tzinfo=dt.UTC),
    forecast=7,
)


def ask(store: Store, key: str = "key", kind: TaskKind = TaskKind.REPLAY, note: str | None = None) -> int:
    return store.dead_letter_tasks.request(
        TENANT,
        kind,
        SELECTION,
        users=3,
        submission=Submission(actor=Actor(member=5), key=key),
        note=note,
    )


def test_a_task_is_kept_as_it_was_asked_for(store: Store) -> None:
    """With whom, by whom and why; the reason lies encrypted, and keys can be rotated over it."""
    task = ask(store, kind=TaskKind.DISCARD, note="De slutar i juni.")
    found = store.dead_letter_tasks.find(TENANT, task)
    assert found is not None
    assert (found.selection, found.users, found.member, found.note) == (SELECTION, 3, 5, "De slutar i juni.")
    assert load_selection(SELECTION.as_json()) == SELECTION
    assert store.dead_letter_tasks.find("another", task) is None
    with store.database.transaction() as connection:
        row = connection.exec_driver_sql("SELECT note FROM dead_letter_tasks").scalar()
    assert "juni" not in str(row)


def test_one_task_that_changes_is_open_at_a_time(store: Store) -> None:
    """However many ask in one moment; asked for with the same key it is the same one."""
    found = run_concurrently(*[partial(_try_to_ask, store, f"key-{number}") for number in range(4)])
    assert sorted(map(type, found), key=str) == sorted([int, *[ActionRefusal] * 3], key=str)
    (task,) = (each for each in found if isinstance(each, int))
    (known,) = store.dead_letter_tasks.list(TENANT)
    assert known.id == task
    assert ask(store, "forecast", TaskKind.FORECAST) != task
    store.dead_letter_tasks.control(task, TaskControl.CANCEL)
    assert ask(store, "later") not in {None, task}


def _try_to_ask(store: Store, key: str) -> int | ActionRefusal:
    try:
        return ask(store, key)
    except ActionRefusedError as error:
        return error.why


def test_of_many_processes_one_takes_a_task_up(store: Store) -> None:
    """The others find nothing; who has it tells how far it is, and is told what is wanted."""
    task = ask(store)
    taken = run_concurrently(*[partial(store.dead_letter_tasks.take, CHANGING_TASKS) for _ in range(4)])
    (mine,) = (each for each in taken if isinstance(each, DeadLetterTask))
    assert taken.count(None) == 3
    assert (mine.id, mine.attempt, mine.status) == (task, 1, TaskStatus.RUNNING)
    assert store.dead_letter_tasks.take([TaskKind.FORECAST]) is None
    assert store.dead_letter_tasks.renew(mine, {"missing": 1}) is TaskControl.GO_ON
    assert store.dead_letter_tasks.control(task, TaskControl.PAUSE)
    assert store.dead_letter_tasks.renew(mine, {"missing": 1}) is TaskControl.PAUSE
    store.dead_letter_tasks.finish(mine, TaskStatus.PAUSED, {"missing": 1})
    assert store.dead_letter_tasks.take(CHANGING_TASKS) is None
    store.dead_letter_tasks.control(task, TaskControl.GO_ON)
    again = store.dead_letter_tasks.take(CHANGING_TASKS)
    assert again is not None
    assert (again.attempt, again.counts) == (2, {"missing": 1})
    store.dead_letter_tasks.finish(again, TaskStatus.COMPLETED, {})
    assert not store.dead_letter_tasks.control(task, TaskControl.CANCEL)


def test_a_task_outlives_the_process_that_had_it(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """When its lease has run out another one has it; the first one is told to end, and changes nothing."""
    task = ask(store)
    monkeypatch.setattr(module, "LEASE", dt.timedelta(seconds=-1))
    dead = store.dead_letter_tasks.take(CHANGING_TASKS)
    monkeypatch.undo()
    heir = store.dead_letter_tasks.take(CHANGING_TASKS)
    assert dead is not None
    assert heir is not None
    assert (dead.attempt, heir.attempt) == (1, 2)
    assert store.dead_letter_tasks.take(CHANGING_TASKS) is None
    assert store.dead_letter_tasks.renew(dead, {"missing": 9}) is TaskControl.CANCEL
    store.dead_letter_tasks.finish(dead, TaskStatus.STOPPED, {"missing": 9})
    store.dead_letter_tasks.release(dead)
    found = store.dead_letter_tasks.find(TENANT, task)
    assert found is not None
    assert (found.status, found.counts) == (TaskStatus.RUNNING, {})


@pytest.mark.parametrize(
    ("control", "status"),
    [(TaskControl.PAUSE, TaskStatus.PAUSED), (TaskControl.CANCEL, TaskStatus.CANCELLED)],
)
def test_what_no_process_has_is_changed_at_once(
    store: Store, monkeypatch: pytest.MonkeyPatch, control: TaskControl, status: TaskStatus
) -> None:
    """Also if its process died before it could follow."""
    waits = ask(store)
    store.dead_letter_tasks.control(waits, control)
    found = store.dead_letter_tasks.find(TENANT, waits)
    assert found is not None
    assert found.status is status
    store.dead_letter_tasks.control(waits, TaskControl.CANCEL)

    orphan = ask(store, "orphan")
    taken = store.dead_letter_tasks.take(CHANGING_TASKS)
    assert taken is not None
    store.dead_letter_tasks.control(orphan, control)
    monkeypatch.setattr(module, "LEASE", dt.timedelta(seconds=-1))
    store.dead_letter_tasks.renew(taken, {})
    monkeypatch.undo()
    assert store.dead_letter_tasks.take(CHANGING_TASKS) is None
    found = store.dead_letter_tasks.find(TENANT, orphan)
    assert found is not None
    assert found.status is status
