"""P4, at the narrowest place: an older and a newer run have the same user in hand in the same moment."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

import psycopg
import pytest

from schemas.outcomes import Cause
from schemas.users.attributes import Attribute
from tests.contract.store.factories import (
    TOGETHER,
    begin_run,
    complete,
    run_concurrently,
    wait_for_lock_waiters,
)

if TYPE_CHECKING:
    from schemas.runs.run import Run
    from store.store import Store

OLD_VALUES = {Attribute.CITY: "Lund"}


def late_and_new(store: Store, number: int) -> tuple[Run, Run]:
    """Return a halted run with the user pending, and a newer run that has not published the user yet."""
    older = begin_run(store, f"older {number}", "anna")
    store.runs.halt(older.id, Cause.BUG, "a bug")
    return older, begin_run(store, f"newer {number}")


def newer_goes_ahead(store: Store, newer: Run) -> bool:
    store.receipts.create_pending(newer.id, ["anna"])
    begun = store.work_items.load(newer.id, "anna")
    assert begun is not None
    return not begun.other_run_active


def older_goes_ahead(store: Store, older: Run) -> bool:
    return not store.claims.claim(older.id, "anna", "s1", OLD_VALUES).superseded


def test_never_both_go_ahead(store: Store, second_store: Store) -> None:
    """P4: in whatever order two runs take their steps, at most one of them writes at a time."""
    for number in range(40):
        older, newer = late_and_new(store, number)
        both = run_concurrently(
            partial(older_goes_ahead, store, older), partial(newer_goes_ahead, second_store, newer)
        )
        assert all(isinstance(one, bool) for one in both)
        assert both != [True, True]
        complete(store, newer)


def test_the_older_one_was_first(store: Store, second_store: Store) -> None:
    """P4: a claim that came before the newer run's publication is waited for."""
    older, newer = late_and_new(store, 1)
    assert older_goes_ahead(store, older)
    assert not newer_goes_ahead(second_store, newer)


def test_the_newer_one_was_first(store: Store, second_store: Store) -> None:
    """P4: a claim that comes after the newer run's publication steps back."""
    older, newer = late_and_new(store, 1)
    assert newer_goes_ahead(second_store, newer)
    assert not older_goes_ahead(store, older)


@pytest.mark.parametrize(
    "database_with_tables", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True
)
def test_the_newer_one_comes_between(store: Store, second_store: Store, database_with_tables: str) -> None:
    """P4: a claim that began before the newer run's publication and is committed after it steps back."""
    older, newer = late_and_new(store, 1)
    with (
        psycopg.connect(database_with_tables.replace("+psycopg", "")) as holder,
        psycopg.connect(database_with_tables.replace("+psycopg", ""), autocommit=True) as observer,
        ThreadPoolExecutor(1) as threads,
    ):
        holder.execute("SELECT 1 FROM receipts WHERE run_id = %s FOR UPDATE", [older.id])
        older_one = threads.submit(older_goes_ahead, store, older)
        wait_for_lock_waiters(observer)
        assert newer_goes_ahead(second_store, newer)
        holder.commit()
        assert not older_one.result(TOGETHER)
