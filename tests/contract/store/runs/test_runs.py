"""Runs: which trigger becomes one, and how each comes to its end."""

from __future__ import annotations

import dataclasses
import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import psycopg
import pytest

from schemas.dead_letter_reasons import Reason
from schemas.errors import NotYetError, PermanentError, UsageError
from schemas.messages.messages import MAX_QUICK_USERS
from schemas.outcomes import Cause, Mode, NotFoundReason, Outcome, Status
from schemas.runs.sync_result import SyncResult
from store.runs.triggers import OpenedRun
from tests.contract.store.factories import (
    CLIENT_SECRET,
    TENANT,
    TOGETHER,
    begin_run,
    complete,
    dead_letter,
    page,
    request,
    result,
    run_concurrently,
    tenant,
    wait_for_lock_waiters,
)

if TYPE_CHECKING:
    from schemas.messages.messages import SyncRequest
    from store.store import Store

#: One more than a quick run has.
MANY = [f"user {number}" for number in range(MAX_QUICK_USERS + 1)]


def test_a_trigger_opens_a_run(store: Store) -> None:
    """A trigger becomes a run that is being read, and its first page has to be asked for."""
    opened = store.triggers.open(request(mode=Mode.DELTA, dry_run=True, users=["anna", "bo"]), "event")
    run = opened.run
    assert (opened.new, opened.needs_first_page) == (True, True)
    assert (run.tenant, run.mode, run.dry_run, run.users) == (TENANT, Mode.DELTA, True, ("anna", "bo"))
    assert (run.status, run.attempt, run.cause, run.finished) == (Status.READING, 1, None, None)
    assert run.started.utcoffset() is not None
    assert store.runs.get(run.id) == run == store.triggers.find_run("event")


def test_the_same_event_is_the_same_run(store: Store) -> None:
    """P4: an event that comes again leads to the run that it led to, also when that is long done."""
    run = begin_run(store, "event", "anna")
    complete(store, run)
    again = store.triggers.open(request(), "event")
    assert (again.run.id, again.new, again.needs_first_page) == (run.id, False, False)


def test_a_first_page_that_was_never_asked_for(store: Store) -> None:
    """A crash between opening a run and asking for its first page is mended by the event's redelivery."""
    run = store.triggers.open(request(), "event").run
    assert store.triggers.open(request(), "event").needs_first_page
    store.pages.mark_done(page(run), users=0)
    assert not store.triggers.open(request(), "event").needs_first_page


@pytest.mark.parametrize("key", ["ingenstans", TENANT])
def test_a_trigger_for_nobody_is_permanent(store: Store, key: str) -> None:
    """An unknown tenant and a disabled one end as dead letters with different reasons."""
    store.tenants.change(TENANT, {"enabled": False})
    with pytest.raises(PermanentError) as caught:
        store.triggers.open(request(key), "event")
    expected = Reason.INVALID_TRIGGER if key == TENANT else Reason.UNKNOWN_TENANT
    assert caught.value.reason is expected
    assert store.runs.list() == []


@pytest.mark.parametrize(
    ("running", "requested"),
    [
        (request(), request()),
        (request(), request(users=MANY)),
        (request(), request(mode=Mode.DELTA)),
        (request(mode=Mode.DELTA), request(mode=Mode.DELTA)),
        (request(users=["anna", "bo"]), request(users=["bo", "anna"])),
        (request(dry_run=True), request(dry_run=True)),
    ],
)
def test_a_trigger_joins_a_run_that_covers_it(
    store: Store, running: SyncRequest, requested: SyncRequest
) -> None:
    """A trigger whose wish an open run fulfils opens none, and is remembered as that run's."""
    run = store.triggers.open(running, "first").run
    joined = store.triggers.open(requested, "second")
    assert (joined.run.id, joined.new) == (run.id, False)
    found = store.triggers.find_run("second")
    assert found is not None
    assert found.id == run.id


@pytest.mark.parametrize(
    ("running", "requested"),
    [
        (request(dry_run=True), request()),
        (request(), request(dry_run=True)),
        (request(mode=Mode.DELTA), request()),
        (request(users=MANY), request()),
        (request(users=MANY), request(users=[*MANY, "bo"])),
    ],
)
def test_a_trigger_waits_for_a_run_that_does_something_else(
    store: Store, running: SyncRequest, requested: SyncRequest
) -> None:
    """A trigger that the open run does not fulfil waits, and gets its own run once that is done."""
    run = store.triggers.open(running, "first").run
    with pytest.raises(NotYetError) as caught:
        store.triggers.open(requested, "second")
    assert caught.value.retry_after == pytest.approx(15)
    assert store.triggers.find_run("second") is None
    complete(store, run)
    assert store.triggers.open(requested, "second").new


