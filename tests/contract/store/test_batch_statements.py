"""Threads that ask the books at the same moment: one statement for all, and everybody's own answer."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Engine, event

from schemas.outcomes import Outcome
from store.receipts.collisions import CollisionError
from tests.contract.store.factories import begin_run, result

if TYPE_CHECKING:
    from store.store import Store

THREADS = 16
PEOPLE = tuple(f"user-{number:03}" for number in range(200))


def test_each_gets_the_answer_about_its_own_person(store: Store) -> None:
    """P4: of many who ask at the same moment each is told of its own person, or that there is none."""
    run = begin_run(store, "event", *PEOPLE[::2])
    with ThreadPoolExecutor(THREADS) as pool:
        begun = list(pool.map(lambda user: store.work_items.load(run.id, user), PEOPLE))
    assert [one is not None for one in begun] == [number % 2 == 0 for number in range(len(PEOPLE))]
    assert {one.outcome for one in begun if one is not None} == {Outcome.PENDING}


def test_everybody_gets_its_own_outcome(store: Store) -> None:
    """P3: outcomes that are written together are each person's own, and nobody is left pending."""
    run = begin_run(store, "event", *PEOPLE)
    outcomes = (Outcome.UPDATED, Outcome.UNCHANGED, Outcome.NOT_FOUND, Outcome.OUT_OF_SCOPE)
    wanted = {user: outcomes[number % 4] for number, user in enumerate(PEOPLE)}
    with ThreadPoolExecutor(THREADS) as pool:
        done = list(
            pool.map(lambda user: store.receipts.finish(run.id, user, result(wanted[user], user)), PEOPLE)
        )
    assert all(done)
    assert {user: store.receipts.get(run.id, user).outcome for user in PEOPLE} == wanted  # type: ignore[union-attr] # it is there
    store.runs.finish_reading(run.id)
    assert store.runs.complete_if_done(run.id)


def test_a_collision_in_company_is_one_persons(store: Store) -> None:
    """P7: who comes second to a Skolon user is a collision, and whoever was in the same statement is not."""
    run = begin_run(store, "event", *PEOPLE)

    def finish(number: int) -> bool:
        try:
            done = store.receipts.finish(run.id, PEOPLE[number], result(Outcome.UNCHANGED, f"s{number // 2}"))
        except CollisionError:
            return False
        return done is not None

    with ThreadPoolExecutor(THREADS) as pool:
        done = list(pool.map(finish, range(len(PEOPLE))))
    assert all(done[number] + done[number + 1] == 1 for number in range(0, len(PEOPLE), 2))


def test_a_message_that_comes_twice_in_one_moment_finishes_once(store: Store) -> None:
    """P4: of two deliveries that finish a person in the same moment one is told that it did."""
    run = begin_run(store, "event", *PEOPLE)
    with ThreadPoolExecutor(THREADS) as pool:
        done = list(
            pool.map(
                lambda user: store.receipts.finish(run.id, user, result(Outcome.UNCHANGED)),
                [user for user in PEOPLE for _ in range(2)],
            )
        )
    assert sum(one is not None for one in done) == len(PEOPLE)


@pytest.mark.parametrize(
    "database_with_tables", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True
)
def test_company_saves_journeys(store: Store) -> None:
    """Calls that wait meanwhile share the next statement: there are fewer statements than users."""
    run = begin_run(store, "event", *PEOPLE)
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(lambda user: store.work_items.load(run.id, user), PEOPLE))
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert 0 < len(statements) < len(PEOPLE)
