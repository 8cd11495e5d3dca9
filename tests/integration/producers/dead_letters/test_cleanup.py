"""Stale dead letters: the queue lists the users who need a person, and nothing else."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from administration.dead_letters.browse import browse
from administration.dead_letters.discard import discard_planned, plan_discard
from administration.dead_letters.replay import plan_replay
from producers.dead_letters.cleanup import CleanupTimes, DeadLetterCleanup
from queues.brokers.memory import MemoryBrowser
from queues.message import user_sync_message
from sandbox.environment import TENANT_KEY, Environment
from sandbox.skolon.faults import Fault
from schemas.messages.dead_letter_filter import DeadLetterFilter
from schemas.messages.messages import USER_SYNC_QUEUE, UserSync
from schemas.outcomes import Outcome
from schemas.runs.operation import OperationKind, OperationStatus
from store.maintenance.pruning import Limits
from tests.contract.store.factories import begin_run
from tests.integration.producers.dead_letters.test_replay import REFUSES, dead_letters, put, replay

if TYPE_CHECKING:
    from cli.sandbox.in_process_sync import InProcessSync
    from schemas.runs.run import RunSummary

PEOPLE = 50
#: All users fail here, and no guard is to halt that.
SETTINGS = {"guard": {"failed": None}}


def clean(sync: InProcessSync, **times: float) -> dict[str, int] | None:
    """Clean up as a producer does; return what the audit counts, None if nothing was stale."""
    operation = DeadLetterCleanup(
        store=sync.store, broker=sync.broker, times=CleanupTimes(pause=0, **times)
    ).tick()
    if operation is None:
        return None
    assert operation == sync.store.operations.get(operation.id)
    assert (operation.kind, operation.status) == (OperationKind.CLEANUP, OperationStatus.COMPLETED)
    return dict(operation.counts)


def failing(made_up: Environment, sync: InProcessSync, **wishes: Any) -> RunSummary:
    """Run while Skolon refuses every search."""
    made_up.skolon.faults.add(Fault(**REFUSES))
    summary = sync.run(**wishes)
    made_up.skolon.faults.clear()
    return summary


def lying(sync: InProcessSync) -> dict[int, int]:
    """Return how many dead letters of each run lie in the queue."""
    runs = [dead_letter["kwargs"]["run"] for dead_letter in dead_letters(sync)]
    return {run: runs.count(run) for run in runs}


def shown(sync: InProcessSync) -> dict[int, int]:
    """Return how many dead letters of each run the commands show as open, each in its own way."""
    every = DeadLetterFilter()
    listed = [found for found, _ in browse(every, store=sync.store, broker=sync.broker, limit=None)]
    planned = plan_replay(every, limit=None, store=sync.store, broker=sync.broker)
    discardable = plan_discard(every, limit=None, store=sync.store, broker=sync.broker)
    assert planned.groups.dead_letters == discardable.groups.dead_letters == len(listed)
    assert not planned.counts.blocked
    runs = [dead_letter.run or 0 for dead_letter in listed]
    return {run: runs.count(run) for run in runs}


def test_three_runs_leave_one_dead_letter_for_a_user(made_up: Environment, sync: InProcessSync) -> None:
    """The newest dead letter of a user is open; the older ones are not shown, and then removed."""
    runs = [failing(made_up, sync) for _ in range(3)]
    dead = runs[-1].counts[Outcome.DEAD_LETTERED]
    assert dead > PEOPLE / 2
    assert lying(sync) == {run.run.id: dead for run in runs}
    assert shown(sync) == {runs[-1].run.id: dead}

    assert sum((clean(sync) or {}).values()) == 2 * dead

    assert lying(sync) == {runs[-1].run.id: dead}
    assert [sync.store.replays.settled_later(run.run.id) for run in runs] == [0, 0, 0]
    assert clean(sync) is None


def test_corrected_users_leave_none(made_up: Environment, sync: InProcessSync) -> None:
    """A run that brings users to any other outcome makes their dead letters stale."""
    failed = failing(made_up, sync)
    corrected = sync.run()
    left = corrected.counts[Outcome.DEAD_LETTERED]
    assert shown(sync) == {corrected.run.id: left}
    assert sum((clean(sync) or {}).values()) == failed.counts[Outcome.DEAD_LETTERED]
    assert lying(sync) == {corrected.run.id: left}


def test_of_copies_one_stays(made_up: Environment, sync: InProcessSync) -> None:
    """A user with two dead letters of one run needs a person once; a foreign message is no copy."""
    run = failing(made_up, sync).run.id
    before = len(dead_letters(sync))
    for fields in dead_letters(sync)[:3]:
        put(sync, user_sync_message(UserSync(**fields["kwargs"]), give_up_after_hours=24))
    foreign = UserSync(**{**dead_letters(sync)[4]["kwargs"], "payload": "made up"})
    put(sync, user_sync_message(foreign, give_up_after_hours=24))
    assert sum((clean(sync) or {}).values()) == 3
    assert lying(sync) == {run: before + 1}


def test_a_dry_run_leaves_none(made_up: Environment, sync: InProcessSync) -> None:
    """Its receipts say dead_lettered all the same, whatever the failure; older dead letters stay open."""
    failed = failing(made_up, sync)
    dead = failed.counts[Outcome.DEAD_LETTERED]
    dry = failing(made_up, sync, dry_run=True)
    assert (dry.counts[Outcome.DEAD_LETTERED], dry.reasons) == (dead, failed.reasons)
    assert lying(sync) == shown(sync) == {failed.run.id: dead}
    assert clean(sync) is None
    assert lying(sync) == {failed.run.id: dead}


def test_what_is_replayed_is_let_be(made_up: Environment, sync: InProcessSync) -> None:
    """A dead letter whose message is on its way again stays until that has an outcome."""
    old, new = failing(made_up, sync), sync.run()
    user = dead_letters(sync)[0]["kwargs"]["user"]
    operation = sync.store.operations.start(OperationKind.REPLAY, selection={}, operator=None).id
    assert sync.store.replays.reopen(operation, [(old.run.id, user)])
    clean(sync)
    assert lying(sync)[old.run.id] == 1
    sync.store.replays.release([(old.run.id, user)])
    failing(made_up, sync, users=(user,))
    clean(sync)
    assert old.run.id not in lying(sync)
    assert new.run.id in lying(sync)


def test_a_replay_takes_open_ones_alone(made_up: Environment, sync: InProcessSync) -> None:
    """Stale dead letters at the head of the queue take no place of those that are meant; nor in a discard."""
    old = failing(made_up, sync)
    new = failing(made_up, sync)
    dead = new.counts[Outcome.DEAD_LETTERED]
    operation = replay(sync, limit=5, max_failed=1)
    assert operation.counts["published"] == 5
    assert "superseded" not in operation.counts
    every = DeadLetterFilter()
    plan = plan_discard(every, limit=3, store=sync.store, broker=sync.broker)
    discard_planned(plan, operator=None, store=sync.store, broker=sync.broker)
    still = sync.store.runs.summary(new.run.id).counts[Outcome.DEAD_LETTERED]
    assert lying(sync) == {old.run.id: dead, new.run.id: still - 3}


def test_what_says_nothing_of_a_user_stays(made_up: Environment, sync: InProcessSync) -> None:
    """Bytes that are no message, forged ones, other tenants' and removed ones are never stale."""
    old = failing(made_up, sync)
    victim = dead_letters(sync)[0]["kwargs"]["user"]
    sync.run()
    forged = UserSync(tenant=TENANT_KEY, run=old.run.id, user=victim, payload=None)
    put(sync, user_sync_message(forged, give_up_after_hours=24))
    unknown = UserSync(tenant="unknown", run=99, user=victim, payload=None)
    put(sync, user_sync_message(sync.store.message_cipher.encrypt_user(unknown), give_up_after_hours=24))
    sync.broker.put(USER_SYNC_QUEUE, b"\xff garbage")
    sync.broker.join(USER_SYNC_QUEUE, timeout=60_000, fail_fast=False)
    clean(sync)
    found = [each for each, _ in browse(DeadLetterFilter(), store=sync.store, broker=sync.broker, limit=None)]
    strange = [(each.tenant, each.run, each.user) for each in found][-3:]
    assert strange == [(TENANT_KEY, old.run.id, victim), ("unknown", 99, victim), (None, None, None)]


