"""Receipts of dead letters that are replayed: opened once more, settled once more, and by whom."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from schemas.dead_letter_reasons import Reason
from schemas.errors import NotYetError, UsageError
from schemas.messages.messages import SyncRequest
from schemas.outcomes import Mode, Outcome, Stage, Status
from schemas.runs.operation import Operation, OperationKind, OperationStatus
from schemas.runs.sync_result import Failure, SyncResult
from schemas.users.attributes import Attribute
from tests.contract.store.factories import (
    CLIENT_SECRET,
    TENANT,
    before_image,
    begin_run,
    complete,
    dead_letter,
    result,
    run_concurrently,
    tenant,
)

if TYPE_CHECKING:
    from schemas.runs.run import Run
    from store.receipts.work_items import WorkItem
    from store.store import Store

PEOPLE = ("anna", "bo", "cecilia")
CRASHED = Failure(reason=Reason.CRASHED_WORKER, stage=Stage.RECEIVE, detail="its workers died over it")


def dead_run(store: Store, event: str = "event") -> Run:
    """Return a complete run in which all users are dead letters."""
    run = begin_run(store, event, *PEOPLE)
    for user in PEOPLE:
        store.receipts.mark_dead_lettered(run.id, user, dead_letter(), 3)
    store.runs.finish_reading(run.id)
    assert store.runs.complete_if_done(run.id)
    return run


def replay(store: Store) -> int:
    return store.operations.start(OperationKind.REPLAY, selection={}, operator=None).id


def begun(store: Store, run: Run, user: str) -> WorkItem:
    found = store.work_items.load(run.id, user)
    assert found is not None
    return found


def outcomes(store: Store, run: Run) -> dict[Outcome, int]:
    summary = store.runs.summary(run.id)
    assert summary.published == len(PEOPLE)
    return dict(summary.counts)


def test_a_replayed_user_gets_a_new_outcome(store: Store) -> None:
    """P3: the sums stay whole on the way, and the reason of before is gone with the new outcome."""
    run, operation = dead_run(store), replay(store)
    assert store.replays.reopen(operation, [(run.id, "anna")]) == {(run.id, "anna")}
    assert outcomes(store, run) == {Outcome.DEAD_LETTERED: 3}
    assert store.replays.results(operation).open == 1

    assert store.receipts.finish(run.id, "anna", result(Outcome.UPDATED, "s1"))
    assert not store.receipts.finish(run.id, "anna", result(Outcome.UNCHANGED, "s1"))

    assert outcomes(store, run) == {Outcome.DEAD_LETTERED: 2, Outcome.UPDATED: 1}
    assert store.runs.get(run.id).status is Status.COMPLETED
    receipt = store.receipts.get(run.id, "anna")
    assert receipt is not None
    assert (receipt.outcome, receipt.reason, receipt.stage, receipt.attempts, receipt.detail) == (
        Outcome.UPDATED,
        None,
        None,
        None,
        None,
    )
    assert (receipt.replaying, receipt.operation) == (False, operation)
    settled = store.replays.results(operation)
    assert (settled.open, settled.outcomes, settled.reasons) == (0, {Outcome.UPDATED: 1}, {})


def test_a_replay_that_fails_is_a_dead_letter_again(store: Store) -> None:
    """P9: the receipt says why it failed this time, and is open no more."""
    run, operation = dead_run(store), replay(store)
    store.replays.reopen(operation, [(run.id, "anna")])
    assert store.receipts.mark_dead_lettered(run.id, "anna", CRASHED, 1, operation=operation)
    assert not store.receipts.mark_dead_lettered(run.id, "anna", dead_letter(), 1, operation=operation)
    settled = store.replays.results(operation)
    assert (settled.open, settled.outcomes) == (0, {Outcome.DEAD_LETTERED: 1})
    assert settled.reasons == {Reason.CRASHED_WORKER: 1}


def test_a_replay_takes_a_user_up_once(store: Store) -> None:
    """P4: neither one that is on its way, nor one that failed again, is taken up twice by one replay."""
    run, operation = dead_run(store), replay(store)
    keys = [(run.id, user) for user in PEOPLE]
    assert store.replays.reopen(operation, keys[:2]) == set(keys[:2])
    store.receipts.mark_dead_lettered(run.id, "anna", dead_letter(), 1, operation=operation)
    assert store.replays.reopen(operation, keys) == {keys[2]}
    assert store.replays.reopen(operation, []) == set()


def test_a_message_of_before_does_not_settle_who_has_been_taken_over(store: Store) -> None:
    """P2, P9: its letter is gone with the taking over, so the receipt must await the other's message."""
    run, first = dead_run(store), replay(store)
    store.replays.reopen(first, [(run.id, "anna"), (run.id, "bo")])
    second = replay(store)
    store.replays.reopen(second, [(run.id, "anna"), (run.id, "cecilia")])
    assert not store.receipts.mark_dead_lettered(run.id, "anna", CRASHED, 1, operation=first)
    assert not store.receipts.mark_dead_lettered(run.id, "cecilia", CRASHED, 1)
    assert begun(store, run, "anna").awaits(second)
    assert begun(store, run, "cecilia").awaits(second)
    assert store.receipts.mark_dead_lettered(run.id, "bo", CRASHED, 1, operation=first)


