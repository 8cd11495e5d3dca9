"""Threads that claim at the same moment: one transaction for all, and everybody's own leave or error."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import psycopg
import pytest

from devtools.commands import wait_for
from schemas.errors import HaltError, NotYetError
from schemas.outcomes import Cause, Outcome
from schemas.runs.changes import ONE_NOT_FOUND, GuardCounts
from schemas.users.attributes import Attribute
from store.receipts.claims import Claim
from store.receipts.collisions import CollisionError
from tests.contract.store.factories import (
    TOGETHER,
    before_image,
    begin_run,
    result,
    run_concurrently,
    wait_for_lock_waiters,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from schemas.runs.run import Run
    from store.runs.guard_counters import LimitCheck
    from store.store import Store

PEOPLE = tuple(f"user-{number:02}" for number in range(24))
OLD_VALUES = {Attribute.CITY: "Lund", Attribute.EPPN: "a@b.example"}
LIMIT = 10

pytestmark = pytest.mark.parametrize(
    "database_with_tables", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True
)


def allow(counts: GuardCounts, *_sizes: object) -> None:
    if max(counts.changed, counts.not_found) > LIMIT:
        raise HaltError(Cause.GUARD_EXCEEDED, "too many")


@contextmanager
def one_claim_waits(store: Store, database_with_tables: str, run: Run) -> Iterator[None]:
    """Make the process's claims wait behind one for a user whose receipt is locked meanwhile."""
    with (
        psycopg.connect(database_with_tables.replace("+psycopg", "")) as holder,
        ThreadPoolExecutor(1) as threads,
    ):
        holder.execute("SELECT 1 FROM receipts WHERE run_id = %s AND entra_id = 'first' FOR UPDATE", [run.id])
        first = threads.submit(store.claims.claim, run.id, "first", "s first", {})
        with psycopg.connect(database_with_tables.replace("+psycopg", ""), autocommit=True) as observer:
            wait_for_lock_waiters(observer)
        yield
        holder.commit()
        first.result(TOGETHER)


def gathered(store: Store) -> int:
    """Return how many claims wait to be made together."""
    lanes = store.claims._claiming._lanes  # noqa: SLF001 - nothing else tells that somebody waits
    return sum(len(lane.open_batch.items) for lane in lanes.values() if lane.open_batch is not None)


def in_one_batch(
    store: Store, database_with_tables: str, run: Run, *claims: Callable[[], Claim]
) -> list[Claim | Exception]:
    """Make claims that gather while another one is under way; return what each returned or raised."""
    store.receipts.create_pending(run.id, ["first"])
    with ThreadPoolExecutor(1) as threads:
        with one_claim_waits(store, database_with_tables, run):
            answers = threads.submit(run_concurrently, *claims)
            wait_for(lambda: gathered(store) == len(claims), "the last of the claims")
        return answers.result(TOGETHER)


def test_all_are_claimed_in_one_transaction(store: Store, database_with_tables: str) -> None:
    """Claims that arrive meanwhile are made by one statement, each with its own old values."""
    run = begin_run(store, "event", *PEOPLE)

    def claim(user: str) -> Callable[[], Claim]:
        return lambda: store.claims.claim(
            run.id, user, f"s {user}", {Attribute.CITY: user}, check_limits=allow_all
        )

    def allow_all(counts: GuardCounts, *_sizes: object) -> None:
        seen.append(counts.changed)

    seen: list[int] = []
    results = in_one_batch(store, database_with_tables, run, *map(claim, PEOPLE))
    assert results == [Claim(superseded=False)] * len(PEOPLE)
    assert seen == [len(PEOPLE)] * len(PEOPLE)
    assert store.guard_counters.counts(run.id).changed == len(PEOPLE)
    assert {user: before_image(store, run.id, user) for user in PEOPLE} == {
        user: {"city": user} for user in PEOPLE
    }


def test_errors_are_each_persons_own(store: Store, database_with_tables: str) -> None:
    """P7: in one batch one collides, one has been settled, and the others are claimed and counted once."""
    run = begin_run(store, "event", "holder", *PEOPLE)
    store.receipts.finish(run.id, "holder", result(Outcome.UNCHANGED, "s taken"))
    store.receipts.finish(run.id, PEOPLE[3], result(Outcome.UNCHANGED))
    skolon_ids = {user: f"s {user}" for user in PEOPLE} | {PEOPLE[5]: "s taken"}

    def claim(user: str) -> Callable[[], Claim]:
        return lambda: store.claims.claim(
            run.id, user, skolon_ids[user], OLD_VALUES, check_limits=lambda *_: None
        )

    results = dict(
        zip(PEOPLE, in_one_batch(store, database_with_tables, run, *map(claim, PEOPLE)), strict=True)
    )
    settled, collided = results.pop(PEOPLE[3]), results.pop(PEOPLE[5])
    assert isinstance(settled, NotYetError)
    assert isinstance(collided, CollisionError)
    assert collided.entra_id == "holder"
    assert set(results.values()) == {Claim(superseded=False)}
    counted = len(PEOPLE) - 2
    assert store.guard_counters.counts(run.id) == GuardCounts(changed=counted, identity_changed=counted)


