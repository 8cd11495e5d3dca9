"""Housekeeping: what is old goes, and what anybody still stands on stays."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from schemas.messages.messages import SyncRequest
from schemas.outcomes import FINAL_OUTCOMES, VERIFYING_OUTCOMES, Cause, Mode, Outcome, Status
from schemas.reports.pruning import PruningCounts
from schemas.runs.operation import OperationKind, OperationStatus
from store import tables
from store.maintenance.pruning import BATCH_SIZE, Limits
from tests.contract.store.factories import (
    TENANT,
    begin_run,
    dead_letter,
    request,
    result,
    run_concurrently,
    tenant,
)

if TYPE_CHECKING:
    from schemas.runs.run import Run
    from store.store import Store

#: Everything that has happened is older than this.
TOMORROW: Final = dt.timedelta(days=1)


def limits(*, receipts: dt.datetime | None = None, runs: dt.datetime | None = None) -> Limits:
    """Return moments before which things are old: by default all that has happened is."""
    tomorrow = dt.datetime.now(dt.UTC) + TOMORROW
    return Limits(receipts=receipts or tomorrow, runs=runs or receipts or tomorrow)


def prune(store: Store, old: Limits | None = None, *, dry_run: bool = False) -> PruningCounts:
    return sum(store.pruning.prune(old or limits(), dry_run=dry_run), PruningCounts())


def settle(store: Store, run: Run, user: str, outcome: Outcome) -> None:
    if outcome is Outcome.DEAD_LETTERED:
        store.receipts.mark_dead_lettered(run.id, user, dead_letter(), 1)
    elif outcome is not Outcome.PENDING:
        store.receipts.finish(run.id, user, result(outcome))


def ended(  # noqa: PLR0913 - what a run can be
    store: Store,
    event: str,
    outcomes: dict[str, Outcome],
    *,
    status: Status = Status.COMPLETED,
    dry_run: bool = False,
    key: str = "exempelkommun",
) -> Run:
    """Have a run with these outcomes, brought to that status."""
    run = begin_run(store, event, *outcomes, dry_run=dry_run, key=key)
    for user, outcome in outcomes.items():
        settle(store, run, user, outcome)
    bring_to(store, run, status)
    return run


def bring_to(store: Store, run: Run, status: Status) -> None:
    match status:
        case Status.COMPLETED:
            store.runs.finish_reading(run.id)
            store.runs.complete_if_done(run.id)
        case Status.CANCELLED:
            store.runs.cancel(run.id)
        case Status.HALTED:
            store.runs.halt(run.id, Cause.BUG, "a bug")


def rows(store: Store, name: str) -> int:
    with store.database.transaction() as connection:
        return int(connection.scalar(select(func.count()).select_from(tables.metadata.tables[name])) or 0)


def has(store: Store, run: Run, user: str = "anna") -> bool:
    return store.receipts.get(run.id, user) is not None


def is_there(store: Store, run: Run) -> bool:
    return run.id in {summary.run.id for summary in store.runs.list(limit=1000)}


RIGHT: Final = {"anna": Outcome.UNCHANGED}


def test_the_newest_receipt_of_a_person_stays_and_older_ones_go(store: Store) -> None:
    """Of three runs with the same person only the newest receipt stays, and the runs that have none go."""
    runs = [ended(store, f"event {number}", RIGHT) for number in range(3)]
    assert prune(store) == PruningCounts(runs_examined=2, receipts=2, runs=2)
    assert [has(store, run) for run in runs] == [False, False, True]
    assert [is_there(store, run) for run in runs] == [False, False, True]


def test_what_is_not_old_stays(store: Store) -> None:
    """Receipts that were settled, and runs that ended, after the moment are left alone."""
    old = ended(store, "old", RIGHT)
    moment = dt.datetime.now(dt.UTC)
    young = ended(store, "young", RIGHT)
    newest = ended(store, "newest", RIGHT)
    assert prune(store, limits(receipts=moment)).receipts == 1
    assert [has(store, run) for run in (old, young, newest)] == [False, True, True]


def test_what_was_settled_late_is_not_old(store: Store) -> None:
    """A receipt that a replay settled just now stays, however long ago its run ended."""
    run = ended(store, "run", {"anna": Outcome.DEAD_LETTERED})
    moment = dt.datetime.now(dt.UTC)
    operation = store.operations.start(OperationKind.REPLAY, selection={}, operator=None).id
    store.replays.reopen(operation, [(run.id, "anna")])
    settle(store, run, "anna", Outcome.SUPERSEDED)
    store.operations.finish(operation, OperationStatus.COMPLETED, {})
    for number in range(2):
        ended(store, f"later {number}", RIGHT)
    assert prune(store, limits(receipts=moment, runs=moment)).receipts == 0
    assert has(store, run)


@pytest.mark.parametrize("status", [Status.READING, Status.UPDATING, Status.HALTED])
def test_runs_that_may_go_on_stay_whole(store: Store, status: Status) -> None:
    """An open run and a halted one keep every receipt; and theirs do not stand in for older ones."""
    older = ended(store, "older", RIGHT)
    run = begin_run(store, "run", "anna", "bo")
    settle(store, run, "anna", Outcome.UNCHANGED)
    if status is Status.UPDATING:
        store.runs.finish_reading(run.id)
    bring_to(store, run, status)
    assert prune(store).receipts == 0
    assert has(store, older)
    assert has(store, run)
    assert has(store, run, "bo")


def test_the_last_complete_full_run_stays_whole(store: Store) -> None:
    """What reports are about stays, though a newer run of one person has told of her."""
    full = ended(store, "full", {"anna": Outcome.UNCHANGED, "bo": Outcome.NOT_FOUND})
    named = []
    for number in range(2):
        run = store.triggers.open(request(users=["anna"]), f"named {number}").run
        store.receipts.create_pending(run.id, ["anna"])
        settle(store, run, "anna", Outcome.UPDATED)
        bring_to(store, run, Status.COMPLETED)
        named.append(run)
    assert prune(store).receipts == 1
    assert [has(store, run) for run in (full, *named)] == [True, False, True]


def test_who_was_right_once_can_be_told_for_ever(store: Store) -> None:
    """The newest receipt that says that a person is right stays, and the newest of all as well."""
    right = ended(store, "right", RIGHT)
    dead = [ended(store, f"dead {number}", {"anna": Outcome.DEAD_LETTERED}) for number in range(3)]
    assert prune(store).receipts == 2
    assert [has(store, run) for run in (right, *dead)] == [True, False, False, True]


@pytest.mark.parametrize("outcome", [Outcome.PENDING, Outcome.SUPERSEDED])
def test_what_tells_nothing_does_not_stand_in_for_what_does(store: Store, outcome: Outcome) -> None:
    """A person who was left to a run that was cancelled is told of by the receipt from before."""
    telling = ended(store, "telling", {"anna": Outcome.NOT_FOUND})
    for number in range(2):
        ended(store, f"nothing {number}", {"anna": outcome}, status=Status.CANCELLED)
    prune(store)
    assert has(store, telling)


def test_a_dry_run_does_not_stand_in_for_one_that_writes(store: Store) -> None:
    """P4: a dry run that looked later has not written, so the receipt of the run that did stays."""
    real = ended(store, "real", RIGHT)
    dry = [ended(store, f"dry {number}", RIGHT, dry_run=True) for number in range(2)]
    ended(store, "somebody else's", {"bo": Outcome.UNCHANGED})
    assert prune(store).receipts == 1
    assert [has(store, run) for run in (real, *dry)] == [True, False, True]


def test_what_a_replay_has_in_hand_stays(store: Store) -> None:
    """Receipts of a running replay stay, so that it sees all results; then they are pruned."""
    run = ended(store, "run", {"anna": Outcome.DEAD_LETTERED, "bo": Outcome.DEAD_LETTERED})
    for number in range(2):
        ended(store, f"later {number}", {"anna": Outcome.UNCHANGED, "bo": Outcome.UNCHANGED})
    operation = store.operations.start(OperationKind.REPLAY, selection={}, operator=None).id
    store.replays.reopen(operation, [(run.id, "anna"), (run.id, "bo")])
    settle(store, run, "anna", Outcome.SUPERSEDED)
    prune(store)
    assert (has(store, run), has(store, run, "bo")) == (True, True)
    settle(store, run, "bo", Outcome.SUPERSEDED)
    store.operations.finish(operation, OperationStatus.COMPLETED, {})
    prune(store)
    assert not is_there(store, run)


def test_what_an_undo_puts_back_stays(store: Store) -> None:
    """While an undo of a run is open or halted, the run's receipts stay; then they go."""
    run = ended(store, "run", RIGHT)
    for number in range(2):
        ended(store, f"later {number}", RIGHT)
    undo = store.triggers.open(SyncRequest(tenant=TENANT, mode=Mode.UNDO, reverts_run_id=run.id), "undo").run
    prune(store)
    assert has(store, run)
    store.runs.cancel(undo.id)
    prune(store)
    assert not has(store, run)


