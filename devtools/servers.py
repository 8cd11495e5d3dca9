"""The private RabbitMQ and PostgreSQL of an invocation, with fresh places in each."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Final, Self

from devtools.commands import COMMAND, command_environment, update_sync
from devtools.services import postgresql, rabbitmq

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import TracebackType

    import psycopg

#: PostgreSQL as operators run it: what is committed is on the disk. Tests give that up for speed.
DURABLE: Final = ("max_connections=200", "unix_socket_directories=")


class Servers:
    """One private server of each kind. Threads may share it; one at a time may ill-treat a server."""

    def __init__(self, *, postgresql_settings: Sequence[str] = postgresql.SETTINGS) -> None:
        """Start both. Raises Unavailable when one cannot be had here."""
        self.rabbitmq = rabbitmq.PrivateRabbitMQ(rabbitmq.REQUIREMENT.binaries())
        try:
            self.postgresql = postgresql.PrivatePostgreSQL(
                postgresql.REQUIREMENT.binaries(), postgresql_settings
            )
        except BaseException:
            self.rabbitmq.close()
            raise
        #: Held while that server is stopped, killed or blocked.
        self.broker_lock = threading.Lock()
        self.database_lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.rabbitmq.close()
        self.postgresql.close()

    @contextmanager
    def virtual_host(self) -> Iterator[str]:
        """Give the address of an empty virtual host, which is gone afterwards."""
        url = self.rabbitmq.create_vhost()
        try:
            yield url
        finally:
            self.rabbitmq.delete_vhost(url)

    @contextmanager
    def database(self, command: str = COMMAND) -> Iterator[str]:
        """Give the address of a database that `command` has upgraded; it is gone afterwards."""
        url = self.postgresql.create_database(upgrade_with(command))
        try:
            yield url
        finally:
            self.postgresql.drop_database(url)

    def connect(self, database_url: str) -> psycopg.Connection:
        """Open a plain connection, no part of the product. Raises psycopg.OperationalError."""
        return self.postgresql.connect(database_url)


@cache
def upgrade_with(command: str) -> Callable[[str], None]:
    """Return what upgrades a database to the tables of a version's `update-sync`; one object a version.

    Another version's tables are not those of this one, and its processes refuse to start on them.
    """

    def upgrade(database_url: str) -> None:
        env = command_environment(UPDATE_SYNC_DATABASE_URL=database_url)
        done = update_sync("database", "upgrade", env=env, command=command)
        if done.returncode:
            raise RuntimeError(f"the database was not upgraded by {command}: {done.stderr}")

    return upgrade
