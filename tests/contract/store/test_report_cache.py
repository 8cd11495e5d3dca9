"""What is remembered of reports is what they would say if they were made anew, whatever has happened."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from schemas.dead_letter_reasons import Reason
from schemas.outcomes import Cause, Outcome
from schemas.runs.operation import OperationKind, OperationStatus
from store.maintenance.pruning import Limits
from tests.contract.store.factories import (
    CLIENT_SECRET,
    TENANT,
    begin_run,
    complete,
    dead_letter,
    result,
    tenant,
)

if TYPE_CHECKING:
    from store.store import Store

USERS = ("anna", "bo", "cecilia", "david")

NOW = dt.datetime.now(dt.UTC)

#: Before anything was verified, now, and after each of the periods of what is fresh.
MOMENTS = tuple(NOW + dt.timedelta(hours=hours) for hours in (-1, 0, 30, 24 * 7 + 6, 0))


def reports(store: Store, runs: list[int]) -> dict[str, Any]:
    """Return all that is remembered, of a tenant and of its runs."""
    known = [run for run in runs if run in store.runs.summaries(runs)]
    return {
        "summaries": store.runs.summaries(runs),
        "changes": [store.change_totals.for_run(run) for run in known],
        "exits": [store.scope_exits.for_run(run) for run in known],
        "failures": [store.failures.for_run(run) for run in known],
        "settled": [store.replays.settled_later(run) for run in known],
        "scope": store.scope_changes.by_tenant(),
        "users": [store.tenant_overviews.user_totals(moment, [TENANT, "annan"]) for moment in MOMENTS],
        "overview": store.tenant_overviews.load(NOW),
        "groups": store.open_failures.groups(TENANT, recently=NOW),
        "quality": store.data_quality.last(TENANT, 10),
    }


@dataclass(frozen=True, kw_only=True)
class Books:
    """The books as one process changes them, and as another one remembers them."""

    store: Store
    remembering: Store
    runs: list[int]

    def check(self) -> None:
        for _ in range(2):
            assert reports(self.remembering, self.runs) == reports(self.store, self.runs)

    def run(self, event: str, **outcomes: Outcome) -> int:
        run = begin_run(self.store, event, *USERS).id
        self.runs.append(run)
        self.check()
        for user, outcome in outcomes.items():
            if outcome is Outcome.DEAD_LETTERED:
                self.store.receipts.mark_dead_lettered(run, user, dead_letter(), 1)
            else:
                self.store.receipts.finish(run, user, result(outcome, f"s-{user}"))
            self.check()
        return run

    def complete(self, run: int) -> None:
        complete(self.store, self.store.runs.get(run))
        self.check()

    def replay(self, run: int, user: str, outcome: Outcome, *, is_killed: bool = False) -> int:
        operation = self.store.operations.start(OperationKind.REPLAY, selection={}, operator=None).id
        self.check()
        self.take_up(operation, run, user)
        if not is_killed:
            self.store.operations.finish(operation, OperationStatus.COMPLETED, {})
            self.check()
        self.finish(run, user, outcome)
        return operation

    def take_up(self, operation: int, run: int, user: str) -> None:
        assert self.store.replays.reopen(operation, [(run, user)])
        self.check()

    def finish(self, run: int, user: str, outcome: Outcome) -> None:
        self.store.receipts.finish(run, user, result(outcome, f"s-{user}"))
        self.check()


def test_what_is_remembered_is_right_after_each_change(store: Store, second_store: Store) -> None:
    """Runs, replays that are going on or were killed, a guard's question, its answer, and housekeeping."""
    second_store.report_cache.enable()
    store.tenants.add(tenant("annan", organisation="annan"), CLIENT_SECRET)
    books = Books(store=store, remembering=second_store, runs=[])
    books.check()
    first = books.run(
        "first", anna=Outcome.DEAD_LETTERED, bo=Outcome.UNCHANGED, cecilia=Outcome.DEAD_LETTERED
    )
    books.complete(first)
    books.replay(first, "anna", Outcome.UPDATED)
    books.replay(first, "cecilia", Outcome.UNCHANGED, is_killed=True)
    second = books.run("second", anna=Outcome.DEAD_LETTERED, bo=Outcome.DEAD_LETTERED, david=Outcome.UPDATED)
    assert store.runs.halt(second, Cause.GUARD_EXCEEDED, "made up")
    books.check()
    store.runs.resume(second)
    books.finish(second, "cecilia", Outcome.NOT_FOUND)
    books.complete(second)
    operation = books.replay(second, "bo", Outcome.UNCHANGED, is_killed=True)
    # By the same replay, which goes on.
    books.take_up(operation, second, "anna")
    books.finish(second, "anna", Outcome.UNCHANGED)
    store.runs.cancel(books.run("third", anna=Outcome.UNCHANGED))
    books.check()
    for each in store.operations.list():
        store.operations.finish(each.id, OperationStatus.COMPLETED, {})
    for limits in (Limits(receipts=MOMENTS[2], runs=NOW), Limits(receipts=MOMENTS[2], runs=MOMENTS[2])):
        list(store.pruning.prune(limits))
        books.check()
    assert store.receipts.get(first, "anna") is None, "nothing was removed"


def test_what_no_longer_changes_is_remembered(store: Store) -> None:
    """A complete run is counted once, and an open one at each look."""
    store.report_cache.enable()
    run = begin_run(store, "first", *USERS)
    assert store.runs.summary(run.id).counts is not store.runs.summary(run.id).counts
    store.receipts.mark_dead_lettered(run.id, "anna", dead_letter(Reason.VALUE_TAKEN), 1)
    complete(store, run)

    assert store.runs.summary(run.id).counts is store.runs.summary(run.id).counts
    groups = store.open_failures.groups(TENANT)
    assert store.open_failures.groups(TENANT) is groups
    assert [group.reason for group in groups] == [Reason.VALUE_TAKEN]