def test_an_undo_does_not_let_a_failure_go(store: Store) -> None:
    """It says nothing about the fault: the user fails, and stays among those that fail."""
    run = ended(store, "run", {"anna": Outcome.DEAD_LETTERED})
    undo = store.triggers.open(SyncRequest(tenant=TENANT, mode=Mode.UNDO, reverts_run_id=run.id), "undo").run
    store.receipts.create_pending(undo.id, ["anna"])
    settle(store, undo, "anna", Outcome.UPDATED)
    store.runs.finish_reading(undo.id)
    assert store.runs.complete_if_done(undo.id)
    # Of the last run of all users each result stays in any case.
    ended(store, "later", {"bo": Outcome.UNCHANGED})
    prune(store)
    assert has(store, run)


def test_a_run_keeps_its_sums_and_events_until_it_is_old_itself(store: Store) -> None:
    """P3: with its receipts gone a run shows what it showed before; the same event is still the same run."""
    outcomes = {"anna": Outcome.UPDATED, "bo": Outcome.DEAD_LETTERED, "cleo": Outcome.PENDING}
    run = ended(store, "run", outcomes, status=Status.CANCELLED)
    for number in range(2):
        ended(store, f"later {number}", dict.fromkeys(outcomes, Outcome.UNCHANGED))
    before = store.runs.summary(run.id)
    old_runs = before.run.started
    assert prune(store, limits(runs=old_runs)) == PruningCounts(runs_examined=2, receipts=6)
    after = store.runs.summary(run.id)
    assert after.pruned == 3
    assert {**after.as_json(), "pruned": 0} == before.as_json()
    assert not store.triggers.open(request(), "run").new
    prune(store)
    assert not is_there(store, run)
    assert store.triggers.find_run("run") is None
    assert rows(store, "pruned_counts") == 0


