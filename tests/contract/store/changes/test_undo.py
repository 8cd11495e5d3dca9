"""Undo in the books: which run may be put back, whom it changed, and what it wrote to each."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

import pytest
from sqlalchemy import create_engine, text

from schemas.crypto.encryption import DecryptionError, FieldCipher, new_key
from schemas.dead_letter_reasons import Reason
from schemas.errors import NotYetError, PermanentError
from schemas.messages.messages import SyncRequest
from schemas.outcomes import Cause, Mode, Outcome, Status
from schemas.runs.sync_result import SyncResult
from schemas.users.attributes import Attribute
from store.changes.undo import UndoRecord, undo_block_reason
from store.maintenance.pruning import Limits
from store.store import Store
from store.timestamps import now
from tests.contract.store.factories import CLIENT_SECRET, TENANT, begin_run, complete, result, tenant

if TYPE_CHECKING:
    from schemas.runs.run import Run

CITY, EMAIL = Attribute.CITY, Attribute.EMAIL
#: The number of a run that is newer than all in a test.
NEWER: Final = 2**31 - 1


def request(run: Run, **more: Any) -> SyncRequest:
    return SyncRequest(tenant=run.tenant, mode=Mode.UNDO, reverts_run_id=run.id, **more)


def open_undo(store: Store, run: Run, event: str = "undo", **more: Any) -> Run:
    return store.triggers.open(request(run, **more), event).run


def wrote(store: Store, run: Run, old: str | None, new: str, *, skolon_id: str = "s1") -> None:
    """Have a run change where Anna lives."""
    store.claims.claim(run.id, "anna", skolon_id, {CITY: old}, new_values={CITY: new})
    store.receipts.finish(
        run.id,
        "anna",
        SyncResult(outcome=Outcome.UPDATED, skolon_id=skolon_id, skolon_version="v2", changed=(CITY,)),
    )


def undoable(store: Store, run: Run, user: str = "anna") -> UndoRecord:
    found = store.undo_records.load(run.id, user, before=NEWER)
    assert found is not None
    return found


def test_what_was_written_is_known(store: Store) -> None:
    """The Skolon user, its version, the value from before, and whether a value was written by the run."""
    run = begin_run(store, "event", "anna", "bo")
    wrote(store, run, "Lund", "Malmö")
    found = undoable(store, run)
    assert (found.skolon_id, found.version, found.since) == ("s1", "v2", ())
    assert found.written.before_image == {CITY: "Lund"}
    assert found.written.wrote(CITY, "Malmö")
    assert not found.written.wrote(CITY, "Lund")
    assert store.undo_records.load(run.id, "bo", before=NEWER) is None
    assert store.undo_records.load(run.id, "nobody", before=NEWER) is None


def test_new_values_are_not_in_the_database(
    store: Store, database_with_tables: str, cipher: FieldCipher
) -> None:
    """P6: not even who opens what is sealed finds the value that was written."""
    run = begin_run(store, "event", "anna")
    wrote(store, run, "Lund", "Hemligstad")
    engine = create_engine(database_with_tables)
    with engine.connect() as connection:
        row = connection.execute(text("SELECT * FROM receipts")).one()
    engine.dispose()
    assert "Hemligstad" not in repr(row)
    assert "Lund" not in repr(row)
    assert "Lund" in cipher.decrypt(row.before_image)
    assert "Hemligstad" not in cipher.decrypt(row.before_image)


def test_what_newer_runs_wrote_is_known_too(store: Store) -> None:
    """Newer runs' values of the same Skolon user count, older ones' and the undo's own do not."""
    runs = []
    for number, (old, new) in enumerate([("A", "B"), ("B", "C"), ("C", "D"), ("D", "E")]):
        runs.append(begin_run(store, f"event {number}", "anna"))
        wrote(store, runs[-1], old, new)
        complete(store, runs[-1])
    found = store.undo_records.load(runs[1].id, "anna", before=runs[3].id)
    assert found is not None
    assert found.written.before_image == {CITY: "B"}
    assert [written.before_image for written in found.since] == [{CITY: "C"}]
    second_store = begin_run(store, "second_store", "anna")
    wrote(store, second_store, "E", "F", skolon_id="s2")
    assert [written.before_image for written in undoable(store, runs[2]).since] == [{CITY: "D"}]


