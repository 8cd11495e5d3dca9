"""How many people changed in which attributes, and what a halted run would have gone on to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from schemas.dead_letter_reasons import Reason
from schemas.outcomes import Cause, Outcome
from schemas.runs.changes import ChangeKind
from schemas.runs.sync_result import Forecast, SyncResult
from schemas.users.attributes import Attribute
from tests.contract.store.factories import begin_run, result

if TYPE_CHECKING:
    from store.store import Store

FILLED, CHANGED, ERASED = ChangeKind
EPPN, CITY = Attribute.EPPN, Attribute.CITY


def updated(outcome: Outcome, skolon_id: str, kinds: dict[Attribute, ChangeKind]) -> SyncResult:
    return SyncResult(outcome=outcome, skolon_id=skolon_id, changed=tuple(kinds), change_kinds=kinds)


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_run_counts_its_changes(store: Store, dry_run: bool) -> None:  # noqa: FBT001 - a kind of run
    """A run that claims, and a dry run that does not, have the same sums of the same changes."""
    people = {"anna": {EPPN: CHANGED, CITY: FILLED}, "bo": {EPPN: FILLED}, "cia": {CITY: ERASED}}
    run = begin_run(store, "r", *people, "dan", dry_run=dry_run)
    outcome = Outcome.WOULD_UPDATE if dry_run else Outcome.UPDATED
    for user, kinds in people.items():
        if not dry_run:
            old = {name: None if kind is FILLED else "x" for name, kind in kinds.items()}
            new = {name: None if kind is ERASED else "y" for name, kind in kinds.items()}
            store.claims.claim(run.id, user, f"s {user}", old, new_values=new)
        store.receipts.finish(run.id, user, updated(outcome, f"s {user}", kinds))
    store.receipts.finish(run.id, "dan", result(Outcome.UNCHANGED, "s dan"))

    sums = store.change_totals.for_run(run.id)

    assert (sums.users, sums.identity) == (3, 1)
    assert sums.attributes == {EPPN: {CHANGED: 1, FILLED: 1}, CITY: {FILLED: 1, ERASED: 1}}
    receipt = store.receipts.get(run.id, "anna")
    assert receipt is not None
    assert receipt.as_json()["changes"] == {"city": "filled", "eppn": "changed"}


def test_what_the_first_claim_has_noted_holds(store: Store) -> None:
    """P4: a second delivery that finds less to do, or nothing, does not change what the first one did."""
    run = begin_run(store, "r", "anna")
    store.claims.claim(run.id, "anna", "s1", {EPPN: None}, new_values={EPPN: "a@b"})
    store.claims.claim(run.id, "anna", "s1", {EPPN: "a@b", CITY: "x"}, new_values={EPPN: "c@d", CITY: "y"})
    store.receipts.finish(run.id, "anna", result(Outcome.UNCHANGED, "s1"))
    assert store.change_totals.for_run(run.id).attributes == {EPPN: {FILLED: 1}, CITY: {CHANGED: 1}}


def test_a_halted_run_shows_what_it_would_have_done(store: Store) -> None:
    """P3: who was looked at is pending as before, and counted by what would have become of them."""
    people = ["anna", "bo", "cia", "dan", "eva"]
    run = begin_run(store, "r", *people)
    store.receipts.finish(run.id, "eva", result(Outcome.NOT_FOUND))
    store.guard_counters.record_directory_size(run.id, 12)
    assert store.forecasts.for_run(run.id) is None
    store.runs.halt(run.id, Cause.GUARD_EXCEEDED, "too many")
    store.forecasts.record(run.id, "anna", Forecast(outcome=Outcome.UPDATED, change_kinds={EPPN: CHANGED}))
    store.forecasts.record(
        run.id, "bo", Forecast(outcome=Outcome.UPDATED, change_kinds={EPPN: CHANGED, CITY: FILLED})
    )
    store.forecasts.record(run.id, "cia", Forecast(outcome=Outcome.DEAD_LETTERED, reason=Reason.INVALID_USER))
    assert not store.forecasts.record(run.id, "eva", Forecast(outcome=Outcome.UPDATED))

    prospect = store.forecasts.for_run(run.id)

    assert prospect is not None
    assert prospect.outcomes == {Outcome.UPDATED: 2, Outcome.DEAD_LETTERED: 1}
    assert prospect.reasons == {Reason.INVALID_USER: 1}
    assert prospect.changes.attributes == {EPPN: {CHANGED: 2}, CITY: {FILLED: 1}}
    assert (prospect.not_evaluated, prospect.not_listed) == (1, 7)
    summary = store.runs.summary(run.id)
    assert (summary.pending, summary.published) == (4, 5)


def test_whoever_was_looked_at_is_not_looked_at_again(store: Store) -> None:
    """P4: a message that comes twice finds that what would become of its user has been noted."""
    run = begin_run(store, "r", "anna")
    store.runs.halt(run.id, Cause.GUARD_EXCEEDED, "too many")
    before = store.work_items.load(run.id, "anna")
    store.forecasts.record(run.id, "anna", Forecast(outcome=Outcome.UNCHANGED))
    after = store.work_items.load(run.id, "anna")
    assert before is not None
    assert after is not None
    assert (before.needs_forecast, after.needs_forecast) == (True, False)
    store.runs.cancel(run.id)
    assert store.forecasts.for_run(run.id) is not None


def test_only_the_guard_has_people_looked_at(store: Store) -> None:
    """A run that was halted for another cause shows nothing of the kind, and has nobody looked at."""
    run = begin_run(store, "r", "anna")
    store.runs.halt(run.id, Cause.SKOLON_CREDENTIALS, "no")
    begun = store.work_items.load(run.id, "anna")
    assert begun is not None
    assert not begun.needs_forecast
    assert store.forecasts.for_run(run.id) is None


def test_what_was_foreseen_is_no_change(store: Store) -> None:
    """When the run goes on after all, its sums are of what it did, not of what was foreseen."""
    run = begin_run(store, "r", "anna")
    store.runs.halt(run.id, Cause.GUARD_EXCEEDED, "too many")
    store.forecasts.record(run.id, "anna", Forecast(outcome=Outcome.UPDATED, change_kinds={EPPN: CHANGED}))
    store.runs.resume(run.id)
    store.claims.claim(run.id, "anna", "s1", {CITY: None}, new_values={CITY: "y"})
    store.receipts.finish(run.id, "anna", updated(Outcome.UPDATED, "s1", {CITY: FILLED}))
    assert store.change_totals.for_run(run.id).attributes == {CITY: {FILLED: 1}}
    assert store.forecasts.for_run(run.id) is None