def test_how_old_runs_read_goes_with_their_receipts(store: Store) -> None:
    """Pages and readings of ended runs go, those of others stay; the delta link survives them."""
    runs = [ended(store, f"event {number}", RIGHT) for number in range(2)]
    assert prune(store).pages == 0
    assert [is_there(store, run) for run in runs] == [False, True]


def test_a_dry_run_counts_and_removes_nothing(store: Store) -> None:
    """What a dry run counts is what the pruning after it removes."""
    for number in range(4):
        ended(store, f"event {number}", {"anna": Outcome.UNCHANGED, f"only {number}": Outcome.NOT_FOUND})
    receipts, runs = rows(store, "receipts"), rows(store, "runs")
    foreseen = prune(store, dry_run=True)
    assert foreseen.receipts == 3
    assert (rows(store, "receipts"), rows(store, "runs")) == (receipts, runs)
    assert prune(store) == foreseen


def test_large_runs_go_in_portions_and_may_be_left_at_any(store: Store) -> None:
    """P3, P10: stopped after its first portion, the sums are right, and the next pruning does the rest."""
    people = [f"user {number:05}" for number in range(BATCH_SIZE + 5)]
    run = begin_run(store, "large", *people)
    bring_to(store, run, Status.CANCELLED)
    for number in range(2):
        ended(store, f"later {number}", dict.fromkeys(people[:3], Outcome.UNCHANGED))
    full = begin_run(store, "full", *people)
    for user in people:
        settle(store, full, user, Outcome.UNCHANGED)
    bring_to(store, full, Status.COMPLETED)
    assert next(store.pruning.prune(limits())) == PruningCounts(receipts=BATCH_SIZE)
    assert store.runs.summary(run.id).pruned == BATCH_SIZE
    assert store.runs.summary(run.id).pending == len(people)
    assert prune(store).receipts == 5 + 2 * 3
    assert not is_there(store, run)


