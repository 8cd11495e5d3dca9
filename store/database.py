"""The connection to the database: PostgreSQL, or SQLite where nothing is installed."""

from __future__ import annotations

import os
import select
import sqlite3
import time
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DisconnectionError

from runtime.services import DATABASE, NO_BREAKER, Breakers
from schemas.errors import UsageError
from store.database_errors import translate_errors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from sqlalchemy import URL, Connection, Engine

#: Seconds that a writer on SQLite waits for the other writers.
SQLITE_BUSY_TIMEOUT: Final = 60

#: PostgreSQL's own.
POSTGRESQL_PORT: Final = 5432

#: Connections for what threads ask together: each kind takes one at a time.
LOOKUP_POOL_SIZE: Final = 4

#: Seconds to wait for a free connection of the pool, and for a new one to be made.
POOL_TIMEOUT: Final = 30
CONNECT_TIMEOUT: Final = 10

#: Seconds of silence on a connection after which the server is asked whether it is still there.
KEEPALIVE: Final = 30

#: The addresses that are taken, and the drivers that we use for them.
_DRIVERS: Final = {
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
    "sqlite": "sqlite",
}


class Database:
    """An engine that is made at the first use; may be shared by threads."""

    def __init__(self, url: str, *, pool_size: int = 6, breakers: Breakers = NO_BREAKER) -> None:
        self._url = _with_driver(url)
        #: What errors call it: no user, no password.
        self._address = f"{self._url.host or 'localhost'}:{self._url.port or POSTGRESQL_PORT}"
        self._breakers = breakers
        self._engine = _engine(self._url, pool_size)
        self._lookup_engine = self._engine if self.is_sqlite else _lookup_engine(self._url)
        # The same connections, of which each statement is a transaction.
        self._autocommit = self._lookup_engine.execution_options(isolation_level="AUTOCOMMIT")

    @property
    def engine(self) -> Engine:
        """The engine, for migrations."""
        return self._engine

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is a file of ours."""
        return self._url.get_backend_name() == "sqlite"

    @contextmanager
    def transaction(self, *, point_lookups: bool = False) -> Iterator[Connection]:
        """Give a connection whose work is committed at the end, or rolled back when something is raised.

        `point_lookups` is for statements that look up some rows by their keys and do nothing else: they are
        planned once, for that.

        Raises as `store.database_errors.translated` does.
        """
        engine = self._lookup_engine if point_lookups else self._engine
        with self._breakers.guard(DATABASE), translate_errors(self._address), engine.begin() as connection:
            yield connection

    @contextmanager
    def statement(self) -> Iterator[Connection]:
        """Give a connection for one statement that looks up rows by their keys; raises as `transaction` does.

        On PostgreSQL it is a transaction by itself, so nothing has to be begun and committed around it.
        """
        with (
            self._breakers.guard(DATABASE),
            translate_errors(self._address),
            self._one_statement() as connection,
        ):
            yield connection

    @contextmanager
    def unguarded_statement(self) -> Iterator[Connection]:
        """Give a connection as `statement` does, but wait for no circuit breaker, and open none.

        It is for what a thread can do without: while the database is away, an error is raised at once.
        """
        with translate_errors(self._address), self._one_statement() as connection:
            yield connection

    def prefer_indexes(self, connection: Connection) -> None:
        """Have the transaction look rows up in indexes, even where the server would read a whole table.

        A run's results lie together, so that they are read faster than the server expects, and other
        tenants' results not at all.
        """
        if not self.is_sqlite:
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")

    def prefer_order(self, connection: Connection) -> None:
        """Have the transaction read rows in the order of an index, rather than all of them and sort these.

        It is for the first rows of a long list, where the server underrates how long the list is.
        """
        if not self.is_sqlite:
            connection.exec_driver_sql("SET LOCAL enable_sort = off")

    def _one_statement(self) -> AbstractContextManager[Connection]:
        return self._engine.begin() if self.is_sqlite else self._autocommit.connect()

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()
        self._lookup_engine.dispose()


def _with_driver(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        parsed = None
    if parsed is None or parsed.drivername not in _DRIVERS:
        raise UsageError("The database's address must start with postgresql:// or sqlite://.") from None
    return parsed.set(drivername=_DRIVERS[parsed.drivername])


def _engine(url: URL, pool_size: int) -> Engine:
    if url.get_backend_name() == "sqlite":
        engine = create_engine(
            url, hide_parameters=True, connect_args={"timeout": SQLITE_BUSY_TIMEOUT}, pool_size=pool_size
        )
        event.listen(engine, "do_connect", partial(_make_private, url.database or ""))
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    return _postgresql(url, pool_size)


def _lookup_engine(url: URL) -> Engine:
    """Return an engine whose connections look up rows by keys, whatever the statistics say.

    What these say of a table that is being filled is long untrue: a run's whole receipts would be read
    for each few that are asked for. And to plan such a statement takes longer than to carry it out.
    """
    engine = _postgresql(url, LOOKUP_POOL_SIZE)
    event.listen(engine, "connect", _prefer_index_lookups)
    return engine


def _prefer_index_lookups(connection: Any, _record: object) -> None:
    connection.execute("SET plan_cache_mode = force_generic_plan")
    for other in ("seqscan", "hashjoin", "mergejoin"):
        connection.execute(f"SET enable_{other} = off")
    connection.commit()


def _postgresql(url: URL, pool_size: int) -> Engine:
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_size=pool_size,
        # What goes beyond the size would be made anew for each transaction and closed after it.
        max_overflow=0,
        pool_timeout=POOL_TIMEOUT,
        connect_args={
            "connect_timeout": CONNECT_TIMEOUT,
            # A server that vanished without a word is noticed, whether we wait for it or send to it.
            "keepalives_idle": KEEPALIVE,
            "keepalives_interval": KEEPALIVE // 3,
            "keepalives_count": 3,
            "tcp_user_timeout": 2 * KEEPALIVE * 1000,
        },
    )
    event.listen(engine, "connect", _without_compilation)
    event.listen(engine, "checkout", partial(_check, engine))
    return engine


def _without_compilation(connection: Any, _record: object) -> None:
    """Have the server compile no statement: that takes seconds, and each of ours takes less."""
    connection.execute("SET jit = off")
    connection.commit()


def _check(engine: Engine, connection: Any, _record: object, _proxy: object) -> None:
    """Have a connection replaced that the server has closed while it was not in use.

    Then there is something to be read from it, which costs no journey to find out; SQLAlchemy's
    `pool_pre_ping` makes one for every transaction.
    """
    if _has_news(connection) and not _answers(engine, connection):
        raise DisconnectionError


def _has_news(connection: Any) -> bool:
    if connection.closed:
        return True
    watch = select.poll()
    watch.register(connection.fileno(), select.POLLIN)
    return bool(watch.poll(0))


def _answers(engine: Engine, connection: Any) -> bool:
    try:
        return bool(engine.dialect.do_ping(connection))
    except engine.dialect.dbapi.Error:  # type: ignore[union-attr] # psycopg is loaded by now
        return False


def _make_private(path: str, *_: object) -> None:
    """Make the file, if there is none, for our user alone: SQLite would go by the umask."""
    if path and not path.startswith(("file:", ":")):
        # Whatever keeps us from it is said when SQLite opens the file.
        with suppress(OSError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # SQLAlchemy's way of having transactions begin where it says so, and not where sqlite3 thinks.
    connection.isolation_level = None
    _use_write_ahead_log(connection)
    for pragma in ("synchronous = NORMAL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Switch it on, unless that is done: SQLite does not wait for its turn to do that, so we do."""
    ends = time.monotonic() + SQLITE_BUSY_TIMEOUT
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > ends:
                raise
            time.sleep(0.01)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that begins as a reader cannot wait for its turn to write: it fails at once.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