def test_only_dead_letters_are_taken_up(store: Store) -> None:
    """A replay reopens no receipt with another outcome, or with none."""
    run = begin_run(store, "event", "anna", "bo")
    store.receipts.finish(run.id, "anna", result(Outcome.UPDATED, "s1"))
    strangers = [(run.id, "nobody"), (run.id + 7, "anna"), (0, "anna"), (2**40, "anna"), (run.id, "a/b")]
    assert store.replays.reopen(replay(store), [(run.id, "anna"), (run.id, "bo"), *strangers]) == set()
    assert store.replays.states(strangers) == {}
    assert begun(store, run, "bo").outcome is Outcome.PENDING


def test_what_a_killed_replay_left_is_taken_over(store: Store) -> None:
    """P4: a later replay takes it over, and a message of the killed one does nothing any more."""
    run, killed, later = dead_run(store), replay(store), replay(store)
    key = (run.id, "anna")
    assert store.replays.reopen(killed, [key]) == {key}
    assert begun(store, run, "anna").awaits(killed)
    assert store.replays.reopen(later, [key]) == {key}
    found = begun(store, run, "anna")
    assert found.awaits(later)
    assert not found.awaits(killed)
    assert not found.awaits(None)
    assert store.replays.results(killed).open == 0


def test_two_replays_at_once_share_without_harm(store: Store, second_store: Store) -> None:
    """Two operators who take up the same people in the same moment do not lock each other out."""
    for number in range(20):
        run = dead_run(store, f"event {number}")
        keys = [(run.id, user) for user in PEOPLE]
        both = run_concurrently(
            partial(store.replays.reopen, replay(store), keys),
            partial(second_store.replays.reopen, replay(store), keys[::-1]),
        )
        assert both == [set(keys), set(keys)]
        states = store.replays.states(keys)
        assert len({state.operation for state in states.values()}) == 1


def test_a_settled_user_awaits_nobody(store: Store) -> None:
    """P4: neither a message of the run nor one of the replay finds anything to do afterwards."""
    run, operation = dead_run(store), replay(store)
    found = begun(store, run, "anna")
    assert not found.awaits(None)
    assert not found.awaits(operation)
    store.replays.reopen(operation, [(run.id, "anna")])
    store.receipts.finish(run.id, "anna", result(Outcome.UNCHANGED, "s1"))
    assert not begun(store, run, "anna").awaits(operation)


def test_a_newer_run_supersedes_a_replay(store: Store) -> None:
    """P4: a replay of an older run learns that a newer one has the user, before and after its claim."""
    run, operation = dead_run(store), replay(store)
    store.replays.reopen(operation, [(run.id, "anna")])
    assert not begun(store, run, "anna").superseded
    begin_run(store, "newer", "anna")
    assert begun(store, run, "anna").superseded
    assert store.claims.claim(run.id, "anna", "s1", {Attribute.CITY: "Lund"}).superseded


def test_an_undo_takes_care_of_no_failure(store: Store) -> None:
    """A replay goes on after an undo of its run; while the undo has yet to come to the user, it waits."""
    run, operation = dead_run(store), replay(store)
    wanted = SyncRequest(tenant=TENANT, mode=Mode.UNDO, reverts_run_id=run.id)
    undo = store.triggers.open(wanted, "undo").run
    store.receipts.create_pending(undo.id, ["anna"])
    found = begun(store, run, "anna")
    assert (found.superseded, found.other_run_active) == (False, True)
    store.receipts.finish(undo.id, "anna", result(Outcome.UPDATED, "s1"))
    store.runs.finish_reading(undo.id)
    assert store.runs.complete_if_done(undo.id)
    store.replays.reopen(operation, [(run.id, "anna")])
    found = begun(store, run, "anna")
    assert (found.superseded, found.other_run_active) == (False, False)
    assert not store.claims.claim(run.id, "anna", "s1", {Attribute.CITY: "Lund"}).superseded
    assert not store.replays.states([(run.id, "anna")])[run.id, "anna"].is_stale