@pytest.mark.parametrize("running", [request(), request(mode=Mode.DELTA), request(users=["bo"])])
def test_a_quick_run_goes_beside_others(store: Store, running: SyncRequest) -> None:
    """A request for a few users waits for no other run and joins none; nor does another one wait for it."""
    run = store.triggers.open(running, "first").run
    quick = store.triggers.open(request(users=["anna"]), "second")
    assert (quick.new, quick.run.is_quick) == (True, True)
    complete(store, run)
    assert store.triggers.open(running, "third").new
    assert store.runs.get(quick.run.id).status is Status.READING


def test_a_quick_run_is_joined_before_it_is_done(store: Store) -> None:
    """A second request for a user joins the quick run that still waits, and not one that is done with it."""
    run = begin_run(store, "first", "anna", "bo", quick=True)
    assert run.is_quick
    assert store.triggers.open(request(users=["anna"]), "second").run.id == run.id
    store.receipts.finish(run.id, "anna", result(Outcome.UNCHANGED))
    assert store.triggers.open(request(users=["anna"]), "third").new
    assert store.triggers.open(request(users=["bo"]), "fourth").run.id == run.id


def test_a_quick_run_and_an_undo_wait_for_each_other(store: Store) -> None:
    """What an undo takes back no quick run writes at the same time."""
    undone = begin_run(store, "first", "anna")
    store.receipts.finish(undone.id, "anna", result(Outcome.UPDATED))
    complete(store, undone)
    undo = dataclasses.replace(request(mode=Mode.UNDO), reverts_run_id=undone.id)
    quick = store.triggers.open(request(users=["anna"]), "second").run
    with pytest.raises(NotYetError):
        store.triggers.open(undo, "third")
    store.runs.cancel(quick.id)
    assert store.triggers.open(undo, "third").new
    with pytest.raises(NotYetError):
        store.triggers.open(request(users=["anna"]), "fourth")


def test_tenants_do_not_wait_for_each_other(store: Store) -> None:
    """P7: each tenant has an open run of its own."""
    store.tenants.add(tenant("grannkommun"), CLIENT_SECRET)
    assert store.triggers.open(request(), "first").new
    assert store.triggers.open(request("grannkommun"), "second").new


def test_triggers_at_once_open_one_run(store: Store, second_store: Store) -> None:
    """P4: of triggers that come in the same moment one opens a run, and the others join it."""
    events = [f"event {number}" for number in range(8)]
    actions = [
        lambda event=event, books=books: books.triggers.open(request(), event)
        for event, books in zip(events, itertools.cycle([store, second_store]), strict=False)
    ]
    opened = [one for one in run_concurrently(*actions) if isinstance(one, OpenedRun)]
    assert len(opened) == len(events)
    assert len({one.run.id for one in opened}) == 1
    assert [one.new for one in opened].count(True) == 1


def test_one_event_delivered_twice_at_once_is_one_run(store: Store, second_store: Store) -> None:
    """P4: two deliveries of one event in the same moment lead to the same run."""
    for number in range(10):
        event = f"event {number}"

        def deliver(books: Store = store, event: str = event) -> OpenedRun:
            return books.triggers.open(request(), event)

        def deliver_elsewhere(books: Store = second_store, event: str = event) -> OpenedRun:
            return books.triggers.open(request(), event)

        opened = [one for one in run_concurrently(deliver, deliver_elsewhere) if isinstance(one, OpenedRun)]
        assert len(opened) == 2
        assert opened[0].run.id == opened[1].run.id
        complete(store, opened[0].run)


def test_a_run_is_halted_once(store: Store, second_store: Store) -> None:
    """P7: of many workers that find the credentials refused, one halts the run, with one cause."""
    run = begin_run(store, "event", "anna")

    def halt(books: Store) -> bool:
        return books.runs.halt(run.id, Cause.SKOLON_CREDENTIALS, "HTTP 401")

    halts = run_concurrently(*[lambda books=books: halt(books) for books in [store, second_store] * 4])
    assert halts.count(True) == 1
    assert halts.count(False) == 7
    halted = store.runs.get(run.id)
    assert (halted.status, halted.cause, halted.detail) == (
        Status.HALTED,
        Cause.SKOLON_CREDENTIALS,
        "HTTP 401",
    )
    assert halted.finished is not None


