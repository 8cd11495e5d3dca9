"""What the books know of people across runs: who, how, and how fresh."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from sqlalchemy import update

from schemas.dead_letter_reasons import Reason
from schemas.outcomes import NotFoundReason, Outcome, Stage, Status
from schemas.reports.freshness import Freshness
from schemas.runs.collision import Collision
from schemas.runs.identity_digests import IdentityDigests
from schemas.runs.sync_result import Failure, SyncResult
from schemas.runs.verification import Verification
from store import tables
from tests.contract.store.factories import TENANT, begin_run, dead_letter, request, tenant

if TYPE_CHECKING:
    from schemas.runs.run import Run
    from store.store import Store


def close(store: Store, run: Run) -> None:
    store.runs.finish_reading(run.id)
    store.runs.complete_if_done(run.id)


def finish(store: Store, run: Run, user: str, outcome: Outcome, **result: object) -> None:
    store.receipts.finish(run.id, user, SyncResult(outcome=outcome, **result))  # type: ignore[arg-type]


def days_ago(store: Store, run: Run, days: int) -> None:
    """Have a run's receipts settled so many days ago."""
    moment = dt.datetime.now(dt.UTC) - dt.timedelta(days=days)
    receipts = tables.receipts
    with store.database.transaction() as connection:
        connection.execute(update(receipts).where(receipts.c.run_id == run.id).values(finished_at=moment))


def full_run(store: Store, event: str, **outcomes: Outcome) -> Run:
    run = begin_run(store, event, *outcomes)
    for user, outcome in outcomes.items():
        if outcome is Outcome.DEAD_LETTERED:
            store.receipts.mark_dead_lettered(run.id, user, dead_letter(), 1)
        else:
            finish(store, run, user, outcome)
    close(store, run)
    return run


def test_somebody_is_found_by_each_id(store: Store) -> None:
    """By Entra id, by EPPN in the last full run and since, by the Skolon user of any run; else nobody."""
    old = begin_run(store, "old", "anna", "bo")
    finish(store, old, "anna", Outcome.UNCHANGED, skolon_id="s1", digests=IdentityDigests(eppn="old mark"))
    finish(store, old, "bo", Outcome.UNCHANGED, skolon_id="s2", digests=IdentityDigests(eppn="bo"))
    close(store, old)
    new = begin_run(store, "new", "anna", "bo", "cleo")
    finish(store, new, "anna", Outcome.UNCHANGED, skolon_id="s2", digests=IdentityDigests(eppn="mark"))
    finish(store, new, "bo", Outcome.NOT_FOUND, digests=IdentityDigests(eppn="bo"))
    finish(store, new, "cleo", Outcome.NOT_FOUND, digests=IdentityDigests(eppn="bo"))
    close(store, new)
    people = store.user_history
    assert people.find_user_ids(TENANT, "anna", []) == ["anna"]
    assert people.find_by_skolon_id(TENANT, "s1") == ["anna"]
    assert people.find_by_skolon_id(TENANT, "s2") == ["anna", "bo"]
    assert people.find_user_ids(TENANT, "x@y", ["another key's", "mark"]) == ["anna"]
    assert people.find_user_ids(TENANT, "x@y", ["bo"]) == ["bo", "cleo"]
    assert people.find_user_ids(TENANT, "x@y", ["old mark"]) == []
    assert people.find_user_ids(TENANT, "nobody", []) == []
    store.tenants.add(tenant("grannkommun"), "made up")
    assert people.find_user_ids("grannkommun", "anna", ["mark"]) == []


def test_a_dead_letter_has_marks_as_well(store: Store) -> None:
    """Who came to no outcome is marked apart, so that an EPPN that two people share finds both."""
    run = begin_run(store, "run", "anna", "bo")
    finish(store, run, "anna", Outcome.UNCHANGED, digests=IdentityDigests(eppn="mark"))
    store.receipts.record_digests(run.id, "bo", IdentityDigests(eppn="mark"))
    store.receipts.mark_dead_lettered(run.id, "bo", dead_letter(), 1)
    close(store, run)
    assert store.user_history.find_user_ids(TENANT, "x@y", ["mark"]) == ["anna", "bo"]


