"""The database as such: away, not upgraded, and silent about what people's rows hold."""

from __future__ import annotations

import traceback
from contextlib import closing, nullcontext
from typing import TYPE_CHECKING

import pytest
from psycopg import sql
from sqlalchemy import create_engine, text

from devtools.commands import wait_for
from schemas.crypto.encryption import FieldCipher, new_key
from schemas.errors import Dependency, OperatorError, TransientError, UsageError
from schemas.outcomes import Outcome
from schemas.users.attributes import Attribute
from store.receipts.collisions import CollisionError
from store.store import Store
from tests.contract.store.factories import (
    CLIENT_SECRET,
    TENANT,
    begin_run,
    request,
    result,
    run_concurrently,
    tenant,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from devtools.services.postgresql import PostgreSQL

ON_POSTGRESQL = pytest.mark.parametrize(
    "database_with_tables", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True
)

#: What each part of the store may be asked first.
FIRST_QUESTIONS: list[Callable[[Store], object]] = [
    lambda store: store.tenants.list(),
    lambda store: store.tenants.get(TENANT),
    lambda store: store.tenants.add(tenant(), CLIENT_SECRET),
    lambda store: store.runs.list(),
    lambda store: store.triggers.open(request(), "event"),
    lambda store: store.runs.complete_if_done(1),
    lambda store: store.work_items.load(1, "anna"),
    lambda store: store.receipts.create_pending(1, ["anna"]),
    lambda store: store.receipts.finish(1, "anna", result(Outcome.UNCHANGED)),
]


def test_nothing_connects_before_it_is_used(tmp_path: Path) -> None:
    """Making a store connects to nothing: the server may not be there, the file does not appear."""
    Store("postgresql://nobody@127.0.0.1:1/nothing", FieldCipher([new_key()])).close()
    Store(f"sqlite:///{tmp_path / 'store.db'}", FieldCipher([new_key()])).close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ask", FIRST_QUESTIONS)
def test_a_server_that_is_not_there_is_transient(ask: Callable[[Store], object]) -> None:
    """P8: no server listens at the database's address: try again later."""
    with closing(Store("postgresql://nobody@127.0.0.1:1/nothing", FieldCipher([new_key()]))) as store:
        with pytest.raises(TransientError) as caught:
            ask(store)
        assert caught.value.dependency is Dependency.DATABASE


@ON_POSTGRESQL
@pytest.mark.parametrize("ask", FIRST_QUESTIONS)
def test_a_database_that_went_away_is_transient(
    store: Store, database_with_tables: str, postgresql: PostgreSQL, ask: Callable[[Store], object]
) -> None:
    """P8: the connections are cut and no new one can be made, in the middle of the work."""
    store.runs.list()
    database = sql.Identifier(database_with_tables.rpartition("/")[2])
    with postgresql.connect() as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(database))
        with pytest.raises(TransientError) as caught:
            ask(store)
        # The fixture removes what it made.
        connection.execute(sql.SQL("CREATE DATABASE {}").format(database))
    assert caught.value.dependency is Dependency.DATABASE


@ON_POSTGRESQL
def test_work_goes_on_after_the_database_was_away(
    store: Store, database_with_tables: str, postgresql: PostgreSQL
) -> None:
    """P8: idle connections that were cut are replaced, and no caller notices."""
    run = begin_run(store, "event", "anna")
    with postgresql.connect() as connection:
        connection.execute(
            # It waits until they are gone: one that is about to be cut is in use, as far as anybody can see.
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = %s",
            [database_with_tables.rpartition("/")[2]],
        )
    assert store.runs.summary(run.id).pending == 1


@ON_POSTGRESQL
def test_people_are_looked_up_by_their_keys(
    store: Store, database_with_tables: str, postgresql: PostgreSQL
) -> None:
    """A few of a run are found without reading the run, in a table whose statistics nobody has made yet."""
    users = [f"user-{number:04d}" for number in range(4000)]
    run = begin_run(store, "event", *users)
    few = users[1000:1020]

    def work(user: str) -> None:
        assert store.work_items.load(run.id, user) is not None
        assert not store.claims.claim(run.id, user, f"skolon {user}", {Attribute.CITY: None}).superseded
        assert store.receipts.finish(run.id, user, result(Outcome.UPDATED, f"skolon {user}"))

    before = _rows_read(store, postgresql, database_with_tables)
    run_concurrently(*[lambda user=user: work(user) for user in few])
    read = _rows_read(store, postgresql, database_with_tables) - before
    assert len(few) <= read < 20 * len(few)


def _rows_read(store: Store, postgresql: PostgreSQL, url: str) -> int:
    """Return how many rows of receipts were read so far, whatever for."""
    # A server process hands in its count when it ends, at the latest.
    store.close()
    with postgresql.connect(url) as connection:
        others = (
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid != pg_backend_pid()"
        )
        wait_for(lambda: connection.execute(others).fetchone() == (0,), "the store's connections to end")
        row = connection.execute(
            "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_user_tables WHERE relname = 'receipts'"
        ).fetchone()
    assert row is not None
    return int(row[0])