def test_a_newer_run_waits_for_a_replay_in_hand(store: Store) -> None:
    """P4: a replay's claim holds a newer run's worker up, until the replay is settled."""
    run, operation = dead_run(store), replay(store)
    store.replays.reopen(operation, [(run.id, "anna")])
    assert not store.claims.claim(run.id, "anna", "s1", {Attribute.CITY: "Lund"}).superseded
    newer = begin_run(store, "newer", "anna")
    assert begun(store, newer, "anna").other_run_active
    store.receipts.finish(run.id, "anna", SyncResult(outcome=Outcome.UPDATED, skolon_id="s1"))
    assert not begun(store, newer, "anna").other_run_active


def test_a_dead_letter_cannot_be_claimed(store: Store) -> None:
    """P4: without a replay, no dead-lettered user may be written."""
    run = dead_run(store)
    with pytest.raises(NotYetError):
        store.claims.claim(run.id, "anna", "s1", {Attribute.CITY: "Lund"})


def test_the_old_values_are_those_of_the_claimed_user(store: Store) -> None:
    """A replay that finds the same Skolon user keeps the oldest values; of another one, that one's alone."""
    run = begin_run(store, "event", *PEOPLE)
    store.claims.claim(run.id, "anna", "s1", {Attribute.CITY: "Lund"}, new_values={Attribute.CITY: "Malmö"})
    store.receipts.mark_dead_lettered(run.id, "anna", dead_letter(), 1)
    store.replays.reopen(replay(store), [(run.id, "anna")])
    found = {Attribute.CITY: "Malmö", Attribute.EMAIL: None}
    store.claims.claim(
        run.id, "anna", "s1", found, new_values={Attribute.CITY: "Ystad", Attribute.EMAIL: "a@b.example"}
    )
    assert before_image(store, run.id, "anna") == {"city": "Lund", "email": None}
    store.claims.claim(run.id, "anna", "s2", {Attribute.EPPN: "a@b"})
    assert before_image(store, run.id, "anna") == {"eppn": "a@b"}


def test_what_rabbitmq_gave_up_is_adopted(store: Store) -> None:
    """P3: a pending receipt whose message RabbitMQ made a dead letter gets its outcome, once."""
    run = begin_run(store, "event", "anna")
    key = (run.id, "anna")
    assert store.receipts.mark_dead_lettered(*key, CRASHED, None, operation=None)
    assert not store.receipts.mark_dead_lettered(*key, dead_letter(), None, operation=None)
    receipt = store.receipts.get(*key)
    assert receipt is not None
    assert (receipt.outcome, receipt.reason) == (Outcome.DEAD_LETTERED, Reason.CRASHED_WORKER)
    assert not store.receipts.mark_dead_lettered(run.id, "nobody", CRASHED, None)


def test_only_its_own_letter_ends_a_replay(store: Store) -> None:
    """An older letter of a user whose replay is on its way says nothing about that replay."""
    run, operation = dead_run(store), replay(store)
    key = (run.id, "anna")
    store.replays.reopen(operation, [key])
    assert not store.receipts.mark_dead_lettered(*key, CRASHED, None, operation=None)
    assert not store.receipts.mark_dead_lettered(*key, CRASHED, None, operation=operation + 1)
    assert store.replays.states([key])[key].replaying
    assert store.receipts.mark_dead_lettered(*key, CRASHED, None, operation=operation)
    state = store.replays.states([key])[key]
    assert (state.tenant, state.outcome, state.replaying) == (TENANT, Outcome.DEAD_LETTERED, False)


def test_operations_are_kept(store: Store) -> None:
    """Who asked for what, and what became of it, can be read afterwards."""
    selection = {"tenant": TENANT, "reason": ["collision"]}
    begun_one = store.operations.start(
        OperationKind.DISCARD, selection=selection, operator="ada", original_payload=True
    )
    assert begun_one.status is OperationStatus.RUNNING
    store.operations.record_progress(begun_one.id, {"discarded": 1})
    ended = store.operations.finish(
        begun_one.id, OperationStatus.CANCELLED, {"discarded": 2}, "by its operator"
    )
    assert ended == store.operations.get(begun_one.id)
    assert (ended.kind, ended.operator, ended.selection, ended.original_payload) == (
        OperationKind.DISCARD,
        "ada",
        selection,
        True,
    )
    assert (ended.counts, ended.detail) == ({"discarded": 2}, "by its operator")
    assert ended.finished is not None
    newer = store.operations.start(OperationKind.REPLAY, selection={}, operator=None)
    assert store.operations.list() == [newer, ended]
    assert isinstance(newer, Operation)
    with pytest.raises(UsageError):
        store.operations.get(newer.id + 1)