def test_a_version_is_only_told_by_who_wrote_it(store: Store) -> None:
    """What a redelivery finds right may have been changed since by somebody else: its version is nobody's."""
    run = begin_run(store, "event", "anna", "bo")
    for user, outcome in (("anna", Outcome.UNCHANGED), ("bo", Outcome.UPDATED)):
        store.claims.claim(run.id, user, user, {CITY: "Lund"}, new_values={CITY: "Malmö"})
        store.receipts.finish(
            run.id, user, SyncResult(outcome=outcome, skolon_id=user, skolon_version="found so")
        )
        assert undoable(store, run, user).version is None


def test_people_come_in_order_and_in_pages(store: Store) -> None:
    """P10: claimed users are read page by page, whatever their outcomes."""
    users = [f"user-{number}" for number in range(5)]
    run = begin_run(store, "event", *users, "unclaimed")
    for user in reversed(users):
        store.claims.claim(run.id, user, f"s {user}", {CITY: None}, new_values={CITY: "Malmö"})
    store.receipts.finish(run.id, users[0], result(Outcome.UPDATED, f"s {users[0]}"))
    assert store.undo_records.count_claimed(run.id) == 5
    assert list(store.undo_records.claimed_users(run.id, after="", limit=2)) == users[:2]
    assert list(store.undo_records.claimed_users(run.id, after=users[1], limit=10)) == users[2:]
    assert list(store.undo_records.claimed_users(run.id, after=users[4], limit=10)) == []


def test_an_undo_is_a_run_of_its_own(store: Store) -> None:
    """It has a number, says which run it undoes, and the same event is the same undo."""
    run = begin_run(store, "event", "anna")
    complete(store, run)
    opened = store.triggers.open(request(run, users=("anna",)), "undo")
    assert (opened.new, opened.needs_first_page) == (True, True)
    assert (opened.run.mode, opened.run.reverts_run_id, opened.run.users) == (Mode.UNDO, run.id, ("anna",))
    assert store.triggers.open(request(run), "undo").run.id == opened.run.id
    assert store.runs.summary(opened.run.id).as_json()["reverts_run_id"] == str(run.id)
    assert store.runs.summary(run.id).as_json()["reverts_run_id"] is None


@pytest.mark.parametrize(
    ("more", "joins"),
    [
        ({}, True),
        ({"override_guard": True}, True),
        ({"users": ("anna",)}, True),
        ({"dry_run": True}, False),
    ],
)
def test_undos_of_the_same_run_are_one(store: Store, more: dict[str, Any], *, joins: bool) -> None:
    """A second wish joins the open undo if that does what it asks for; anything else waits."""
    run = begin_run(store, "event", "anna")
    complete(store, run)
    first = open_undo(store, run)
    if joins:
        assert open_undo(store, run, "second", **more).id == first.id
    else:
        with pytest.raises(NotYetError):
            open_undo(store, run, "second", **more)


@pytest.mark.parametrize("mode", [Mode.FULL, Mode.DELTA])
def test_an_undo_is_no_answer_to_a_trigger(store: Store, mode: Mode) -> None:
    """A trigger waits while an undo is open, and an undo while any other run is."""
    run = begin_run(store, "event", "anna")
    with pytest.raises(NotYetError):
        open_undo(store, run)
    complete(store, run)
    undo = open_undo(store, run)
    with pytest.raises(NotYetError):
        store.triggers.open(SyncRequest(tenant=TENANT, mode=mode), "trigger")
    with pytest.raises(NotYetError):
        open_undo(store, undo, "undo of the undo")


def test_a_halted_run_that_is_put_back_is_cancelled(store: Store) -> None:
    """It cannot be resumed into the same mistake; why it had been halted stays to be seen."""
    run = begin_run(store, "event", "anna")
    store.runs.halt(run.id, Cause.GUARD_EXCEEDED, "too many")
    open_undo(store, run)
    undone = store.runs.get(run.id)
    assert (undone.status, undone.cause, undone.detail) == (
        Status.CANCELLED,
        Cause.GUARD_EXCEEDED,
        "too many",
    )


