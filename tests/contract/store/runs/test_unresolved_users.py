"""Unresolved users: who is one, and whose turn it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.outcomes import NotFoundReason, Outcome
from schemas.runs.sync_result import SyncResult
from schemas.users.graph_user import placeholder_id
from tests.contract.store.factories import begin_run, dead_letter, result

if TYPE_CHECKING:
    from schemas.runs.run import Run
    from store.store import Store


#: Graph lists this user without an id.
NAMELESS = placeholder_id(1, 1)

KEYLESS = SyncResult(outcome=Outcome.NOT_FOUND, not_found_reason=NotFoundReason.NO_MATCH_KEY)


def completed(store: Store, event: str, *, dry_run: bool = False, **outcomes: Outcome | SyncResult) -> Run:
    """Complete a run in which users had these outcomes, and one without an id is a dead letter."""
    run = begin_run(store, event, *outcomes, dry_run=dry_run)
    for user, outcome in outcomes.items():
        if outcome is Outcome.DEAD_LETTERED:
            store.receipts.mark_dead_lettered(run.id, user, dead_letter(), 1)
        else:
            store.receipts.finish(
                run.id, user, outcome if isinstance(outcome, SyncResult) else result(outcome)
            )
    store.receipts.create_pending(run.id, [NAMELESS])
    store.receipts.mark_dead_lettered(run.id, NAMELESS, dead_letter(), 1)
    store.runs.finish_reading(run.id)
    assert store.runs.complete_if_done(run.id)
    return run


def due(store: Store, event: str, *users: str, limit: int = 10) -> list[str]:
    """Return whose turn it is in a run that has these users already; then end it."""
    run = begin_run(store, event, *users)
    found = list(store.unresolved_users.due(run.id, limit=limit))
    store.runs.cancel(run.id)
    return found


def test_who_is_unresolved(store: Store) -> None:
    """Dead letters are, and users that Skolon lacks; not those without a key or an id."""
    completed(
        store,
        "first",
        anna=Outcome.NOT_FOUND,
        bo=Outcome.DEAD_LETTERED,
        carl=Outcome.UNCHANGED,
        dan=Outcome.OUT_OF_SCOPE,
        eva=KEYLESS,
    )
    assert due(store, "second") == ["anna", "bo"]
    assert due(store, "third", limit=1) == ["anna"]
    assert due(store, "fourth", "anna") == ["bo"]


def test_a_later_run_resolves_them(store: Store) -> None:
    """Whoever a later run brings up to date, or leaves out, is resolved; a dry run settles nothing."""
    completed(store, "first", anna=Outcome.NOT_FOUND, bo=Outcome.DEAD_LETTERED, carl=Outcome.NOT_FOUND)
    completed(store, "dry", dry_run=True, anna=Outcome.UNCHANGED, dan=Outcome.NOT_FOUND)
    assert due(store, "second") == ["anna", "bo", "carl"]
    completed(store, "third", anna=Outcome.UNCHANGED, bo=Outcome.OUT_OF_SCOPE, carl=Outcome.SUPERSEDED)
    assert due(store, "fourth") == ["carl"]


def test_those_that_were_tried_longest_ago_come_first(store: Store) -> None:
    """A user that is tried in vain goes to the end of the line."""
    completed(store, "first", anna=Outcome.NOT_FOUND, bo=Outcome.NOT_FOUND, carl=Outcome.NOT_FOUND)
    completed(store, "second", anna=Outcome.NOT_FOUND)
    assert due(store, "third") == ["bo", "carl", "anna"]


def test_a_user_that_loses_its_key_is_resolved(store: Store) -> None:
    """Only a change in Entra can help it, and a delta tells of that: it keeps no other from its turn."""
    completed(store, "first", anna=Outcome.NOT_FOUND, bo=Outcome.NOT_FOUND)
    completed(store, "second", anna=KEYLESS)
    assert due(store, "third") == ["bo"]


def test_a_user_that_was_tried_goes_to_the_end_whatever_became_of_it(store: Store) -> None:
    """Also one that the run settled nothing about."""
    completed(store, "first", anna=Outcome.NOT_FOUND, bo=Outcome.NOT_FOUND)
    completed(store, "second", anna=Outcome.SUPERSEDED)
    assert due(store, "third") == ["bo", "anna"]


def test_a_second_delivery_finds_the_same(store: Store) -> None:
    """P2: a page of them that was cut off after its receipts were written publishes the same users again."""
    completed(store, "first", anna=Outcome.NOT_FOUND, bo=Outcome.NOT_FOUND, carl=Outcome.NOT_FOUND)
    run = begin_run(store, "second", "bo")
    users = list(store.unresolved_users.due(run.id, limit=10))
    assert store.receipts.create_pending(run.id, users, read_again=True) == {"anna", "carl"}
    assert list(store.unresolved_users.due(run.id, limit=10)) == users
    assert store.receipts.create_pending(run.id, [*users, "bo"], read_again=True) == {"anna", "carl"}
    assert store.runs.summary(run.id).read_again == 2
