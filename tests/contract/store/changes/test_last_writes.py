"""What earlier runs have written to users, which many threads ask at the same moment."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import Engine, event

from schemas.outcomes import Outcome
from schemas.runs.sync_result import SyncResult
from schemas.users.attributes import Attribute
from tests.contract.store.factories import begin_run, complete

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemas.runs.run import Run
    from store.store import Store

CITY, EMAIL = Attribute.CITY, Attribute.EMAIL
USERS = tuple(f"user-{number:03}" for number in range(60))


def wrote(store: Store, run: Run, user: str, attribute: Attribute, value: str) -> None:
    """Have a run change one value of a user."""
    skolon_id = f"s-{user}"
    store.claims.claim(run.id, user, skolon_id, {attribute: "old"}, new_values={attribute: value})
    done = SyncResult(
        outcome=Outcome.UPDATED, skolon_id=skolon_id, skolon_version=f"v{run.id}", changed=(attribute,)
    )
    store.receipts.finish(run.id, user, done)


@contextmanager
def counted_selects() -> Iterator[list[str]]:
    """Give the queries that are made meanwhile."""
    made: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("SELECT"):
            made.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield made
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def test_each_user_gets_its_own_writes_the_newest_first(store: Store) -> None:
    """Of many users that are read together each has its own, of all earlier runs and of no later one."""
    first = begin_run(store, "first", *USERS)
    for number, user in enumerate(USERS[::2]):
        wrote(store, first, user, CITY, f"city {number}")
    complete(store, first)
    second = begin_run(store, "second", *USERS)
    wrote(store, second, USERS[0], EMAIL, "a@k.invalid")
    complete(store, second)
    dry = begin_run(store, "dry", *USERS, dry_run=True)
    complete(store, dry)
    now = begin_run(store, "now", *USERS)
    wrote(store, now, USERS[2], CITY, "this run's own")
    with ThreadPoolExecutor(16) as pool, counted_selects() as made:
        found = list(pool.map(lambda user: store.write_history.last_writes(now.id, user), USERS))
    assert [last is not None for last in found] == [number % 2 == 0 for number in range(len(USERS))]
    for number, last in enumerate(found[::2]):
        assert last is not None
        assert last.skolon_id == f"s-{USERS[2 * number]}"
        assert last.wrote(CITY, f"city {number}")
        assert not last.wrote(CITY, f"city {number + 1}")
    assert found[0] is not None
    assert (found[0].version, len(found[0].records)) == (f"v{second.id}", 2)
    assert found[0].wrote(EMAIL, "a@k.invalid")
    assert found[2] is not None
    assert found[2].version == f"v{first.id}"
    assert store.write_history.last_writes(dry.id, USERS[1]) is None
    if store.database.is_sqlite:
        assert len(made) == len(USERS)
    else:
        assert len(made) < len(USERS) / 2
