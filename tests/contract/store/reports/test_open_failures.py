"""Which users of a tenant fail as things stand, in both databases."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from sqlalchemy import update

from schemas.dead_letter_reasons import Reason
from schemas.messages.messages import SyncRequest
from schemas.outcomes import Cause, Mode, Outcome
from schemas.users.attributes import Attribute
from store import tables
from store.timestamps import now
from tests.contract.store.factories import TENANT, begin_run, complete, dead_letter, request, result, tenant
from tests.contract.store.reports.test_users import close, finish, full_run

if TYPE_CHECKING:
    from schemas.runs.run import Run
    from store.store import Store

FAILS, RIGHT = Outcome.DEAD_LETTERED, Outcome.UNCHANGED


def at(store: Store, run: Run, moment: dt.datetime) -> None:
    """Have a run's users settled at a moment."""
    receipts = tables.receipts
    with store.database.transaction() as connection:
        connection.execute(update(receipts).where(receipts.c.run_id == run.id).values(finished_at=moment))


def test_a_user_fails_until_a_run_says_otherwise(store: Store) -> None:
    """Each once, since the first failure without a break; a run that waits for an answer settles nothing."""
    today = now().replace(microsecond=0)
    days = [today - dt.timedelta(days=ago) for ago in (4, 3, 2, 1)]
    at(store, full_run(store, "1", anna=FAILS, bo=FAILS, cleo=RIGHT), days[0])
    at(store, full_run(store, "2", anna=FAILS, bo=RIGHT, cleo=FAILS), days[1])
    halted = begin_run(store, "3", "anna", "bo", "cleo")
    finish(store, halted, "anna", RIGHT)
    store.runs.halt(halted.id, Cause.GUARD_EXCEEDED, "asked")
    at(store, halted, days[2])

    (group,) = store.open_failures.groups(TENANT, recently=days[1])
    page = store.open_failures.page(TENANT, group.reason, after="", limit=10)

    assert (group.users, group.first, group.last, group.recent) == (2, days[0], days[1], 1)
    assert [(each.entra_id, each.since) for each in page] == [("anna", days[0]), ("cleo", days[1])]
    assert store.open_failures.page(TENANT, None, after="anna", limit=10) == page[1:]
    assert store.open_failures.page(TENANT, Reason.BUG, after="", limit=10) == []


def test_an_undo_of_one_user_settles_no_other_one(store: Store) -> None:
    """A user that failed after a write fails on, though what the run wrote for another user was restored."""
    full_run(store, "1", anna=RIGHT, bo=RIGHT)
    halted = begin_run(store, "2", "anna", "bo")
    for user, skolon_id in (("anna", "s1"), ("bo", "s2")):
        store.claims.claim(halted.id, user, skolon_id, {Attribute.FIRST_NAME: "Kim"})
    store.receipts.finish(halted.id, "anna", result(Outcome.UPDATED, "s1"))
    store.receipts.mark_dead_lettered(halted.id, "bo", dead_letter(), 1)
    store.runs.halt(halted.id, Cause.GUARD_EXCEEDED, "asked")
    undo = store.triggers.open(
        SyncRequest(tenant=TENANT, mode=Mode.UNDO, reverts_run_id=halted.id), "undo"
    ).run
    store.receipts.create_pending(undo.id, ["anna"])
    store.claims.claim(undo.id, "anna", "s1", {Attribute.FIRST_NAME: "Kim"})
    store.receipts.finish(undo.id, "anna", result(Outcome.UPDATED, "s1"))
    complete(store, undo)

    assert [each.entra_id for each in store.open_failures.page(TENANT, None, after="", limit=10)] == ["bo"]
    assert not store.replays.states([(halted.id, "bo")])[halted.id, "bo"].is_stale


def test_a_group_comes_back_when_its_users_were_settled_in_between(store: Store) -> None:
    """Of users that fail on and on, nothing has come back; another tenant's failures are not counted."""
    today = now().replace(microsecond=0)
    days = [today - dt.timedelta(days=ago) for ago in (4, 3, 2)]
    at(store, full_run(store, "1", anna=FAILS, bo=RIGHT), days[0])
    at(store, full_run(store, "2", anna=FAILS, bo=RIGHT), days[1])
    assert [each.settled_before for each in store.open_failures.groups(TENANT)] == [None]

    at(store, full_run(store, "3", anna=RIGHT, bo=FAILS), days[2])

    assert [each.settled_before for each in store.open_failures.groups(TENANT)] == [days[1]]
    store.tenants.add(tenant("annan"), "secret")
    assert store.open_failures.groups("annan") == ()
    assert store.open_failures.page("annan", None, after="", limit=1) == []


def test_the_groups_count_what_the_overview_counts(store: Store) -> None:
    """Both read the last complete run of all users and the runs since."""
    full_run(store, "1", anna=FAILS, bo=FAILS, cleo=RIGHT, dora=FAILS)
    newer = store.triggers.open(request(users=("anna", "cleo")), "2").run
    store.receipts.create_pending(newer.id, ["anna", "cleo"])
    finish(store, newer, "anna", RIGHT)
    store.receipts.mark_dead_lettered(newer.id, "cleo", dead_letter(), 1)
    close(store, newer)

    overview = store.tenant_overviews.load(now())[TENANT]

    assert {each.reason: each.users for each in store.open_failures.groups(TENANT)} == overview.users.failed
    assert overview.users.failures == 3
