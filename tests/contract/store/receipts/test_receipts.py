"""Receipts: one for each user of a run, pending until it is final, and final once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import create_engine, text

from schemas.dead_letter_reasons import Reason
from schemas.errors import HaltError, NotYetError
from schemas.outcomes import Cause, NotFoundReason, Outcome, Stage, Status
from schemas.runs.changes import ONE_FAILED
from schemas.runs.collision import Collision
from schemas.runs.operation import OperationKind
from schemas.runs.sync_result import Failure, SyncResult
from schemas.users.attributes import Attribute
from store.receipts.collisions import CollisionError
from store.runs.guard_counters import Increment
from tests.contract.store.factories import (
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
    from schemas.runs.changes import GuardCounts
    from schemas.runs.run import Run
    from store.receipts.work_items import WorkItem
    from store.store import Store


def begun(store: Store, run: Run, user: str) -> WorkItem:
    found = store.work_items.load(run.id, user)
    assert found is not None
    return found


def grow_old(database_with_tables: str, run: Run) -> None:
    """Let six minutes go by for the claims of a run."""
    engine = create_engine(database_with_tables)
    earlier = (
        "datetime(claimed_at, '-6 minutes')"
        if engine.dialect.name == "sqlite"
        else "claimed_at - interval '6 minutes'"
    )
    with engine.begin() as connection:
        connection.execute(
            text(f"UPDATE receipts SET claimed_at = {earlier} WHERE run_id = :run"),  # noqa: S608 - ours
            {"run": run.id},
        )
    engine.dispose()


def test_published_users_are_pending(store: Store) -> None:
    """P3: each published user has a pending receipt, and is counted once however often it comes."""
    run = begin_run(store, "event")
    assert store.receipts.create_pending(run.id, ["anna", "bo"]) == {"anna", "bo"}
    assert store.receipts.create_pending(run.id, ["bo", "cecilia", "bo"]) == {"bo", "cecilia"}
    assert store.receipts.create_pending(run.id, []) == set()
    assert store.runs.summary(run.id).counts == {Outcome.PENDING: 3}


def test_who_is_done_is_not_published_again(store: Store) -> None:
    """P4: a page that is read twice publishes only users without an outcome."""
    run = begin_run(store, "event", "anna", "bo", "cecilia")
    store.receipts.finish(run.id, "anna", result(Outcome.UNCHANGED))
    store.receipts.mark_dead_lettered(run.id, "bo", dead_letter(), 1)
    assert store.receipts.create_pending(run.id, ["anna", "bo", "cecilia"]) == {"cecilia"}
    assert store.runs.summary(run.id).published == 3


def test_a_full_page_is_published(store: Store) -> None:
    """Graph's largest page, 999 users, is published at once."""
    run = begin_run(store, "event")
    users = [f"user-{number}" for number in range(999)]
    assert store.receipts.create_pending(run.id, users) == set(users)
    assert store.runs.summary(run.id).published == 999


def test_one_page_published_twice_at_once(store: Store, second_store: Store) -> None:
    """P4: two deliveries of one page, in whatever order their users come, write each receipt once."""
    run = begin_run(store, "event")
    users = [f"user-{number}" for number in range(300)]
    both = run_concurrently(
        lambda: store.receipts.create_pending(run.id, users),
        lambda: second_store.receipts.create_pending(run.id, users[::-1]),
    )
    assert [one for one in both if one != set(users) and not isinstance(one, NotYetError)] == []
    assert store.receipts.create_pending(run.id, users) == set(users)
    assert store.runs.summary(run.id).published == 300


def test_nobody_is_published_after_the_end(store: Store) -> None:
    """P3: a complete run stays complete when its last page is redelivered with a new user."""
    run = begin_run(store, "event", "anna")
    complete(store, run)
    with pytest.raises(NotYetError):
        store.receipts.create_pending(run.id, ["anna", "bo"])
    assert store.runs.summary(run.id).pending == 0