def test_the_history_is_newest_first(store: Store) -> None:
    """What each run did about a person, and the newest that confirms although it is older than the list."""
    right = full_run(store, "right", anna=Outcome.UNCHANGED)
    dead = [full_run(store, f"dead {number}", anna=Outcome.DEAD_LETTERED) for number in range(3)]
    history = store.user_history.entries(TENANT, "anna")
    assert [entry.run for entry in history] == [dead[2].id, dead[1].id, dead[0].id, right.id]
    assert {entry.reason for entry in history[:3]} == {Reason.INVALID_USER}
    confirmed = store.user_history.last_verification(TENANT, "anna")
    assert confirmed is not None
    assert (confirmed.run, confirmed.status) == (right.id, Status.COMPLETED)
    assert store.user_history.last_verification(TENANT, "nobody") is None


def test_who_was_trusted_is_as_fresh_as_when_skolon_was_asked(store: Store) -> None:
    """A receipt that trusts an earlier one confirms nothing anew, however new it is."""
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    asked = now - dt.timedelta(days=3)
    run = begin_run(store, "trusting", "anna", "bo")
    confirmed = Verification(fingerprint="trace", verified_at=asked)
    finish(store, run, "anna", Outcome.UNCHANGED, skolon_id="s1", verification=confirmed)
    finish(
        store, run, "bo", Outcome.UNCHANGED, skolon_id="s2", verification=Verification(fingerprint="other")
    )
    close(store, run)
    fresh = store.tenant_overviews.user_totals(now, [TENANT])[TENANT]
    assert (fresh.within_day, fresh.within_week, fresh.oldest) == (1, 2, asked)
    entry = store.user_history.last_verification(TENANT, "anna")
    assert entry is not None
    assert entry.at == asked


def test_freshness_counts_who_is_to_be_verified(store: Store) -> None:
    """Of those who are to be in Skolon it counts who was verified when; deltas and named runs count too.

    A user that has failed since is not verified, whenever that was before.
    """
    first = full_run(
        store, "1", anna=Outcome.UNCHANGED, bo=Outcome.UPDATED, cleo=Outcome.UNCHANGED, gone=Outcome.UNCHANGED
    )
    days_ago(store, first, 10)
    second = full_run(
        store,
        "2",
        anna=Outcome.UNCHANGED,
        bo=Outcome.DEAD_LETTERED,
        cleo=Outcome.DEAD_LETTERED,
        dora=Outcome.DEAD_LETTERED,
        elin=Outcome.NOT_FOUND,
        finn=Outcome.OUT_OF_SCOPE,
        gone=Outcome.UNCHANGED,
    )
    days_ago(store, second, 3)
    named = store.triggers.open(request(users=["cleo", "gone"]), "3").run
    store.receipts.create_pending(named.id, ["cleo", "gone"])
    finish(store, named, "cleo", Outcome.UPDATED)
    finish(store, named, "gone", Outcome.OUT_OF_SCOPE)
    close(store, named)
    dry = begin_run(store, "4", "bo", dry_run=True)
    finish(store, dry, "bo", Outcome.UNCHANGED)
    close(store, dry)
    now = dt.datetime.now(dt.UTC)
    totals = store.tenant_overviews.user_totals(now, [TENANT])[TENANT]
    found = Freshness(tenant=TENANT, totals=totals)
    assert (totals.run, found.users, totals.not_found, totals.out_of_scope) == (second.id, 7, 1, 2)
    assert (totals.expected, totals.within_day, totals.within_week, totals.in_sync) == (4, 1, 2, 2)
    assert totals.oldest is not None
    assert (now - totals.oldest).days == 3
    assert found.as_json()["failed"] == 2


