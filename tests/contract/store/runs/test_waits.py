"""What runs wait for: told by whoever failed, and over with the receipt's outcome."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from schemas.errors import Dependency, FailureKind
from schemas.outcomes import Cause, Outcome
from schemas.runs.waits import Wait, Waiting
from store import tables
from tests.contract.store.factories import begin_run, complete, page, result, run_concurrently

if TYPE_CHECKING:
    from store.store import Store

#: Later than any test runs: what is tried again after it is still to come.
NOW = dt.datetime.now(dt.UTC).replace(microsecond=0) + dt.timedelta(days=1)
A, B, C = "user-a", "user-b", "user-c"


def failed(service: Dependency | None = Dependency.SKOLON, after: float = 0, **facts: Any) -> Wait:
    """Return a failure, so many seconds from now, that is tried again a minute later."""
    moment = NOW + dt.timedelta(seconds=after)
    next_try = moment + dt.timedelta(seconds=60)
    return Wait(service=service, reported=moment, next_try=next_try, failed_at=moment, **facts)


def put_aside(service: Dependency = Dependency.SKOLON, after: float = 0) -> Wait:
    moment = NOW + dt.timedelta(seconds=after)
    return Wait(service=service, reported=moment, next_try=moment + dt.timedelta(seconds=5))


def waiting(store: Store, run: int) -> tuple[Waiting, ...]:
    return store.runs.summary(run).waiting


def rows(store: Store) -> int:
    with store.database.transaction() as connection:
        return connection.scalar(select(func.count()).select_from(tables.waits)) or 0


def test_a_run_says_who_waits_for_what(store: Store) -> None:
    """The users are counted for each service, with the first moment, the last answer and the next try."""
    run = begin_run(store, "event", A, B, C).id
    store.waits.record_user(run, A, failed(status=503))
    store.waits.record_user(run, B, failed(after=2, status=501))
    store.waits.record_user(run, C, failed(Dependency.GRAPH, kind=FailureKind.TIMEOUT))
    assert waiting(store, run) == (
        Waiting(
            service=Dependency.GRAPH,
            since=NOW,
            users=1,
            page=False,
            last_failed=NOW,
            last_status=None,
            last_kind=FailureKind.TIMEOUT,
            next_try=NOW + dt.timedelta(seconds=60),
        ),
        Waiting(
            service=Dependency.SKOLON,
            since=NOW,
            users=2,
            page=False,
            last_failed=NOW + dt.timedelta(seconds=2),
            last_status=501,
            last_kind=None,
            next_try=NOW + dt.timedelta(seconds=60),
        ),
    )
    assert waiting(store, run)[1].as_json()["last_status"] == 501
    assert [summary.waiting for summary in store.runs.list()] == [waiting(store, run)]


def test_a_wait_goes_on_until_another_one_begins(store: Store) -> None:
    """What is put aside keeps the last answer; a wait for another service begins anew."""
    run = begin_run(store, "event", A).id
    store.waits.record_user(run, A, failed(status=501))
    store.waits.record_user(run, A, put_aside(after=30))
    (same,) = waiting(store, run)
    assert (same.since, same.last_failed, same.last_status) == (NOW, NOW, 501)
    assert same.next_try == NOW + dt.timedelta(seconds=35)
    store.waits.record_user(run, A, put_aside(Dependency.GRAPH, after=60))
    (other,) = waiting(store, run)
    assert (other.service, other.since) == (Dependency.GRAPH, NOW + dt.timedelta(seconds=60))
    assert (other.last_failed, other.last_status) == (None, None)


def test_a_wait_for_an_older_run_names_no_service(store: Store) -> None:
    """A user that an older run has waits for no service; that it goes on waiting is one wait."""
    run = begin_run(store, "event", A, B).id
    store.waits.record_user(run, A, failed(None))
    store.waits.record_user(run, B, failed(status=503))
    store.waits.record_user(run, A, failed(None, after=60))
    skolon, older_run = waiting(store, run)
    assert (skolon.service, skolon.users) == (Dependency.SKOLON, 1)
    assert (older_run.service, older_run.users, older_run.since) == (None, 1, NOW)
    assert older_run.last_failed == NOW + dt.timedelta(seconds=60)
    assert older_run.as_json()["service"] is None
    store.waits.record_user(run, A, failed(after=90))
    (skolon,) = waiting(store, run)
    assert (skolon.users, skolon.since) == (2, NOW)


def test_nobody_waits_who_has_an_outcome(store: Store) -> None:
    """A wait is over with the outcome, nothing is told of who has one, and a complete run keeps no row."""
    run = begin_run(store, "event", A, B)
    store.waits.record_user(run.id, A, failed(status=501))
    store.waits.record_user(run.id, B, put_aside())
    assert store.runs.summary(run.id).last_finished is None
    store.receipts.finish(run.id, A, result(Outcome.NOT_FOUND))
    assert store.runs.summary(run.id).last_finished is not None
    assert [each.users for each in waiting(store, run.id)] == [1]
    store.receipts.finish(run.id, B, result(Outcome.NOT_FOUND))
    store.waits.record_user(run.id, B, failed(status=501))
    store.waits.record_user(run.id, "nobody", failed(status=501))
    store.waits.record_user(4711, A, failed(status=501))
    assert (waiting(store, run.id), rows(store)) == ((), 2)
    complete(store, run)
    assert rows(store) == 0


def test_a_page_waits_until_it_is_read(store: Store) -> None:
    """A page that waits is said, and no more once it has been read."""
    run = begin_run(store, "event")
    store.waits.record_page(run.id, failed(Dependency.GRAPH, status=503))
    store.waits.record_page(4711, failed(Dependency.GRAPH, status=503))
    (found,) = waiting(store, run.id)
    assert (found.service, found.page, found.users, found.last_status) == (Dependency.GRAPH, True, 0, 503)
    store.pages.mark_done(page(run), users=0)
    assert (waiting(store, run.id), rows(store)) == ((), 0)


def test_a_resumed_run_begins_its_waits_anew(store: Store) -> None:
    """While a run is halted no user waits, and earlier waits do not count when it is resumed."""
    run = begin_run(store, "event", A).id
    store.waits.record_user(run, A, failed(status=501))
    store.runs.halt(run, Cause.SKOLON_CREDENTIALS, "HTTP 401")
    assert waiting(store, run) == ()
    store.runs.resume(run)
    assert waiting(store, run) == ()


def test_many_tell_at_once(store: Store) -> None:
    """Failures at the same time are recorded together, also of the same user."""
    users = [f"user-{number}" for number in range(20)]
    run = begin_run(store, "event", *users).id
    store.waits.record_user(run, users[0], failed(status=500))
    told = [
        lambda user=user: store.waits.record_user(run, user, failed(status=503))
        for user in [*users, users[1]]
    ]
    assert set(run_concurrently(*told)) == {None}
    (found,) = waiting(store, run)
    assert (found.users, rows(store)) == (20, 20)