def test_a_worker_learns_what_it_has_to_know(store: Store) -> None:
    """A pending user's receipt, run and tenant are known before any work begins."""
    store.tenants.change(TENANT, {"name": "Nyby"})
    run = begin_run(store, "event", "anna", dry_run=True)
    found = begun(store, run, "anna")
    assert (found.tenant, found.tenant_version, found.dry_run) == (TENANT, 2, True)
    assert (found.status, found.outcome) == (Status.READING, Outcome.PENDING)
    assert (found.claimed, found.superseded, found.other_run_active) == (False, False, False)


def test_nobody_is_begun_who_was_not_published(store: Store) -> None:
    """A message for a run or a user that is not in the books begins nothing."""
    run = begin_run(store, "event", "anna")
    assert store.work_items.load(run.id, "bo") is None
    assert store.work_items.load(run.id + 1000, "anna") is None
    assert not store.receipts.finish(run.id, "bo", result(Outcome.UNCHANGED))
    assert not store.receipts.mark_dead_lettered(run.id, "bo", dead_letter(), 1)
    assert store.receipts.get(run.id, "bo") is None


def test_a_failure_is_recorded_and_counted_at_once(store: Store) -> None:
    """P7: a dead letter that goes beyond a limit is one all the same; a redelivered one is not counted."""
    run = begin_run(store, "event", "anna", "bo")

    def at_most_one(counts: GuardCounts, *_sizes: object) -> None:
        if counts.failed > 1:
            raise HaltError(Cause.GUARD_EXCEEDED, "too many")

    one = Increment(run_id=run.id, counts=ONE_FAILED, check_limits=at_most_one)
    assert store.receipts.mark_dead_lettered(run.id, "anna", dead_letter(), 1, counted=one)
    assert not store.receipts.mark_dead_lettered(run.id, "anna", dead_letter(), 1, counted=one)
    with pytest.raises(HaltError):
        store.receipts.mark_dead_lettered(run.id, "bo", dead_letter(), 1, counted=one)
    assert store.runs.summary(run.id).counts == {Outcome.DEAD_LETTERED: 2}
    assert store.guard_counters.counts(run.id).failed == 2


def test_an_outcome_is_final(store: Store) -> None:
    """P4: the first outcome stays, whatever a second delivery says."""
    run = begin_run(store, "event", "anna", "bo")
    assert store.receipts.finish(run.id, "anna", result(Outcome.NOT_FOUND))
    assert not store.receipts.finish(run.id, "anna", result(Outcome.UPDATED, "s1"))
    assert not store.receipts.mark_dead_lettered(run.id, "anna", dead_letter(), 3)
    assert store.receipts.mark_dead_lettered(run.id, "bo", dead_letter(), 3)
    assert not store.receipts.finish(run.id, "bo", result(Outcome.UNCHANGED, "s2"))
    assert begun(store, run, "anna").outcome is Outcome.NOT_FOUND
    assert begun(store, run, "bo").outcome is Outcome.DEAD_LETTERED


def test_deliveries_at_once_finish_once(store: Store, second_store: Store) -> None:
    """P4: of several deliveries of one user in the same moment one writes the outcome."""
    for number in range(10):
        run = begin_run(store, f"event {number}", "anna")

        def finish(books: Store, run_id: int = run.id) -> bool:
            return books.receipts.finish(run_id, "anna", result(Outcome.UNCHANGED, "s1")) is not None

        finished = run_concurrently(*[lambda b=b: finish(b) for b in (store, second_store, store)])
        assert sorted(map(str, finished)) == ["False", "False", "True"]
        complete(store, run)


def test_a_receipt_says_what_became_of_the_user(store: Store) -> None:
    """A receipt holds the outcome, what changed, which Skolon user it was, and when."""
    run = begin_run(store, "event", "anna")
    changed = (Attribute.CITY, Attribute.EMAIL)
    store.receipts.finish(
        run.id,
        "anna",
        SyncResult(
            outcome=Outcome.WOULD_UPDATE, skolon_id="s1", changed=changed, detail="birth date not read"
        ),
    )
    receipt = store.receipts.get(run.id, "anna")
    assert receipt is not None
    assert (receipt.outcome, receipt.skolon_id, receipt.changed) == (Outcome.WOULD_UPDATE, "s1", changed)
    assert receipt.detail == "birth date not read"
    assert receipt.finished is not None
    assert receipt.finished >= receipt.published
    assert receipt.finished.utcoffset() is not None