@pytest.mark.parametrize("more", [{"dry_run": True}, {"users": ("anna",)}])
def test_a_halted_run_of_which_little_is_put_back_stays(store: Store, more: dict[str, Any]) -> None:
    """Looking, or putting back one person, decides nothing about those who are pending."""
    run = begin_run(store, "event", "anna")
    store.runs.halt(run.id, Cause.GUARD_EXCEEDED, "too many")
    open_undo(store, run, **more)
    assert store.runs.get(run.id).status is Status.HALTED


def test_who_was_in_hand_steps_back(store: Store) -> None:
    """P4: once the undo of a halted run is open, a worker of that run can claim no user."""
    run = begin_run(store, "event", "anna", "bo", "cia")
    store.claims.claim(run.id, "anna", "s1", {CITY: "Lund"}, new_values={CITY: "Malmö"})
    store.runs.halt(run.id, Cause.GUARD_EXCEEDED, "too many")
    assert not store.claims.claim(run.id, "bo", "s2", {CITY: "Lund"}, new_values={CITY: "Malmö"}).superseded
    undo = open_undo(store, run)
    assert store.claims.claim(run.id, "cia", "s3", {CITY: "Lund"}, new_values={CITY: "Malmö"}).superseded
    # Those who were not stopped are among those who are put back, and waited for.
    assert {"anna", "bo"} <= set(store.undo_records.claimed_users(run.id, after="", limit=9))
    store.receipts.create_pending(undo.id, ["anna", "bo"])
    found = store.work_items.load(undo.id, "anna")
    assert found is not None
    assert (found.undoes, found.other_run_active) == (run.id, True)


def test_an_older_message_is_late_after_an_undo(store: Store) -> None:
    """P4: a message of an older run that comes after an undo does not write again what was restored."""
    run = begin_run(store, "event", "anna")
    store.runs.halt(run.id, Cause.BUG, "a bug")
    undo = open_undo(store, run, users=("anna",))
    store.receipts.create_pending(undo.id, ["anna"])
    found = store.work_items.load(run.id, "anna")
    assert found is not None
    assert found.superseded


def test_what_cannot_be_undone_is_refused(store: Store) -> None:
    """An unknown run, another tenant's and a dry run have no undo: the refusal says why."""
    store.tenants.add(tenant("grannkommun"), CLIENT_SECRET)
    dry = begin_run(store, "dry", "anna", dry_run=True)
    complete(store, dry)
    theirs = begin_run(store, "theirs", "anna", key="grannkommun")
    complete(store, theirs)
    refused = {dry.id: "dry run", theirs.id: "no run", 4711: "no run"}
    for run, why in refused.items():
        with pytest.raises(PermanentError, match=why) as caught:
            store.triggers.open(SyncRequest(tenant=TENANT, mode=Mode.UNDO, reverts_run_id=run), f"undo {run}")
        assert caught.value.reason is Reason.INVALID_TRIGGER


def test_a_disabled_tenants_run_can_be_undone(store: Store) -> None:
    """An administrator who disables a tenant because of a mistake can still undo it."""
    run = begin_run(store, "event", "anna")
    complete(store, run)
    store.tenants.change(TENANT, {"enabled": False})
    assert open_undo(store, run).reverts_run_id == run.id


def test_the_shares_of_an_undo_are_of_the_runs_people(store: Store) -> None:
    """The guard's shares are of the tenant's people also when no run has been completed so far."""
    run = begin_run(store, "event", "anna")
    store.guard_counters.record_directory_size(run.id, 250)
    store.runs.halt(run.id, Cause.GUARD_EXCEEDED, "too many")
    undo = open_undo(store, run, override_guard=True)
    told: list[int | None] = []
    store.guard_counters.count(
        undo.id, store.guard_counters.counts(run.id), lambda _, people, _synced: told.append(people())
    )
    assert told == [250]