@pytest.mark.parametrize(
    "database_with_tables", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True
)
def test_the_guard_does_not_halt_what_is_let_through_at_that_moment(
    store: Store, database_with_tables: str
) -> None:
    """A worker that found the limit exceeded before an operator's answer halts the run no more after it."""
    run = begin_run(store, "e1", "anna")
    address = database_with_tables.replace("+psycopg", "")
    with psycopg.connect(address) as operator, ThreadPoolExecutor(1) as threads:
        operator.execute("UPDATE runs SET guard_overridden = true WHERE id = %s", [run.id])
        halting = threads.submit(store.runs.halt, run.id, Cause.GUARD_EXCEEDED, "too many")
        with psycopg.connect(address, autocommit=True) as observer:
            wait_for_lock_waiters(observer)
        operator.commit()
        assert not halting.result(TOGETHER)
    assert store.runs.get(run.id).status is Status.READING


def test_what_has_ended_is_not_halted(store: Store) -> None:
    """A message that comes late halts no run that is complete or cancelled, and none that never was."""
    run = begin_run(store, "event", "anna")
    complete(store, run)
    other = begin_run(store, "second_store")
    assert store.runs.cancel(other.id)
    for number in (run.id, other.id, other.id + 1000):
        assert not store.runs.halt(number, Cause.BUG, "late")
        assert not store.runs.complete_if_done(number)
    assert store.runs.get(run.id).status is Status.COMPLETED
    assert not store.runs.cancel(run.id)


def test_a_halted_run_can_be_cancelled(store: Store) -> None:
    """A halted run can be cancelled."""
    run = begin_run(store, "event", "anna")
    store.runs.halt(run.id, Cause.BUG, "a bug")
    assert store.runs.cancel(run.id)
    assert store.runs.get(run.id).status is Status.CANCELLED


def test_a_run_halted_while_reading_reads_afresh(store: Store) -> None:
    """A run that had not read its last page goes back to reading, in a scan of its own."""
    run = begin_run(store, "event", "anna")
    store.runs.halt(run.id, Cause.ENTRA_CREDENTIALS, "secret expired")
    resumed = store.runs.resume(run.id)
    assert (resumed.status, resumed.attempt) == (Status.READING, run.attempt + 1)
    assert (resumed.cause, resumed.detail, resumed.finished) == (None, None, None)
    assert store.pages.should_read(page(run, attempt=resumed.attempt))


def test_a_crash_after_a_resumption_is_mended(store: Store) -> None:
    """P8: a crash between resuming a run and asking for its first page leaves no run stuck.

    The next trigger that joins it asks for the page, and so does resuming it once more.
    """
    run = begin_run(store, "event", "anna")
    store.pages.mark_done(page(run), users=1)
    store.runs.halt(run.id, Cause.ENTRA_CREDENTIALS, "secret expired")
    resumed = store.runs.resume(run.id)
    assert store.triggers.open(request(), "second_store").needs_first_page
    store.pages.mark_done(page(run, attempt=resumed.attempt), users=1)
    assert not store.triggers.open(request(), "a third").needs_first_page
    assert store.runs.resume(run.id).attempt == resumed.attempt + 1


def test_a_run_halted_while_updating_goes_on_updating(store: Store) -> None:
    """A run with a complete list is not read again, and completes when its pending users are done."""
    run = begin_run(store, "event", "anna", "bo")
    store.runs.finish_reading(run.id)
    store.receipts.finish(run.id, "anna", result(Outcome.UNCHANGED))
    store.runs.halt(run.id, Cause.SKOLON_CREDENTIALS, "HTTP 401")
    assert store.runs.resume(run.id).status is Status.UPDATING
    assert list(store.runs.pending_users(run.id)) == ["bo"]
    store.receipts.finish(run.id, "bo", result(Outcome.UNCHANGED))
    assert store.runs.complete_if_done(run.id)


def test_a_run_that_has_ended_is_not_resumed(store: Store) -> None:
    """A run that has ended cannot be resumed; the text says what it is."""
    run = begin_run(store, "event")
    store.runs.cancel(run.id)
    with pytest.raises(UsageError, match="cancelled"):
        store.runs.resume(run.id)
    with pytest.raises(UsageError, match="no run"):
        store.runs.resume(run.id + 1000)


