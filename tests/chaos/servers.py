"""The private RabbitMQ and PostgreSQL of an invocation, with a fresh place in each for every round."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

from tests.acceptance.commands import environment, update_sync
from tests.services import postgresql, rabbitmq

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    import psycopg


class Servers:
    """One private server of each kind; may be used by threads, one of which at a time may ill-treat it."""

    def __init__(self) -> None:
        self.rabbitmq = rabbitmq.PrivateRabbitMQ(rabbitmq.REQUIREMENT.binaries())
        try:
            self.postgresql = postgresql.PrivatePostgreSQL(postgresql.REQUIREMENT.binaries())
        except BaseException:
            self.rabbitmq.close()
            raise
        #: To be held by whoever stops, kills or blocks that server.
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
    def places(self) -> Iterator[tuple[str, str]]:
        """Give the address of an empty virtual host and of an upgraded database, both gone afterwards."""
        amqp_url = self.rabbitmq.create_vhost()
        try:
            database_url = self.postgresql.create_database(_upgraded)
            try:
                yield amqp_url, database_url
            finally:
                self.postgresql.drop_database(database_url)
        finally:
            self.rabbitmq.delete_vhost(amqp_url)

    def connect(self, database_url: str) -> psycopg.Connection:
        """Open a plain connection of the suite's own. Raises psycopg.OperationalError."""
        return self.postgresql.connect(database_url)


def _upgraded(database_url: str) -> None:
    done = update_sync("database", "upgrade", env=environment(UPDATE_SYNC_DATABASE_URL=database_url))
    if done.returncode:
        raise RuntimeError(f"the database was not upgraded: {done.stderr}")