def test_the_guard_lets_through_as_many_as_its_limit(store: Store, database_with_tables: str) -> None:
    """P7: of a batch that goes too far as many are claimed as the limit allows, and only they count."""
    run = begin_run(store, "event", *PEOPLE)

    def claim(user: str) -> Callable[[], Claim]:
        return lambda: store.claims.claim(run.id, user, f"s {user}", OLD_VALUES, check_limits=allow)

    results = in_one_batch(store, database_with_tables, run, *map(claim, PEOPLE))
    assert Counter(type(one) for one in results) == {Claim: LIMIT, HaltError: len(PEOPLE) - LIMIT}
    assert store.guard_counters.counts(run.id).changed == LIMIT
    claimed = [user for user in PEOPLE if before_image(store, run.id, user)]
    assert claimed == [user for user, one in zip(PEOPLE, results, strict=True) if isinstance(one, Claim)]


def test_one_runs_guard_is_not_anothers(store: Store, database_with_tables: str) -> None:
    """P7: a batch has people of a guarded run and of one that was let through: these go on, and count."""
    guarded = begin_run(store, "guarded", *PEOPLE)
    store.runs.halt(guarded.id, Cause.BUG, "a bug")
    free = begin_run(store, "free", *(f"free-{user}" for user in PEOPLE))

    def claim(run: Run, user: str, allow: LimitCheck | None) -> Callable[[], Claim]:
        return lambda: store.claims.claim(run.id, user, f"s {user}", OLD_VALUES, check_limits=allow)

    claims = [claim(guarded, user, allow) for user in PEOPLE]
    claims += [claim(free, f"free-{user}", None) for user in PEOPLE]
    results = in_one_batch(store, database_with_tables, free, *claims)
    assert Counter(type(one) for one in results[: len(PEOPLE)]) == {Claim: LIMIT, HaltError: 14}
    assert results[len(PEOPLE) :] == [Claim(superseded=False)] * len(PEOPLE)
    assert store.guard_counters.counts(guarded.id).changed == LIMIT
    assert store.guard_counters.counts(free.id) == GuardCounts()


def test_a_message_that_comes_twice_in_one_moment_counts_once(
    store: Store, database_with_tables: str
) -> None:
    """P4: of two deliveries in one batch the second renews the first one's claim, and counts for nothing."""
    run = begin_run(store, "event", *PEOPLE)

    def claim(city: str) -> Callable[[], Claim]:
        return lambda: store.claims.claim(
            run.id, PEOPLE[0], "s1", {Attribute.CITY: city}, check_limits=lambda *_: None
        )

    assert (
        in_one_batch(store, database_with_tables, run, claim("Lund"), claim("Lund"))
        == [Claim(superseded=False)] * 2
    )
    assert store.guard_counters.counts(run.id).changed == 1
    assert before_image(store, run.id, PEOPLE[0]) == {"city": "Lund"}


def test_who_comes_too_late_in_company(store: Store) -> None:
    """P4: of a batch, only users that a newer run has published are refused."""
    older = begin_run(store, "older", "first", *PEOPLE)
    store.runs.halt(older.id, Cause.BUG, "a bug")
    begin_run(store, "newer", *PEOPLE[::3])

    def claim(user: str) -> Callable[[], Claim]:
        return lambda: store.claims.claim(older.id, user, f"s {user}", OLD_VALUES)

    with ThreadPoolExecutor(len(PEOPLE)) as pool:
        results = list(pool.map(lambda user: claim(user)(), PEOPLE))
    assert [one.superseded for one in results] == [number % 3 == 0 for number in range(len(PEOPLE))]


def claim_all(books: Store, run: Run, users: tuple[str, ...]) -> list[Claim]:
    def claim(user: str) -> Claim:
        return books.claims.claim(run.id, user, f"s {user}", OLD_VALUES, check_limits=lambda *_: None)

    with ThreadPoolExecutor(len(users)) as pool:
        return list(pool.map(claim, users))


def test_opposite_orders_do_not_lock_each_other_out(
    store: Store, second_store: Store, database_with_tables: str
) -> None:
    """P8: two processes that claim the same people, each from its own end, both come to an end."""
    for number in range(5):
        run = begin_run(store, f"event {number}", *PEOPLE)
        claiming = (
            partial(claim_all, store, run, PEOPLE),
            partial(claim_all, second_store, run, PEOPLE[::-1]),
        )
        with (
            psycopg.connect(database_with_tables.replace("+psycopg", "")) as holder,
            psycopg.connect(database_with_tables.replace("+psycopg", ""), autocommit=True) as observer,
            ThreadPoolExecutor(1) as threads,
        ):
            # Both have some people and wait for this one, or for each other's.
            holder.execute(
                "SELECT 1 FROM receipts WHERE run_id = %s AND entra_id = %s FOR UPDATE", [run.id, PEOPLE[12]]
            )
            both = threads.submit(run_concurrently, *claiming)
            wait_for_lock_waiters(observer, 2)
            holder.commit()
            assert both.result(TOGETHER) == [[Claim(superseded=False)] * len(PEOPLE)] * 2
        assert store.guard_counters.counts(run.id).changed == len(PEOPLE)
        for user in PEOPLE:
            store.receipts.finish(run.id, user, result(Outcome.UPDATED, f"s {user}"))
        store.runs.finish_reading(run.id)
        assert store.runs.complete_if_done(run.id)


def test_those_not_found_are_counted_up_to_the_limit(store: Store, second_store: Store) -> None:
    """P7: threads of two processes count at once; only those who were let through stay counted."""
    run = begin_run(store, "event")

    def count(books: Store) -> bool:
        try:
            books.guard_counters.count(run.id, ONE_NOT_FOUND, allow)
        except HaltError:
            return False
        return True

    results = run_concurrently(*[lambda books=books: count(books) for books in (store, second_store) * 12])
    let_through = results.count(True)
    assert LIMIT <= let_through <= LIMIT + len(results) // 2
    assert store.guard_counters.counts(run.id).not_found == let_through
