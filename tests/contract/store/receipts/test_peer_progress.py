"""What receipts tell of others: who has work, and whether others succeed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg
import pytest

from devtools.commands import wait_for
from schemas.errors import Dependency
from schemas.outcomes import Cause, NotFoundReason, Outcome, Stage
from schemas.runs.sync_result import SyncResult
from schemas.runs.waits import Wait
from store.receipts.peer_progress import RECOVERY, PeerProgress
from store.timestamps import now
from tests.contract.store.factories import (
    CLIENT_SECRET,
    TOGETHER,
    begin_run,
    complete,
    dead_letter,
    result,
    tenant,
    wait_for_lock_waiters,
)

if TYPE_CHECKING:
    from store.store import Store


def test_who_has_work(store: Store) -> None:
    """P7, P8: an organisation has work if an open run of it has a waiting user."""
    store.tenants.add(tenant("annan", organisation="annan"), CLIENT_SECRET)
    store.tenants.add(tenant("tredje", organisation="tredje"), CLIENT_SECRET)
    run = begin_run(store, "one", "a", "b", "c")
    halted = begin_run(store, "two", "a", key="annan")
    begin_run(store, "three", key="tredje")
    store.receipts.finish(run.id, "a", result(Outcome.UNCHANGED, "s1"))
    assert store.peer_progress.active_organisations() == {"exempel": 2, "annan": 1}
    store.runs.halt(halted.id, Cause.SKOLON_CREDENTIALS, "HTTP 401")
    complete(store, run)
    assert store.peer_progress.active_organisations() == {}


@pytest.mark.parametrize(
    ("outcome", "stages"),
    [
        (Outcome.UPDATED, {Stage.MATCH, Stage.UPDATE}),
        (Outcome.UNCHANGED, {Stage.MATCH}),
        (Outcome.NOT_FOUND, {Stage.MATCH}),
        (Outcome.OUT_OF_SCOPE, set()),
        (Outcome.SUPERSEDED, set()),
    ],
)
def test_who_succeeds(store: Store, outcome: Outcome, stages: set[Stage]) -> None:
    """P7: users that were searched or changed in the same run are evidence; dead letters are not."""
    run = begin_run(store, "event", "a", "b")
    store.receipts.mark_dead_lettered(run.id, "b", dead_letter(), 5)
    before = {stage: store.peer_progress.last_success(run.id, stage) for stage in (Stage.MATCH, Stage.UPDATE)}
    assert before == {Stage.MATCH: None, Stage.UPDATE: None}
    store.receipts.finish(run.id, "a", result(outcome, "s1"))
    fresh = PeerProgress(store.database)
    assert {stage for stage in (Stage.MATCH, Stage.UPDATE) if fresh.last_success(run.id, stage)} == stages


@pytest.mark.parametrize("reason", [each for each in NotFoundReason if each is not NotFoundReason.NO_MATCH])
def test_who_was_not_searched_for_is_no_success(store: Store, reason: NotFoundReason) -> None:
    """P7: a user that Skolon was not asked about says nothing about Skolon, whatever the detail says."""
    run = begin_run(store, "event", "a")
    store.receipts.finish(run.id, "a", SyncResult(outcome=Outcome.NOT_FOUND, not_found_reason=reason))
    assert PeerProgress(store.database).last_success(run.id, Stage.MATCH) is None


def test_who_is_the_last(store: Store) -> None:
    """P7: the last user of a run without an outcome has no peers to be compared with."""
    run = begin_run(store, "event", "a", "b")
    assert store.peer_progress.others_pending(run.id)
    store.receipts.finish(run.id, "a", result(Outcome.UNCHANGED, "s1"))
    assert not store.peer_progress.others_pending(run.id)


def test_who_gets_over_a_failure(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """P8: a user that failed and then succeeded shows for a while that Skolon fails now and then."""
    run = begin_run(store, "event", "user-a", "user-b", "user-c")
    wait = Wait(service=Dependency.SKOLON, reported=now(), next_try=now())
    store.waits.record_user(run.id, "user-a", replace(wait, failed_at=now(), status=500))
    store.waits.record_user(run.id, "user-b", wait)
    store.receipts.finish(run.id, "user-b", result(Outcome.UNCHANGED, "s2"))
    assert not store.peer_progress.is_recovering(run.id), (
        "one still fails, the other one had only been put aside"
    )
    store.receipts.finish(run.id, "user-a", result(Outcome.UNCHANGED, "s1"))
    assert store.peer_progress.is_recovering(run.id)
    later = now() + RECOVERY
    monkeypatch.setattr("store.receipts.peer_progress.now", lambda: later)
    assert not store.peer_progress.is_recovering(run.id)


@pytest.mark.parametrize(
    "database_with_tables", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True
)
def test_a_success_is_not_dated_by_a_slow_database(store: Store, database_with_tables: str) -> None:
    """P8: a success from before an outage of Skolon is no evidence against a user that fails in it.

    It was written later, because the statement before it waited.
    """
    run = begin_run(store, "event", "a", "b")
    unchanged = result(Outcome.UNCHANGED, "s1")
    batches = store.receipts._finishing._finishing._lanes  # noqa: SLF001 - nothing else tells that one waits
    address = database_with_tables.replace("+psycopg", "")
    with (
        psycopg.connect(address) as holder,
        psycopg.connect(address, autocommit=True) as observer,
        ThreadPoolExecutor(2) as threads,
    ):
        holder.execute("SELECT 1 FROM receipts WHERE run_id = %s AND entra_id = 'a' FOR UPDATE", [run.id])
        first = threads.submit(store.receipts.finish, run.id, "a", unchanged)
        wait_for_lock_waiters(observer)
        second = threads.submit(store.receipts.finish, run.id, "b", result(Outcome.UNCHANGED, "s2"))
        wait_for(lambda: batches[None].leaders > 1, "the second user's wait")
        skolon_failed = now()
        holder.commit()
        assert first.result(TOGETHER) is not None
        assert second.result(TOGETHER) is not None
    last = store.peer_progress.last_success(run.id, Stage.MATCH)
    assert last is not None
    assert last < skolon_failed