def test_a_pruned_receipt_needs_no_person(made_up: Environment, sync: InProcessSync) -> None:
    """A receipt is pruned only if a newer run has told of the user; then its dead letter is stale."""
    old, new = failing(made_up, sync), failing(made_up, sync)
    tomorrow = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
    list(sync.store.pruning.prune(Limits(receipts=tomorrow, runs=tomorrow)))
    assert sync.store.receipts.list(old.run.id) == []
    assert set(shown(sync)) == {new.run.id}
    clean(sync)
    assert set(lying(sync)) == {new.run.id}


def test_a_user_in_an_open_run_stays(made_up: Environment, sync: InProcessSync) -> None:
    """A newer run that has not come to the user settles nothing, nor does one that was cancelled before."""
    old = failing(made_up, sync)
    users = [dead_letter["kwargs"]["user"] for dead_letter in dead_letters(sync)]
    newer = begin_run(sync.store, "event", *users, key=TENANT_KEY)
    assert shown(sync) == {old.run.id: len(users)}
    sync.store.runs.cancel(newer.id)
    assert clean(sync) is None
    assert shown(sync) == {old.run.id: len(users)}


@pytest.mark.parametrize("place", ["start", "ack", "record_progress", "mark"])
def test_a_killed_cleanup_is_taken_over(
    made_up: Environment, sync: InProcessSync, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """P2: killed after any of its steps, it has removed what is stale at most, and the next one goes on."""
    failing(made_up, sync)
    new = failing(made_up, sync)
    target = {
        "start": sync.store.operations,
        "record_progress": sync.store.operations,
        "mark": sync.store.cleanups,
        "ack": MemoryBrowser,
    }[place]
    original = getattr(target, place)

    def dying(*args: Any, **kwargs: Any) -> None:
        original(*args, **kwargs)
        raise KeyboardInterrupt

    monkeypatch.setattr(target, place, dying)
    with pytest.raises(KeyboardInterrupt):
        clean(sync)
    monkeypatch.undo()
    clean(sync)
    assert lying(sync) == {new.run.id: new.counts[Outcome.DEAD_LETTERED]}
    assert sync.store.cleanups.due_runs() == []


def test_two_producers_do_it_at_the_same_time(made_up: Environment, sync: InProcessSync) -> None:
    """They take turns, and each dead letter is counted once."""
    old, new = failing(made_up, sync), failing(made_up, sync)
    with ThreadPoolExecutor(2) as threads:
        both = [threads.submit(clean, sync, max_pass=0.0) for _ in range(2)]
        counted = sum(sum((each.result() or {}).values()) for each in both)
    assert counted == old.counts[Outcome.DEAD_LETTERED]
    assert set(lying(sync)) == {new.run.id}