def test_a_run_is_not_resumed_beside_another(store: Store) -> None:
    """A tenant has one open run at most: a halted one is not resumed beside it, and stays halted."""
    halted = begin_run(store, "first")
    store.runs.halt(halted.id, Cause.BUG, "a bug")
    running = begin_run(store, "second")
    with pytest.raises(UsageError, match="open"):
        store.runs.resume(halted.id)
    assert store.runs.get(halted.id).status is Status.HALTED
    complete(store, running)
    assert store.runs.resume(halted.id).status is Status.READING


def test_a_run_is_complete_when_nobody_is_pending(store: Store) -> None:
    """P3: a run is complete when its list is complete and no user is pending, and not before."""
    run = begin_run(store, "event", "anna", "bo")
    store.receipts.finish(run.id, "anna", result(Outcome.UNCHANGED))
    store.receipts.mark_dead_lettered(run.id, "bo", dead_letter(), 1)
    assert not store.runs.complete_if_done(run.id)
    store.runs.finish_reading(run.id)
    assert store.runs.complete_if_done(run.id)
    assert not store.runs.complete_if_done(run.id)
    summary = store.runs.summary(run.id)
    assert (summary.run.status, summary.published, summary.pending) == (Status.COMPLETED, 2, 0)
    assert summary.run.finished is not None
    assert summary.counts == {Outcome.UNCHANGED: 1, Outcome.DEAD_LETTERED: 1}
    assert summary.reasons == {Reason.INVALID_USER: 1}


def test_a_run_with_somebody_pending_is_not_complete(store: Store) -> None:
    """P3: a run that has been read to the end waits for its last user."""
    run = begin_run(store, "event", "anna", "bo")
    store.runs.finish_reading(run.id)
    assert not store.runs.complete_if_done(run.id)
    store.receipts.finish(run.id, "anna", result(Outcome.UNCHANGED))
    assert not store.runs.complete_if_done(run.id)
    assert store.runs.get(run.id).status is Status.UPDATING
    store.receipts.mark_dead_lettered(run.id, "bo", dead_letter(), 1)
    assert store.runs.complete_if_done(run.id)


def test_the_last_ones_at_once_complete_the_run(store: Store, second_store: Store) -> None:
    """P3: when the last users are done in the same moment, exactly one of them completes the run."""
    for number in range(15):
        run = begin_run(store, f"event {number}", "anna", "bo")
        store.runs.finish_reading(run.id)

        def last(books: Store, user: str, run_id: int = run.id) -> bool:
            assert books.receipts.finish(run_id, user, result(Outcome.UNCHANGED))
            return books.runs.complete_if_done(run_id)

        done = run_concurrently(lambda: last(store, "anna"), lambda: last(second_store, "bo"))
        assert sorted(map(str, done)) == ["False", "True"]
        assert store.runs.get(run.id).status is Status.COMPLETED


def test_the_last_page_and_the_last_user_at_once_complete_the_run(store: Store, second_store: Store) -> None:
    """P3: nor is a run missed whose last user is done while its last page is."""
    for number in range(15):
        run = begin_run(store, f"event {number}", "anna")

        def read(run_id: int = run.id) -> bool:
            store.runs.finish_reading(run_id)
            return store.runs.complete_if_done(run_id)

        def update(run_id: int = run.id) -> bool:
            second_store.receipts.finish(run_id, "anna", result(Outcome.UNCHANGED))
            return second_store.runs.complete_if_done(run_id)

        assert sorted(map(str, run_concurrently(read, update))) == ["False", "True"]


def test_runs_are_listed_newest_first(store: Store) -> None:
    """Runs come newest first, each with its own sums, of one tenant when asked, and as many as asked."""
    store.tenants.add(tenant("grannkommun"), CLIENT_SECRET)
    first = begin_run(store, "first", "anna")
    complete(store, first)
    second = begin_run(store, "second", "anna", "bo")
    theirs = begin_run(store, "third", key="grannkommun")
    listed = store.runs.list()
    assert [summary.run.id for summary in listed] == [theirs.id, second.id, first.id]
    assert [summary.published for summary in listed] == [0, 2, 1]
    assert [summary.run.id for summary in store.runs.list(TENANT)] == [second.id, first.id]
    assert [summary.run.id for summary in store.runs.list(limit=1)] == [theirs.id]


