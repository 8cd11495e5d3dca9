"""Runs whose stale dead letters are still to be removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.outcomes import Cause
from schemas.runs.operation import OperationKind
from tests.contract.store.factories import begin_run, complete, dead_letter

if TYPE_CHECKING:
    from store.store import Store


def test_a_run_is_due_once_it_has_ended(store: Store) -> None:
    """An open run is not due, an ended or halted one is until it is marked, and a resumed one again later."""
    first = begin_run(store, "first", "anna")
    assert store.cleanups.due_runs() == []
    complete(store, first)
    halted = begin_run(store, "halted", "anna")
    store.runs.halt(halted.id, Cause.BUG, "made up")
    assert store.cleanups.due_runs() == [first.id, halted.id]

    store.cleanups.mark([first.id, halted.id])
    assert store.cleanups.due_runs() == []

    store.runs.resume(halted.id)
    assert store.cleanups.due_runs() == []
    store.cleanups.mark([halted.id])
    complete(store, halted)
    assert store.cleanups.due_runs() == [halted.id]


def test_a_replay_makes_its_run_due(store: Store) -> None:
    """A killed replay may leave the dead letter of a user that has another outcome by then."""
    run = begin_run(store, "event", "anna")
    store.receipts.mark_dead_lettered(run.id, "anna", dead_letter(), 1)
    complete(store, run)
    store.cleanups.mark([run.id])
    operation = store.operations.start(OperationKind.REPLAY, selection={}, operator=None).id
    store.replays.reopen(operation, [(run.id, "anna")])
    assert store.cleanups.due_runs() == [run.id]