def test_a_dead_letter_says_why(store: Store) -> None:
    """P9: a dead letter's receipt holds the reason, the step, the fault and the number of attempts."""
    run = begin_run(store, "event", "anna")
    store.receipts.mark_dead_lettered(run.id, "anna", dead_letter(), 4)
    receipt = store.receipts.get(run.id, "anna")
    assert receipt is not None
    assert (receipt.outcome, receipt.reason) == (Outcome.DEAD_LETTERED, Reason.INVALID_USER)
    assert (receipt.stage, receipt.detail, receipt.attempts) == (Stage.VALIDATE, "eppn: not one @", 4)


def test_a_collision_is_kept_until_the_user_has_another_outcome(store: Store) -> None:
    """P9: a receipt says which user has the Skolon user, also one that is in no run; a replay clears it."""
    run = begin_run(store, "event", "anna")
    collision = Collision(holder_entra_id="another", skolon_id="s1", holder_tenant="annan")
    failure = Failure(
        reason=Reason.COLLISION,
        stage=Stage.MATCH,
        detail="taken",
        collision=collision,
        candidates=("s1", "s2"),
    )
    assert store.receipts.mark_dead_lettered(run.id, "anna", failure, 1)
    receipt = store.receipts.get(run.id, "anna")
    assert receipt is not None
    assert receipt.collision == collision
    assert receipt.as_json()["collision"] == collision.as_json()
    assert receipt.candidates == ("s1", "s2")
    operation = store.operations.start(OperationKind.REPLAY, selection={}, operator=None).id
    assert store.replays.reopen(operation, [(run.id, "anna")])
    assert store.receipts.finish(run.id, "anna", result(Outcome.NOT_FOUND))
    settled = store.receipts.get(run.id, "anna")
    assert settled is not None
    assert (settled.collision, settled.candidates) == (None, ())
    assert settled.not_found_reason is NotFoundReason.NO_MATCH
    assert settled.as_json()["not_found_reason"] == "no_match"


def test_receipts_are_listed_by_what_became_of_them(store: Store) -> None:
    """Receipts can be asked for by outcome and reason, in the order of their users, and so many."""
    run = begin_run(store, "event", "anna", "bo", "cecilia", "david")
    store.receipts.mark_dead_lettered(run.id, "bo", dead_letter(), 1)
    store.receipts.mark_dead_lettered(run.id, "anna", dead_letter(Reason.COLLISION), 1)
    store.receipts.finish(run.id, "david", result(Outcome.UNCHANGED))

    def listed(**which: object) -> list[str]:
        return [receipt.entra_id for receipt in store.receipts.list(run.id, **which)]  # type: ignore[arg-type] # as given

    assert listed() == ["anna", "bo", "cecilia", "david"]
    assert listed(outcome=Outcome.DEAD_LETTERED) == ["anna", "bo"]
    assert listed(reason=Reason.COLLISION) == ["anna"]
    assert listed(limit=3) == ["anna", "bo", "cecilia"]


def test_a_claim_is_known_to_the_next_delivery(store: Store) -> None:
    """P4: a delivery after one that died over its update knows that there may have been one."""
    run = begin_run(store, "event", "anna")
    assert not store.claims.claim(run.id, "anna", "s1", {Attribute.CITY: "Lund"}).superseded
    assert begun(store, run, "anna").claimed
    assert begun(store, run, "anna").outcome is Outcome.PENDING


def test_who_is_found_right_after_a_claim_was_changed_by_it(store: Store) -> None:
    """P4: of two deliveries at once, the one that finds the other's change made does not deny it."""
    run = begin_run(store, "event", "anna", "bo")
    store.claims.claim(run.id, "anna", "s1", {Attribute.CITY: "Lund"})
    for user, skolon_id in (("anna", "s1"), ("bo", "s2")):
        assert store.receipts.finish(run.id, user, result(Outcome.UNCHANGED, skolon_id))
    outcomes = {each.entra_id: (each.outcome, each.changed) for each in store.receipts.list(run.id)}
    assert outcomes == {"anna": (Outcome.UPDATED, (Attribute.CITY,)), "bo": (Outcome.UNCHANGED, ())}