def is_stale(store: Store, run: Run, user: str) -> bool:
    return store.replays.states([(run.id, user)])[run.id, user].is_stale


@pytest.mark.parametrize(
    "settled", [Outcome.UNCHANGED, Outcome.NOT_FOUND, Outcome.OUT_OF_SCOPE, Outcome.DEAD_LETTERED]
)
def test_a_newer_outcome_makes_a_dead_letter_stale(store: Store, settled: Outcome) -> None:
    """Any outcome of a newer run does, also another dead letter, which settles no user; no older run does."""
    old = dead_run(store)
    newer = begin_run(store, "newer", *PEOPLE)
    assert not is_stale(store, old, "anna")
    if settled is Outcome.DEAD_LETTERED:
        store.receipts.mark_dead_lettered(newer.id, "anna", dead_letter(), 1)
    else:
        store.receipts.finish(newer.id, "anna", result(settled, "s1"))
    assert is_stale(store, old, "anna")
    assert not is_stale(store, old, "bo")
    assert store.replays.settled_later(old.id) == (0 if settled is Outcome.DEAD_LETTERED else 1)
    assert store.replays.settled_later(newer.id) == 0
    if settled is Outcome.DEAD_LETTERED:
        assert not is_stale(store, newer, "anna")


def test_a_user_that_fails_again_is_not_settled(store: Store) -> None:
    """Neither by the run that had settled it, nor for the run before."""
    old = dead_run(store)
    between = begin_run(store, "between", *PEOPLE)
    store.receipts.finish(between.id, "anna", result(Outcome.UNCHANGED, "s1"))
    assert store.replays.settled_later(old.id) == 1
    store.runs.cancel(between.id)
    newest = begin_run(store, "newest", *PEOPLE)
    store.receipts.mark_dead_lettered(newest.id, "anna", dead_letter(), 1)
    assert store.replays.settled_later(old.id) == 0


def test_what_settles_nothing_leaves_a_dead_letter_open(store: Store) -> None:
    """Dry runs, undos, other tenants' runs and superseded receipts say nothing about the user's fault."""
    old = dead_run(store)
    store.tenants.add(tenant("other"), CLIENT_SECRET)
    other = begin_run(store, "other", "anna", key="other")
    store.receipts.finish(other.id, "anna", result(Outcome.UNCHANGED, "s1"))
    dry = begin_run(store, "dry", "anna", dry_run=True)
    store.receipts.finish(dry.id, "anna", result(Outcome.UNCHANGED, "s1"))
    complete(store, dry)
    undo = store.triggers.open(SyncRequest(tenant=TENANT, mode=Mode.UNDO, reverts_run_id=old.id), "undo").run
    store.receipts.create_pending(undo.id, PEOPLE)
    store.receipts.finish(undo.id, "anna", result(Outcome.UNCHANGED, "s1"))
    complete(store, undo)
    late = begin_run(store, "late", "anna")
    store.receipts.finish(late.id, "anna", result(Outcome.SUPERSEDED))
    assert not is_stale(store, old, "anna")


def test_a_receipt_that_waits_keeps_its_dead_letter(store: Store) -> None:
    """While a message of the user is on its way, and while its outcome is not recorded, nothing is stale."""
    old, pending = dead_run(store), begin_run(store, "pending", *PEOPLE)
    newest = store.replays.reopen(replay(store), [(old.id, "anna")])
    assert newest
    store.receipts.finish(pending.id, "anna", result(Outcome.NOT_FOUND))
    assert not is_stale(store, old, "anna")
    assert not is_stale(store, pending, "bo")
    store.receipts.finish(old.id, "anna", result(Outcome.SUPERSEDED))
    assert is_stale(store, old, "anna")


def test_a_dry_runs_dead_letter_is_stale(store: Store) -> None:
    """RabbitMQ may make one by itself; the receipt says all that there is to know."""
    dry = begin_run(store, "dry", "anna", dry_run=True)
    assert not is_stale(store, dry, "anna")
    store.receipts.mark_dead_lettered(dry.id, "anna", CRASHED, None)
    assert is_stale(store, dry, "anna")