def test_a_tenant_without_a_full_run_is_not_fresh(store: Store) -> None:
    """The counts are empty before a run has read all users."""
    totals = store.tenant_overviews.user_totals(dt.datetime.now(dt.UTC), [TENANT])[TENANT]
    found = Freshness(tenant=TENANT, totals=totals)
    assert (totals.run, found.users, found.share(0)) == (None, 0, None)
    assert store.data_quality.last(TENANT, 10) is None


def test_the_report_names_who_shares_what(store: Store) -> None:
    """Collisions, equal marks, who has no key, is not found or ambiguous: each by itself, and limited."""
    run = begin_run(store, "run", *"abcdefg")
    finish(store, run, "a", Outcome.UNCHANGED, skolon_id="s1", digests=IdentityDigests(eppn="1", ssn="9"))
    finish(store, run, "b", Outcome.NOT_FOUND, digests=IdentityDigests(eppn="2", ssn="9"))
    finish(store, run, "c", Outcome.NOT_FOUND, digests=IdentityDigests(eppn="2"))
    finish(
        store,
        run,
        "d",
        Outcome.NOT_FOUND,
        not_found_reason=NotFoundReason.NO_MATCH_KEY,
        digests=IdentityDigests(),
    )
    finish(
        store,
        run,
        "e",
        Outcome.NOT_FOUND,
        not_found_reason=NotFoundReason.NO_LONGER_IN_SKOLON,
        digests=IdentityDigests(),
    )
    collided = Collision(holder_entra_id="a", skolon_id="s1")
    store.receipts.record_digests(run.id, "f", IdentityDigests(eppn="1"))
    why = Failure(reason=Reason.COLLISION, stage=Stage.MATCH, detail="taken", collision=collided)
    store.receipts.mark_dead_lettered(run.id, "f", why, 1)
    ambiguous = Failure(reason=Reason.AMBIGUOUS_MATCH, stage=Stage.MATCH, detail="2 Skolon users")
    store.receipts.mark_dead_lettered(run.id, "g", ambiguous, 1)
    close(store, run)
    found = store.data_quality.last(TENANT, 10)
    assert found is not None
    assert (found.collisions.count, found.collisions.users) == (1, [("f", collided)])
    assert sorted(map(list, found.same_eppn.groups)) == [["a", "f"], ["b", "c"]]
    assert (found.same_number.count, found.same_number.groups) == (1, [["a", "b"]])
    assert found.no_match_key.users == [("d", None)]
    assert [user for user, _ in found.not_found.users] == ["b", "c", "e"]
    assert found.ambiguous.users == [("g", "2 Skolon users")]
    limited = store.data_quality.last(TENANT, 1)
    assert limited is not None
    assert (limited.not_found.count, len(limited.not_found.users)) == (3, 1)
    assert (limited.same_eppn.count, len(limited.same_eppn.groups)) == (2, 1)
    assert len(limited.same_eppn.groups[0]) == 2


def test_the_report_has_who_left_entra(store: Store) -> None:
    """Of the users that were in Skolon before: not those who are still there, under whichever id in Entra."""
    before = begin_run(store, "before", *"abcde")
    for number, user in enumerate("abcd"):
        finish(store, before, user, Outcome.UNCHANGED, skolon_id=f"s{number}")
    finish(store, before, "e", Outcome.NOT_FOUND)
    close(store, before)
    assert _left(store) == []
    now = begin_run(store, "now", *"ax")
    finish(store, now, "a", Outcome.NOT_FOUND)
    finish(store, now, "x", Outcome.UPDATED, skolon_id="s1")
    close(store, now)
    assert _left(store) == [("c", "s2"), ("d", "s3")]
    assert _left(store, 1) == [("c", "s2")]


def _left(store: Store, limit: int = 10) -> list[tuple[str, str]]:
    found = store.data_quality.last(TENANT, limit)
    assert found is not None
    assert found.left_entra.count >= len(found.left_entra.users)
    return list(found.left_entra.users)
