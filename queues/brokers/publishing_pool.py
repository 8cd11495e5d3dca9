"""A pool of RabbitMQ connections that the threads of a process share to publish and declare."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from pika.exceptions import AMQPChannelError

from queues.brokers.batch_publish import publish_batch
from queues.library_internals import shut_down_socket

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pika import BlockingConnection
    from pika.adapters.blocking_connection import BlockingChannel

#: The most connections of a process for publishing and declaring.
MAX_CONNECTIONS: Final = 4

#: Seconds after which an idle connection is closed: it does not answer heartbeats, and RabbitMQ waits for
#: them for at least a minute.
IDLE_TIMEOUT: Final = 15.0


class PublishingConnection:
    """A connection used by one thread at a time; its channel publishes in transactions."""

    def __init__(self, connection: BlockingConnection) -> None:
        self._connection = connection
        self._transactions: BlockingChannel | None = None
        self._returned: list[str] = []
        self.idle_since = 0.0

    @property
    def is_open(self) -> bool:
        """Whether the connection was open at the last check."""
        return bool(self._connection.is_open)

    def channel(self) -> BlockingChannel:
        """Return a new channel."""
        return self._connection.channel()

    def publish(self, bodies: Sequence[tuple[str, bytes]]) -> list[str]:
        """Publish bodies to their routing keys in one transaction; return the keys without a queue."""
        channel = self._transaction_channel()
        self._returned.clear()
        publish_batch(channel, bodies)
        channel.tx_commit()
        # RabbitMQ returned such messages before its answer, and pika keeps them until they are read.
        self._connection.process_data_events()
        return list(self._returned)

    def discard(self) -> None:
        """Close without a handshake: pika's own method waits for an answer that may not come."""
        with suppress(Exception):
            shut_down_socket(self._connection)
        self.close()

    def close(self) -> None:
        """Close the connection in whatever state it is."""
        with suppress(Exception):
            if self.is_open:
                self._connection.close()

    def _transaction_channel(self) -> BlockingChannel:
        if self._transactions is None or not self._transactions.is_open:
            self._transactions = self._connection.channel()
            self._transactions.add_on_return_callback(
                lambda _channel, method, _properties, _body: self._returned.append(method.routing_key)
            )
            self._transactions.tx_select()
        return self._transactions


class PublishingPool:
    """Lends connections, each to one thread at a time; makes them when they are needed.

    A thread waits while all connections are in use. A thread of the pool closes idle connections. It ends
    with the last idle connection, so that an idle process has neither.
    """

    def __init__(
        self,
        connect: Callable[[], BlockingConnection],
        *,
        most: int = MAX_CONNECTIONS,
        idle_timeout: float = IDLE_TIMEOUT,
    ) -> None:
        """Take the function that makes a connection, their maximum number, and the idle seconds."""
        self._connect = connect
        self._idle_for = idle_timeout
        self._places = threading.Semaphore(most)
        self._changed = threading.Condition()
        self._idle: list[PublishingConnection] = []
        self._keeper: threading.Thread | None = None

    @contextmanager
    def connection(self) -> Iterator[PublishingConnection]:
        """Lend a connection; it is closed after an error that concerns more than a channel.

        The idle connections are closed then too: usually the same cause has broken them all. Raises the
        errors of making a connection.
        """
        with self._places:
            held = self._take()
            try:
                yield held
            except AMQPChannelError:
                self._give_back(held)
                raise
            except BaseException:
                for each in (held, *self._take_idle()):
                    each.discard()
                raise
            self._give_back(held)

    def close(self) -> None:
        """Close the idle connections; the pool may be used again."""
        for each in self._take_idle():
            each.close()

    def _take_idle(self) -> list[PublishingConnection]:
        with self._changed:
            idle_timeout, self._idle = self._idle, []
            self._changed.notify_all()
        return idle_timeout

    def _take(self) -> PublishingConnection:
        with self._changed:
            # Take the connection that was used last, so that surplus connections become idle.
            while self._idle:
                held = self._idle.pop()
                if held.is_open:
                    return held
        return PublishingConnection(self._connect())

    def _give_back(self, held: PublishingConnection) -> None:
        if not held.is_open:
            return
        held.idle_since = time.monotonic()
        with self._changed:
            self._idle.append(held)
            if self._keeper is None:
                self._keeper = threading.Thread(target=self._keep, name="idle connections", daemon=True)
                self._keeper.start()

    def _keep(self) -> None:
        """Close connections that were idle for long enough, until none is idle."""
        while True:
            with self._changed:
                if not self._idle:
                    self._keeper = None
                    return
                wait = self._idle[0].idle_since + self._idle_for - time.monotonic()
                if wait > 0:
                    self._changed.wait(wait)
                    continue
                old = self._idle.pop(0)
            old.close()