def test_the_first_old_values_stay(store: Store) -> None:
    """P4: a second claim adds attributes, and keeps what the first one noted of those it had."""
    run = begin_run(store, "event", "anna")
    first = {Attribute.CITY: "Malmö", Attribute.EMAIL: "a@b.example"}
    store.claims.claim(
        run.id, "anna", "s1", {Attribute.CITY: "Lund", Attribute.EMAIL: None}, new_values=first
    )
    # What the second one finds was written by the first.
    second = {Attribute.CITY: "Ystad", Attribute.EPPN: "c@b.example"}
    found = {Attribute.CITY: "Malmö", Attribute.EPPN: "a@b.example"}
    store.claims.claim(run.id, "anna", "s1", found, new_values=second)
    assert before_image(store, run.id, "anna") == {
        "city": "Lund",
        "email": None,
        "eppn": "a@b.example",
    }
    # The redelivery finds nothing left to change: what the claims noted is what was changed.
    store.receipts.finish(run.id, "anna", result(Outcome.UPDATED, "s1"))
    receipt = store.receipts.get(run.id, "anna")
    assert receipt is not None
    assert set(receipt.changed) == {Attribute.CITY, Attribute.EMAIL, Attribute.EPPN}


def test_who_was_not_changed_has_no_old_values(store: Store) -> None:
    """Without a claim there are no old values."""
    run = begin_run(store, "event", "anna")
    assert before_image(store, run.id, "anna") == {}


def test_old_values_are_sealed_at_rest(store: Store, database_with_tables: str) -> None:
    """P6: the database holds no value of a person that can be read."""
    run = begin_run(store, "event", "anna")
    store.claims.claim(run.id, "anna", "s1", {Attribute.LAST_NAME: "Uppdiktad"})
    engine = create_engine(database_with_tables)
    with engine.connect() as connection:
        row = connection.execute(text("SELECT * FROM receipts")).one()
    engine.dispose()
    assert "Uppdiktad" not in repr(row)
    assert "Uppdiktad" not in repr(store.receipts.get(run.id, "anna"))


@pytest.mark.parametrize("by_claim", [True, False])
def test_two_users_on_one_skolon_user_collide(store: Store, *, by_claim: bool) -> None:
    """The first Entra user keeps the Skolon user; the second is told whom it collides with."""
    run = begin_run(store, "event", "anna", "bo")
    store.receipts.finish(run.id, "anna", result(Outcome.UNCHANGED, "s1"))

    def collide() -> None:
        if by_claim:
            store.claims.claim(run.id, "bo", "s1", {Attribute.CITY: "Lund"})
        else:
            store.receipts.finish(run.id, "bo", result(Outcome.UNCHANGED, "s1"))

    with pytest.raises(CollisionError) as caught:
        collide()
    assert (caught.value.skolon_id, caught.value.entra_id) == ("s1", "anna")
    found = begun(store, run, "bo")
    assert (found.outcome, found.claimed) == (Outcome.PENDING, False)
    assert store.receipts.mark_dead_lettered(run.id, "bo", dead_letter(Reason.COLLISION), 1)


def test_claims_at_once_collide_once(store: Store, second_store: Store) -> None:
    """Of two Entra users that claim one Skolon user in the same moment exactly one gets it."""
    for number in range(10):
        run = begin_run(store, f"event {number}", "anna", "bo")

        def claim(books: Store, user: str, run_id: int = run.id) -> str:
            books.claims.claim(run_id, user, "s1", {Attribute.CITY: "Lund"})
            return user

        results = run_concurrently(lambda: claim(store, "anna"), lambda: claim(second_store, "bo"))
        collisions = [result for result in results if isinstance(result, CollisionError)]
        assert len(collisions) == 1
        assert collisions[0].entra_id in results
        complete(store, run)


def test_runs_do_not_collide(store: Store) -> None:
    """What an earlier run claimed is free in the next one."""
    first = begin_run(store, "first", "anna")
    store.claims.claim(first.id, "anna", "s1", {Attribute.CITY: "Lund"})
    complete(store, first)
    second = begin_run(store, "second", "bo")
    assert store.receipts.finish(second.id, "bo", result(Outcome.UNCHANGED, "s1"))


