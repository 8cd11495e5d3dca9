"""Warnings on runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.runs.run import RunWarning, WarningKind
from tests.contract.store.factories import begin_run, complete, run_concurrently

if TYPE_CHECKING:
    from store.store import Store

COUNTED = RunWarning(kind=WarningKind.COUNT_DIFFERS, detail="Graph counted 50 people, 0 were read")


def test_a_warning_is_said_once(store: Store, second_store: Store) -> None:
    """Of several who notice the same at the same moment one says it, and its words stay."""
    run = begin_run(store, "event")
    said = run_concurrently(
        lambda: store.run_warnings.record(run.id, COUNTED.kind, COUNTED.detail),
        lambda: second_store.run_warnings.record(run.id, COUNTED.kind, COUNTED.detail),
    )
    assert sorted(map(bool, said)) == [False, True]
    assert not store.run_warnings.record(run.id, COUNTED.kind, "other words")
    assert store.runs.summary(run.id).warnings == (COUNTED,)


def test_warnings_belong_to_their_run(store: Store) -> None:
    """Each run in a list has its own warnings, as objects for programs."""
    run = begin_run(store, "event")
    store.run_warnings.record(run.id, COUNTED.kind, COUNTED.detail)
    complete(store, run)
    begin_run(store, "second_store")
    shown = [summary.as_json()["warnings"] for summary in store.runs.list()]
    assert shown == [[], [COUNTED.as_json()]]


def test_what_no_longer_holds_is_withdrawn(store: Store) -> None:
    """A run whose list was read again, rightly, warns no more; withdrawing what was not said does nothing."""
    run = begin_run(store, "event")
    store.run_warnings.remove(run.id, COUNTED.kind)
    store.run_warnings.record(run.id, COUNTED.kind, COUNTED.detail)
    store.run_warnings.remove(run.id, COUNTED.kind)
    assert store.runs.summary(run.id).warnings == ()