def test_pending_users_come_in_portions(store: Store) -> None:
    """P10: pending users can be read in pages, each user once."""
    users = [f"user-{number:02}" for number in range(25)]
    run = begin_run(store, "event", *reversed(users))
    store.receipts.finish(run.id, "user-03", result(Outcome.UNCHANGED))
    seen: list[str] = []
    while portion := store.runs.pending_users(run.id, seen[-1] if seen else "", limit=10):
        assert len(portion) <= 10
        seen += portion
    assert seen == [user for user in users if user != "user-03"]


#: More users than a share may vary by.
MANY = [f"user-{number:02}" for number in range(30)]


def read_all(
    store: Store, event: str, outcome: Outcome | SyncResult, *new: str, dry_run: bool = False
) -> int:
    """Read a list of users who all come to this outcome, up to the completion of the run.

    New ones are not found.
    """
    run = begin_run(store, event, *MANY, *new, dry_run=dry_run)
    store.delta_state.read_plan(run, "f" * 64)
    store.runs.finish_reading(run.id)
    for user in MANY:
        store.receipts.finish(run.id, user, outcome if isinstance(outcome, SyncResult) else result(outcome))
    for user in new:
        store.receipts.finish(run.id, user, result(Outcome.NOT_FOUND))
    return run.id


def test_new_users_that_skolon_lacks_halt_no_run(store: Store) -> None:
    """At the start of a school year many pupils are not in Skolon yet: full run after full run completes."""
    new = [f"new-{number:02}" for number in range(60)]
    assert store.runs.complete_if_done(read_all(store, "first", Outcome.UNCHANGED))
    assert store.runs.complete_if_done(read_all(store, "second", Outcome.UNCHANGED, *new))
    assert store.runs.complete_if_done(read_all(store, "third", Outcome.UNCHANGED, *new, "newest"))


@pytest.mark.parametrize("reason", [NotFoundReason.NO_MATCH_KEY, NotFoundReason.EXCLUDED_BY_DECISION])
def test_users_that_skolon_does_not_lack_halt_no_run(store: Store, reason: NotFoundReason) -> None:
    """Entra's values went blank, or an administrator decided it: that says nothing about Skolon's list."""
    assert store.runs.complete_if_done(read_all(store, "first", Outcome.UNCHANGED))
    lost = SyncResult(outcome=Outcome.NOT_FOUND, not_found_reason=reason)
    assert store.runs.complete_if_done(read_all(store, "second", lost))


def test_deltas_read_the_users_of_a_halted_run_again(store: Store) -> None:
    """A suspicious run has its users' outcomes: whichever Skolon gets back is brought up to date."""
    assert store.runs.complete_if_done(read_all(store, "first", Outcome.UNCHANGED))
    assert not store.runs.complete_if_done(read_all(store, "second", Outcome.NOT_FOUND))
    following = begin_run(store, "third")
    assert list(store.unresolved_users.due(following.id, limit=100)) == MANY


def test_a_run_that_finds_nearly_no_user_is_halted(store: Store) -> None:
    """A run is compared with the last complete one; it completes only once an operator lets it through."""
    assert store.runs.complete_if_done(read_all(store, "first", Outcome.UNCHANGED))
    suspicious = read_all(store, "second", Outcome.NOT_FOUND)

    assert not store.runs.complete_if_done(suspicious)

    halted = store.runs.get(suspicious)
    assert (halted.status, halted.cause) == (Status.HALTED, Cause.SUSPICIOUS_LIST)
    assert halted.finished is not None
    assert list(store.unresolved_users.due(suspicious, limit=100)) == []
    store.runs.resume(suspicious)
    assert not store.runs.complete_if_done(suspicious)
    store.guard_counters.override(suspicious)
    store.runs.resume(suspicious)
    assert store.runs.complete_if_done(suspicious)
    assert store.runs.complete_if_done(read_all(store, "third", Outcome.NOT_FOUND))


def test_only_runs_of_all_users_are_compared(store: Store) -> None:
    """A first run, a dry run and a run of named users may find as few as they like."""
    assert store.runs.complete_if_done(read_all(store, "first", Outcome.NOT_FOUND))
    assert store.runs.complete_if_done(read_all(store, "second", Outcome.UNCHANGED))
    assert store.runs.complete_if_done(read_all(store, "dry", Outcome.NOT_FOUND, dry_run=True))
    named = store.triggers.open(request(users=MANY), "named").run
    store.receipts.create_pending(named.id, MANY)
    complete(store, named)