@pytest.mark.parametrize("override_guard", [True, False])
def test_an_undo_can_be_let_through_beforehand(store: Store, *, override_guard: bool) -> None:
    """Then the guard does not watch it; an undo that is open already is let through as well."""
    run = begin_run(store, "event", "anna")
    complete(store, run)
    undo = open_undo(store, run, override_guard=override_guard)
    store.receipts.create_pending(undo.id, ["anna"])
    found = store.work_items.load(undo.id, "anna")
    assert found is not None
    assert found.guarded is not override_guard
    open_undo(store, run, "joins", override_guard=True)
    found = store.work_items.load(undo.id, "anna")
    assert found is not None
    assert not found.guarded


def test_who_was_left_is_counted(store: Store) -> None:
    """P3: the sums tell of how many people something was left; receipts tell which attributes."""
    run = begin_run(store, "event", "anna", "bo", "cia")
    left = SyncResult(outcome=Outcome.UNCHANGED, skolon_id="s1", skipped=(EMAIL, CITY))
    store.receipts.finish(run.id, "anna", left)
    changed = SyncResult(outcome=Outcome.UPDATED, skolon_id="s2", changed=(CITY,), skipped=(EMAIL,))
    store.receipts.finish(run.id, "bo", changed)
    store.receipts.finish(run.id, "cia", result(Outcome.UNCHANGED, "s3"))
    summary = store.runs.summary(run.id)
    assert (summary.skipped, summary.as_json()["skipped"], summary.published) == (2, 2, 3)
    assert [each.skipped for each in store.receipts.list(run.id)] == [(CITY, EMAIL), (EMAIL,), ()]


def test_an_undo_says_nothing_that_cannot_be_opened(store: Store, database_with_tables: str) -> None:
    """P6: without the key that sealed them, values are not guessed."""
    run = begin_run(store, "event", "anna")
    wrote(store, run, "Lund", "Malmö")
    stranger = Store(database_with_tables, FieldCipher([new_key()]))
    with pytest.raises(DecryptionError):
        stranger.undo_records.load(run.id, "anna", before=NEWER)
    stranger.close()


@pytest.mark.parametrize(
    ("status", "dry_run", "people", "why"),
    [
        (Status.COMPLETED, False, 1, None),
        (Status.CANCELLED, False, 1, None),
        (Status.HALTED, False, 0, None),
        (Status.COMPLETED, False, 0, "changed no user"),
        (Status.CANCELLED, False, 0, "changed no user"),
        (Status.READING, False, 1, "open"),
        (Status.UPDATING, False, 1, "open"),
        (Status.COMPLETED, True, 0, "dry run"),
    ],
)
def test_why_a_run_cannot_be_undone(
    status: Status,
    dry_run: bool,  # noqa: FBT001 - one column of the table
    people: int,
    why: str | None,
) -> None:
    """An open run, a dry one and one that changed nobody cannot; a halted one can at any moment."""
    found = undo_block_reason(status, dry_run=dry_run, people=people)
    assert (found is None) == (why is None)
    assert (why or "") in (found or "")


def test_what_an_undo_stands_on_is_not_pruned(store: Store) -> None:
    """While an undo is open or halted, the receipts that it reads stay; its own sums stay for good."""
    run = begin_run(store, "event", "anna")
    wrote(store, run, "Lund", "Malmö")
    complete(store, run)
    for number in range(2):
        complete(store, begin_run(store, f"newer {number}", "anna"))
    undo = open_undo(store, run)
    store.receipts.create_pending(undo.id, ["anna"])
    for event in ("full", "full again"):
        store.runs.halt(undo.id, Cause.BUG, "a bug")
        newer = begin_run(store, event, "anna")
        store.receipts.finish(newer.id, "anna", result(Outcome.UNCHANGED, "s1"))
        complete(store, newer)
    limits = Limits(receipts=now(), runs=now() - dt.timedelta(days=1))
    list(store.pruning.prune(limits))
    assert store.undo_records.count_claimed(run.id) == 1
    left = SyncResult(outcome=Outcome.UNCHANGED, skolon_id="s1", skipped=(CITY,))
    store.receipts.finish(undo.id, "anna", left)
    store.runs.cancel(undo.id)
    list(store.pruning.prune(Limits(receipts=now(), runs=limits.runs)))
    assert store.undo_records.count_claimed(run.id) == 0
    assert store.receipts.get(undo.id, "anna") is None
    assert store.runs.summary(undo.id).skipped == 1