def test_two_at_once_remove_everything_once(store: Store, second_store: Store) -> None:
    """P3, P4: two prunings in the same moment together remove what one would have."""
    for number in range(6):
        ended(store, f"event {number}", {"anna": Outcome.UNCHANGED, "bo": Outcome.NOT_FOUND})
    old = limits(runs=dt.datetime.now(dt.UTC) - TOMORROW)
    results = run_concurrently(lambda: prune(store, old), lambda: prune(second_store, old))
    assert all(isinstance(result, PruningCounts) for result in results), results
    assert sum(result.receipts for result in results if isinstance(result, PruningCounts)) == 10
    for summary in store.runs.list():
        assert (summary.published, summary.counts[Outcome.UNCHANGED]) == (2, 1)


def test_tenants_have_nothing_to_do_with_each_other(store: Store) -> None:
    """The same Entra id in another tenant is another person."""
    store.tenants.add(tenant("grannkommun"), "made up")
    run = ended(store, "here", RIGHT)
    for number in range(2):
        ended(store, f"there {number}", RIGHT, key="grannkommun")
    ended(store, "newest", {"bo": Outcome.UNCHANGED})
    prune(store)
    assert has(store, run)


USERS: Final = ("anna", "bo", "cleo")
EVENTS = count()


@dataclass(frozen=True, kw_only=True)
class Past:
    """A run that was."""

    dry_run: bool
    status: Status
    outcomes: dict[str, Outcome]


PASTS = st.builds(
    Past,
    dry_run=st.booleans(),
    status=st.sampled_from([Status.COMPLETED, Status.CANCELLED, Status.HALTED]),
    outcomes=st.dictionaries(st.sampled_from(USERS), st.sampled_from(list(Outcome)), max_size=3),
)


def newest_of(store: Store, key: str, outcomes: tuple[Outcome, ...]) -> dict[str, int]:
    """Return in which run that writes each person of a tenant had one of these outcomes last."""
    receipts, runs, tenants = tables.receipts, tables.runs, tables.tenants
    query = (
        select(receipts.c.entra_id, func.max(receipts.c.run_id).label("run"))
        .join(runs, runs.c.id == receipts.c.run_id)
        .join(tenants, tenants.c.id == receipts.c.tenant_id)
        .where(tenants.c.key == key, receipts.c.outcome.in_(outcomes), ~runs.c.dry_run)
        .group_by(receipts.c.entra_id)
    )
    with store.database.transaction() as connection:
        return {row.entra_id: row.run for row in connection.execute(query)}


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pasts=st.lists(PASTS, max_size=7), young=st.integers(0, 3))
def test_any_history_keeps_what_it_has_to(store: Store, pasts: list[Past], young: int) -> None:
    """P3: whatever happened before, each person's newest receipt stays, and the newest right one; so do sums.

    A tenant of its own for each history; its last runs are younger than what is removed.
    """
    key = f"kommun-{next(EVENTS)}"
    store.tenants.add(tenant(key), "made up")
    moment = dt.datetime.now(dt.UTC)
    for number, past in enumerate(pasts):
        if number == len(pasts) - young:
            moment = dt.datetime.now(dt.UTC)
        # A dry run foresees, one that writes updates; a complete run has nobody pending.
        outcomes = {
            user: outcome
            for user, outcome in past.outcomes.items()
            if not (past.status is Status.COMPLETED and outcome is Outcome.PENDING)
        }
        ended(store, f"event {next(EVENTS)}", outcomes, status=past.status, dry_run=past.dry_run, key=key)
    if not young:
        moment = dt.datetime.now(dt.UTC)
    final, right = newest_of(store, key, FINAL_OUTCOMES), newest_of(store, key, VERIFYING_OUTCOMES)
    sums = {summary.run.id: summary.as_json() for summary in store.runs.list(key)}
    foreseen = prune(store, limits(receipts=moment, runs=moment - TOMORROW), dry_run=True)
    assert prune(store, limits(receipts=moment, runs=moment - TOMORROW)) == foreseen
    assert newest_of(store, key, FINAL_OUTCOMES) == final
    assert newest_of(store, key, VERIFYING_OUTCOMES) == right
    assert {summary.run.id: {**summary.as_json(), "pruned": 0} for summary in store.runs.list(key)} == sums
    # Now the runs as well: whoever has receipts stays, and nothing else changes.
    prune(store, limits(receipts=moment, runs=moment))
    assert newest_of(store, key, FINAL_OUTCOMES) == final
    for summary in store.runs.list(key):
        assert {**summary.as_json(), "pruned": 0} == sums[summary.run.id]
    store.tenants.remove(key)
