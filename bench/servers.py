"""The private RabbitMQ and PostgreSQL of an invocation, with a fresh place in each for every measurement."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Final

from tests.acceptance.commands import environment, update_sync
from tests.services import postgresql, rabbitmq

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

#: As one would run it, and unlike the tests': what is committed is on the disk.
DURABLE: Final = ("max_connections=200", "unix_socket_directories=")


class Servers:
    """One private server of each kind."""

    def __init__(self, broker: rabbitmq.RabbitMQ, database: postgresql.PostgreSQL) -> None:
        self.rabbitmq = broker
        self.postgresql = database

    @contextmanager
    def virtual_host(self) -> Iterator[str]:
        """Give the address of an empty virtual host, which is gone afterwards."""
        url = self.rabbitmq.create_vhost()
        try:
            yield url
        finally:
            self.rabbitmq.delete_vhost(url)

    @contextmanager
    def database(self) -> Iterator[str]:
        """Give the address of an upgraded database, which is gone afterwards."""
        url = self.postgresql.create_database(_upgraded)
        try:
            yield url
        finally:
            self.postgresql.drop_database(url)

    def connect(self, database_url: str) -> psycopg.Connection:
        """Open a plain connection of the bench's own."""
        return self.postgresql.connect(database_url)


@contextmanager
def servers() -> Iterator[Servers]:
    """Start both and keep them until the block ends. Raises Unavailable when one cannot be had here."""
    with (
        closing(rabbitmq.PrivateRabbitMQ(rabbitmq.REQUIREMENT.binaries())) as broker,
        closing(postgresql.PrivatePostgreSQL(postgresql.REQUIREMENT.binaries(), DURABLE)) as database,
    ):
        yield Servers(broker, database)


def _upgraded(database_url: str) -> None:
    done = update_sync("database", "upgrade", env=environment(UPDATE_SYNC_DATABASE_URL=database_url))
    if done.returncode:
        raise RuntimeError(f"the database was not upgraded: {done.stderr}")