def test_writers_take_turns(store: Store) -> None:
    """P8: many threads that write at once all get their turn; SQLite is not found locked."""
    users = [f"user-{number}" for number in range(60)]
    run = begin_run(store, "event", *users)

    def work(portion: list[str]) -> int:
        for user in portion:
            begun = store.work_items.load(run.id, user)
            assert begun is not None
            store.claims.claim(run.id, user, f"skolon {user}", {Attribute.CITY: None})
            store.receipts.finish(run.id, user, result(Outcome.UPDATED, f"skolon {user}"))
            store.runs.complete_if_done(run.id)
        return len(portion)

    portions = [users[start::8] for start in range(8)]
    done = run_concurrently(*[lambda portion=portion: work(portion) for portion in portions])
    assert done == [len(portion) for portion in portions]
    assert store.runs.summary(run.id).counts == {Outcome.UPDATED: 60}


@pytest.mark.parametrize("ask", FIRST_QUESTIONS)
def test_a_database_without_tables_says_what_to_do(
    empty_database: str, ask: Callable[[Store], object]
) -> None:
    """A database that was not upgraded is an operator's to mend, and the text names the command."""
    with (
        closing(Store(empty_database, FieldCipher([new_key()]))) as store,
        pytest.raises(OperatorError, match="update-sync database upgrade"),
    ):
        ask(store)


def test_errors_hold_nobodys_data(store: Store, database_with_tables: str) -> None:
    """P6: neither the text of an error nor its trace holds a value of a person, or a secret."""
    run = begin_run(store, "event", "anna", "bo")
    old_values = {Attribute.LAST_NAME: "Uppdiktad"}
    store.claims.claim(run.id, "anna", "s1", old_values)
    told = []
    for provoke in (
        lambda: store.tenants.add(tenant(), CLIENT_SECRET),
        lambda: store.claims.claim(run.id, "bo", "s1", old_values),
        lambda: store.receipts.finish(run.id, "bo", result(Outcome.UNCHANGED, "s1")),
    ):
        with pytest.raises((UsageError, CollisionError)) as caught:
            provoke()
        told.append(caught.value)
    engine = create_engine(database_with_tables)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE receipts"))
        connection.execute(text("ALTER TABLE tenants RENAME TO tenants_of_old"))
    engine.dispose()
    for provoke in (
        lambda: store.tenants.add(tenant("grannkommun"), CLIENT_SECRET),
        lambda: store.claims.claim(run.id, "bo", "s2", old_values),
    ):
        with pytest.raises(OperatorError) as missing:
            provoke()
        told.append(missing.value)
    text_of_all = "\n".join("".join(traceback.format_exception(error)) for error in told)
    # The trace quotes the lines of this file, and these name no value either.
    for value in ("Uppdiktad", CLIENT_SECRET):
        assert value not in text_of_all


@pytest.mark.parametrize("number", [0, -1, 2**31, 2**63, 2**70])
def test_a_number_that_no_run_has(store: Store, number: int) -> None:
    """A run's number that cannot be one, in a forged message or on a command line, is just not found."""
    with pytest.raises(UsageError, match="no run"):
        store.runs.get(number)
    assert store.work_items.load(number, "anna") is None
    assert not store.runs.complete_if_done(number)


@pytest.mark.parametrize("user", ["an\x00na", "\ud800"])
def test_an_id_that_nobody_has(store: Store, user: str) -> None:
    """An id that no database can hold, in a forged message, is just not found."""
    run = begin_run(store, "event", "anna")
    assert store.work_items.load(run.id, user) is None


@pytest.mark.parametrize(
    "url", ["nonsense hunter2", "mysql://u:hunter2@127.0.0.1/d", "sqlite:////no/such/folder/books.db"]
)
def test_an_address_that_can_never_work(url: str) -> None:
    """An address that is none, of a database that we do not know, or in no folder, is a mistake."""
    with pytest.raises((UsageError, OperatorError)) as caught:
        Store(url, FieldCipher([new_key()])).runs.list()
    assert "hunter2" not in str(caught.value)


def test_both_names_of_postgresql_will_do() -> None:
    """`postgresql://` is taken, as is the form with the driver's name."""
    for scheme in ("postgresql", "postgresql+psycopg"):
        Store(f"{scheme}://nobody@127.0.0.1:1/nothing", FieldCipher([new_key()])).close()


@pytest.mark.parametrize("who", ["a\0b", "\ud800"])
def test_a_text_that_cannot_be_stored_is_nobodys(database_with_tables: str, who: str) -> None:
    """A NUL or half a surrogate in what somebody asks for is wrong use at most, on either database."""
    # SQLite takes a NUL, and knows nobody of that name.
    taken = who == "a\0b" and database_with_tables.startswith("sqlite")
    refused = nullcontext() if taken else pytest.raises(UsageError)
    with closing(Store(database_with_tables, FieldCipher([new_key()]))) as store, refused:
        assert store.user_history.find_user_ids("exempel", who, []) == []