def test_a_dead_letter_keeps_its_claim(store: Store) -> None:
    """A user that failed after its claim may be changed in Skolon: no other user may claim it."""
    run = begin_run(store, "event", "anna", "bo")
    store.claims.claim(run.id, "anna", "s1", {Attribute.CITY: "Lund"})
    store.receipts.mark_dead_lettered(run.id, "anna", dead_letter(Reason.REJECTED_BY_SKOLON), 1)
    with pytest.raises(CollisionError):
        store.claims.claim(run.id, "bo", "s1", {Attribute.CITY: "Lund"})


def test_a_settled_user_is_not_claimed(store: Store) -> None:
    """P4: a slow second delivery of a user that is done gets no leave to write to Skolon."""
    run = begin_run(store, "event", "anna")
    store.receipts.finish(run.id, "anna", result(Outcome.UNCHANGED, "s1"))
    with pytest.raises(NotYetError):
        store.claims.claim(run.id, "anna", "s1", {Attribute.CITY: "Lund"})
    assert before_image(store, run.id, "anna") == {}


def test_a_removed_user_is_not_claimed(store: Store) -> None:
    """A user whose tenant was removed meanwhile is tried again, and then found to be unknown."""
    run = begin_run(store, "event", "anna")
    store.runs.cancel(run.id)
    store.tenants.remove(TENANT)
    with pytest.raises(NotYetError):
        store.claims.claim(run.id, "anna", "s1", {Attribute.CITY: "Lund"})


def test_a_newer_run_supersedes(store: Store) -> None:
    """P4: once a newer run has published a user, an older run's message for that user is late."""
    older = begin_run(store, "first", "anna", "bo")
    store.runs.halt(older.id, Cause.BUG, "a bug")
    newer = begin_run(store, "second", "anna")
    assert begun(store, older, "anna").superseded
    assert not begun(store, older, "bo").superseded
    assert not begun(store, newer, "anna").superseded
    assert store.claims.claim(older.id, "anna", "s1", {Attribute.CITY: "Lund"}).superseded


def test_a_dry_run_supersedes_nobody(store: Store) -> None:
    """A newer dry run changes nothing, so it supersedes no user."""
    older = begin_run(store, "first", "anna")
    store.runs.halt(older.id, Cause.BUG, "a bug")
    begin_run(store, "second", "anna", dry_run=True)
    assert not begun(store, older, "anna").superseded
    assert not store.claims.claim(older.id, "anna", "s1", {Attribute.CITY: "Lund"}).superseded


def test_a_cancelled_run_supersedes_those_it_finished(store: Store) -> None:
    """A newer run that was cancelled will not come to its pending users; those it finished are done."""
    older = begin_run(store, "first", "anna", "bo")
    store.runs.halt(older.id, Cause.BUG, "a bug")
    newer = begin_run(store, "second", "anna", "bo")
    store.receipts.finish(newer.id, "anna", result(Outcome.UNCHANGED, "s1"))
    store.runs.cancel(newer.id)
    assert begun(store, older, "anna").superseded
    assert not begun(store, older, "bo").superseded


def test_tenants_do_not_supersede_each_other(store: Store) -> None:
    """The same Entra id in another tenant's run is another matter."""
    store.tenants.add(tenant("grannkommun"), "secret")
    ours = begin_run(store, "first", "anna")
    begin_run(store, "second", "anna", key="grannkommun")
    assert not begun(store, ours, "anna").superseded


def test_a_newer_run_waits_for_an_active_claim(store: Store, database_with_tables: str) -> None:
    """P4: while an older run's worker has a user in hand, the newer run waits, but not for ever."""
    older = begin_run(store, "first", "anna", "bo")
    store.claims.claim(older.id, "anna", "s1", {Attribute.CITY: "Lund"})
    store.runs.halt(older.id, Cause.BUG, "a bug")
    newer = begin_run(store, "second", "anna", "bo")
    assert begun(store, newer, "anna").other_run_active
    assert not begun(store, newer, "bo").other_run_active
    grow_old(database_with_tables, older)
    assert not begun(store, newer, "anna").other_run_active


