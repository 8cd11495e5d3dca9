"""What members ask for about dead letters, carried out: whole ways in one process, over real HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from administration.dead_letters.tasks.progress import TaskProgress, task_progress
from administration.dead_letters.tasks.requests import control_task_once, request_task_once
from administration.tenants.status import tenant_statuses
from devtools.commands import wait_for
from sandbox.environment import TENANT_KEY, Environment
from sandbox.municipality.made_up_user import DOMAIN
from sandbox.skolon.faults import Fault as SkolonFault
from schemas.dead_letter_reasons import Reason
from schemas.dead_letters.task import (
    FailureSelection,
    TaskControl,
    TaskKind,
    TaskStatus,
)
from schemas.hub.action import Actor, Submission
from schemas.outcomes import Outcome
from schemas.tenants.tenant_status import ProblemKind
from store.timestamps import now

if TYPE_CHECKING:
    from cli.sandbox.in_process_sync import InProcessSync

PEOPLE = 50
SETTINGS = {"guard": {"failed": None}}
REJECTED = FailureSelection(reason=Reason.REJECTED_BY_SKOLON)
REFUSES: dict[str, Any] = {
    "kind": "status",
    "status": 400,
    "times": None,
    "path_kind": "search",
    "searched": DOMAIN,
}


class Member:
    """Asks as a member of the Data Hub does, each time with another key."""

    def __init__(self, sync: InProcessSync) -> None:
        self._store = sync.store
        self._keys = 0

    def _submission(self) -> Submission:
        self._keys += 1
        return Submission(actor=Actor(member=1), key=f"key-{self._keys}")

    def ask(self, kind: TaskKind, selection: FailureSelection = REJECTED, note: str | None = None) -> int:
        return request_task_once(
            TENANT_KEY, kind, selection, self._submission(), store=self._store, note=note
        )

    def control(self, task: int, control: TaskControl) -> None:
        found = self._store.dead_letter_tasks.find(TENANT_KEY, task)
        assert found is not None
        control_task_once(found, control, self._submission(), store=self._store)

    def look(self, task: int) -> TaskProgress:
        found = self._store.dead_letter_tasks.find(TENANT_KEY, task)
        assert found is not None
        return task_progress(found, store=self._store)

    def await_status(self, task: int, status: TaskStatus) -> TaskProgress:
        wait_for(lambda: self.look(task).task.status is status, f"the task is {status}")
        return self.look(task)


@pytest.fixture
def member(made_up: Environment, sync: InProcessSync) -> Member:
    """Have a run in which all that are looked for in Skolon failed; Skolon is well again."""
    made_up.skolon.faults.add(SkolonFault(**REFUSES))
    sync.run()
    made_up.skolon.faults.clear()
    return Member(sync)


def failing(sync: InProcessSync, reason: Reason = Reason.REJECTED_BY_SKOLON) -> int:
    groups = sync.store.open_failures.groups(TENANT_KEY)
    return next((group.users for group in groups if group.reason is reason), 0)


def test_what_is_foretold_comes_true(member: Member, sync: InProcessSync, made_up: Environment) -> None:
    """Each user once; the forecast writes nothing, and the replay does to each what was foretold."""
    before, users = made_up.skolon_users(), failing(sync)
    forecast = member.await_status(member.ask(TaskKind.FORECAST), TaskStatus.COMPLETED)
    assert (forecast.done, forecast.left) == (users, 0)
    assert made_up.skolon_users() == before

    replay = member.await_status(member.ask(TaskKind.REPLAY), TaskStatus.COMPLETED)

    foretold = {
        Outcome.UPDATED if outcome is Outcome.WOULD_UPDATE else outcome: count
        for outcome, count in forecast.outcomes.items()
    }
    # Of two users that claim one Skolon user a forecast sees no collision (decision 14).
    others = {Outcome.UPDATED, Outcome.DEAD_LETTERED}
    assert {k: v for k, v in replay.outcomes.items() if k not in others} == {
        k: v for k, v in foretold.items() if k not in others
    }
    assert replay.outcomes[Outcome.UPDATED] <= foretold[Outcome.UPDATED]
    assert (replay.done, replay.left, replay.on_their_way) == (users, 0, 0)
    assert failing(sync) == 0


def test_those_who_would_not_fail_again_are_replayed_alone(member: Member, sync: InProcessSync) -> None:
    """As the forecast has found; the others stay."""
    users = failing(sync)
    tried = member.ask(TaskKind.FORECAST)
    forecast = member.await_status(tried, TaskStatus.COMPLETED)
    helped = sync.store.tried_users.helped(tried)
    again = forecast.outcomes.get(Outcome.DEAD_LETTERED, 0)
    assert len(helped) == users - again
    chosen = FailureSelection(reason=REJECTED.reason, forecast=tried)
    replay = member.await_status(member.ask(TaskKind.REPLAY, chosen), TaskStatus.COMPLETED)
    assert replay.task.users == len(helped)
    assert failing(sync) == again


def test_chosen_users_alone_are_replayed(member: Member, sync: InProcessSync) -> None:
    """Two of them; the others still fail."""
    users = failing(sync)
    two = tuple(
        each.entra_id
        for each in sync.store.open_failures.page(TENANT_KEY, REJECTED.reason, after="", limit=2)
    )
    replay = member.await_status(
        member.ask(TaskKind.REPLAY, FailureSelection(reason=REJECTED.reason, users=two)),
        TaskStatus.COMPLETED,
    )
    assert (replay.task.users, replay.done) == (2, 2)
    assert failing(sync) == users - 2


def test_a_paused_replay_goes_on_with_those_that_are_left(
    member: Member, sync: InProcessSync, made_up: Environment
) -> None:
    """Skolon is away, so it waits with the first user; paused, and gone on when Skolon is back."""
    users = failing(sync)
    made_up.skolon.faults.add(SkolonFault(kind="status", status=503, times=None))
    task = member.ask(TaskKind.REPLAY)
    wait_for(lambda: member.look(task).on_their_way == 1, "a user is on its way")
    member.control(task, TaskControl.PAUSE)
    paused = member.await_status(task, TaskStatus.PAUSED)
    assert paused.left == users - 1
    made_up.skolon.faults.clear()
    member.control(task, TaskControl.GO_ON)
    done = member.await_status(task, TaskStatus.COMPLETED)
    assert (done.done, done.left) == (users, 0)
    assert len(done.task.operations) == 2


def test_who_has_failed_again_is_not_tried_a_third_time(
    member: Member, sync: InProcessSync, made_up: Environment
) -> None:
    """Taken up anew after its process died, a task leaves alone those that have had their turn."""
    users = failing(sync)
    made_up.skolon.faults.add(SkolonFault(**REFUSES))
    task = member.ask(TaskKind.REPLAY)
    done = member.await_status(task, TaskStatus.COMPLETED)
    assert done.outcomes[Outcome.DEAD_LETTERED] == users
    assert done.reasons == {Reason.REJECTED_BY_SKOLON: users}
    (operation,) = done.task.operations
    wanted = {dead.operation for dead in _dead_letters(sync)}
    assert wanted == {operation}


def _dead_letters(sync: InProcessSync) -> list[Any]:
    with sync.broker.browse_dead_letters("user-sync") as browser:
        return [found.dead_letter for found in browser]


def test_users_that_are_set_aside_leave_what_needs_attention(member: Member, sync: InProcessSync) -> None:
    """In the Data Hub and in `status`, with the reason kept encrypted; a newer failure brings them back."""
    users = failing(sync)
    task = member.ask(TaskKind.DISCARD, note="They leave in June.")
    done = member.await_status(task, TaskStatus.COMPLETED)
    assert done.set_aside == users
    assert failing(sync) == 0
    assert not [each for each in _dead_letters(sync) if each.failure.reason is REJECTED.reason]
    (status,) = tenant_statuses([TENANT_KEY], store=sync.store, now=now())
    assert status.users.failed[REJECTED.reason] == users
    assert status.users.set_aside == {REJECTED.reason: users}
    assert REJECTED.reason not in {
        each.reason for each in status.problems if each.kind is ProblemKind.USERS_FAILED
    }


def test_they_are_back_when_a_newer_run_fails(
    member: Member, sync: InProcessSync, made_up: Environment
) -> None:
    """Whoever still fails; nobody stays hidden for good."""
    users = failing(sync)
    member.await_status(member.ask(TaskKind.DISCARD, note="Gone."), TaskStatus.COMPLETED)
    made_up.skolon.faults.add(SkolonFault(**REFUSES))
    sync.run()
    assert failing(sync) == users