def test_a_second_claim_renews_the_first(store: Store, database_with_tables: str) -> None:
    """P4: a redelivery that claims again has the user in hand again."""
    older = begin_run(store, "first", "anna")
    store.claims.claim(older.id, "anna", "s1", {Attribute.CITY: "Lund"})
    grow_old(database_with_tables, older)
    store.claims.claim(older.id, "anna", "s1", {Attribute.CITY: "Lund"})
    store.runs.halt(older.id, Cause.BUG, "a bug")
    newer = begin_run(store, "second", "anna")
    assert begun(store, newer, "anna").other_run_active


@pytest.mark.parametrize("ending", [Outcome.UPDATED, Outcome.SUPERSEDED, Outcome.DEAD_LETTERED])
def test_a_claim_ends_with_its_outcome(store: Store, ending: Outcome) -> None:
    """A newer run does not wait for a user that the older run is done with."""
    older = begin_run(store, "first", "anna")
    store.claims.claim(older.id, "anna", "s1", {Attribute.CITY: "Lund"})
    store.runs.halt(older.id, Cause.BUG, "a bug")
    newer = begin_run(store, "second", "anna")
    if ending is Outcome.DEAD_LETTERED:
        store.receipts.mark_dead_lettered(older.id, "anna", dead_letter(), 1)
    else:
        store.receipts.finish(older.id, "anna", result(ending))
    assert not begun(store, newer, "anna").other_run_active


EXCLUDED = SyncResult(outcome=Outcome.OUT_OF_SCOPE, detail="scope.exclude city=…: the user matches the rule")
GONE = SyncResult(
    outcome=Outcome.OUT_OF_SCOPE,
    not_found_reason=NotFoundReason.NO_LONGER_IN_ENTRA,
    detail="no longer in Entra",
)


def left_scope(store: Store, event: str, *, then: str = "complete", **results: SyncResult) -> list[str]:
    """Record a run with these results, end it so, and return the users that are told to have left."""
    run = begin_run(store, event, *results, dry_run=then == "dry")
    finished = {user: store.receipts.finish(run.id, user, result) for user, result in results.items()}
    if then == "cancel":
        store.runs.cancel(run.id)
    else:
        complete(store, run)
    left = [user for user, one in finished.items() if one is not None and one.left_scope]
    assert sum(each.users for each in store.scope_exits.for_run(run.id)) == len(left)
    return left


def test_users_that_a_rule_leaves_out_have_left_if_they_were_synced(store: Store) -> None:
    """The newest earlier outcome that tells it decides: not that of a dry or cancelled run, nor a failure."""
    synced, missing = result(Outcome.UNCHANGED, "s1"), result(Outcome.NOT_FOUND)
    updated = result(Outcome.UPDATED, "s2")
    assert left_scope(store, "first", anna=synced, bo=updated, cia=missing, dan=EXCLUDED, eva=EXCLUDED) == []
    assert left_scope(store, "failed", anna=missing, dan=missing) == []
    assert left_scope(store, "dry", then="dry", anna=EXCLUDED, bo=EXCLUDED, eva=EXCLUDED) == ["anna", "bo"]
    assert left_scope(store, "halted", then="cancel", anna=EXCLUDED, eva=synced) == ["anna"]
    assert left_scope(store, "gone", bo=GONE) == []
    all_users: dict[str, Any] = dict.fromkeys(("anna", "bo", "cia", "dan", "eva", "new"), EXCLUDED)
    assert left_scope(store, "all", **all_users) == ["anna"]
    assert left_scope(store, "again", **all_users) == []


def test_synced_users_are_counted_since_the_last_complete_full_run(store: Store) -> None:
    """Each once; before such a run the number is unknown."""
    synced = result(Outcome.UNCHANGED)
    first = begin_run(store, "first", "anna", "bo", "cia")
    assert store.guard_counters.synced_before(first.id) is None
    store.receipts.finish(first.id, "anna", synced)
    store.receipts.finish(first.id, "bo", synced)
    complete(store, first)
    left_scope(store, "dry", then="dry", dan=synced)
    left_scope(store, "cancelled", then="cancel", anna=synced, eva=result(Outcome.UPDATED))
    last = begin_run(store, "last", "anna")
    assert store.guard_counters.synced_before(last.id) == 3
