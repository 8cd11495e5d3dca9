"""Browses a queue's dead letters, oldest first; each is acknowledged or stays.

No dead letter is lost or changes its place, however browsing ends, even if the process is killed, and while
workers add dead letters. That rests on three findings (docs/decisions/0045-browsing-dead-letters.md):

- When a channel ends, its consumer's deliveries return to the head of the queue in their old order. Rejected
  messages, and those fetched one by one, return in any order. So a dead letter that stays is never answered,
  and browsing ends by closing its channel.
- A consumer gets no more than its prefetch window, so that neither side buffers the whole queue. When the
  window is full of dead letters that stay, the next consumer has a larger one.
- RabbitMQ hides the deliveries of one browser from another one. So browsers take turns: each has an exclusive
  queue of a certain name.
"""

from __future__ import annotations

import itertools
import time
from collections import deque
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

import pika
from dramatiq.common import xq_name
from pika.exceptions import ChannelClosedByBroker

from queues.brokers.connection_errors import translated_errors
from queues.interfaces import BrowsedMessage
from queues.library_internals import begin_close
from schemas.errors import Dependency, TransientError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pika.adapters.blocking_connection import BlockingChannel

    from queues.interfaces import DeadLetterSource
    from schemas.messages.dead_letter import DeadLetter

#: The smallest and the largest prefetch window (AMQP has two bytes for it). Windows grow by the factor: with
#: more than 32 consumers the dead letters would return in any order.
FIRST_PREFETCH: Final = 100
MAX_PREFETCH: Final = 65_535
PREFETCH_GROWTH: Final = 2

#: Dead letters that are read at once and kept in memory.
PAGE_SIZE: Final = 1000

#: Seconds to wait for another browser to end. Our longest one takes a minute.
LOCK_TIMEOUT: Final = 120.0

#: Seconds to wait for a dead letter that existed at the beginning, and between two other checks.
DELIVERY_TIMEOUT: Final = 20.0
_POLL_INTERVAL: Final = 0.1

#: Seconds for which RabbitMQ may count the consumer of a dead process.
_CONSUMER_LINGER: Final = 5.0

#: Seconds between two signs of life to RabbitMQ; its heartbeats are a minute apart.
_HEARTBEAT_INTERVAL: Final = 5.0

#: The replies of AMQP 0-9-1 for a missing queue, and for another connection's exclusive queue.
_NOT_FOUND: Final = 404
_LOCKED: Final = 405


def iter_locked(
    broker: DeadLetterSource, queues: Sequence[str], *, size: int = PAGE_SIZE
) -> Iterator[list[DeadLetter]]:
    """Yield all dead letters of some queues in batches, and keep the lock meanwhile.

    For quick consumers. Raises `TransientError` (broker).
    """
    for queue in queues:
        with broker.browse_dead_letters(queue) as browser:
            dead_letters = (found.dead_letter for found in browser)
            while page := list(itertools.islice(dead_letters, size)):
                yield page


def iter_paged(
    broker: DeadLetterSource, queues: Sequence[str], *, size: int = PAGE_SIZE
) -> Iterator[list[DeadLetter]]:
    """Yield all dead letters of some queues in batches, and release the lock in between.

    For slow consumers, such as an operator who reads. Raises `TransientError` (broker).
    """
    for queue in queues:
        seen, more = 0, True
        while more:
            with broker.browse_dead_letters(queue) as browser:
                page = [found.dead_letter for found in itertools.islice(browser, seen, seen + size)]
            yield page
            seen += len(page)
            more = len(page) == size


class QuorumBrowser:
    """Browses dead letters on RabbitMQ."""

    def __init__(self, connection: pika.BlockingConnection, queue: str, *, first_prefetch: int) -> None:
        self._connection = connection
        self._channel: BlockingChannel = connection.channel()
        self._queue = queue
        self._prefetch = first_prefetch
        self._arrived: deque[tuple[int, Any, bytes]] = deque()
        # The deliveries of the present consumer, and the position before its first one.
        self._in_flight = 0
        self._before = 0

    def __iter__(self) -> Iterator[BrowsedMessage]:
        """Yield the dead letters that exist now."""
        with translated_errors():
            left = self._count()
        delivery_tag = 0
        for consumer in itertools.count():
            if not left:
                return
            tag = f"browse-{consumer:02}"
            self._in_flight, self._before = 0, delivery_tag
            with translated_errors():
                self._channel.basic_qos(prefetch_count=self._prefetch)
                self._channel.basic_consume(xq_name(self._queue), self._arrive, consumer_tag=tag)
            while left and self._in_flight < self._prefetch:
                with translated_errors():
                    arrived = self._next()
                if arrived is None:
                    return
                delivery_tag, headers, body = arrived
                left -= 1
                self._in_flight += 1
                yield BrowsedMessage(delivery_tag=delivery_tag, queue=self._queue, body=body, headers=headers)
            if left:
                with translated_errors():
                    self._channel.basic_cancel(tag)
                self._prefetch = min(self._prefetch * PREFETCH_GROWTH, MAX_PREFETCH)

    def ack(self, found: BrowsedMessage) -> None:
        """Acknowledge a dead letter."""
        with translated_errors():
            self._channel.basic_ack(found.delivery_tag)
        self._in_flight -= found.delivery_tag > self._before

    def pause(self, seconds: float) -> None:
        """Wait, and send RabbitMQ a sign of life now and then."""
        ends = time.monotonic() + seconds
        while (left := ends - time.monotonic()) > 0:
            time.sleep(min(left, _HEARTBEAT_INTERVAL))
            with translated_errors():
                self._connection.process_data_events(time_limit=0)

    def end(self) -> None:
        """Return the deliveries to the queue in their order."""
        if self._channel.is_open:
            # Not pika's own `close`: it rejects deliveries that were not read yet, which changes their order.
            begin_close(self._channel)
            while not self._channel.is_closed:
                self._connection.process_data_events(time_limit=_POLL_INTERVAL)

    def _arrive(self, _channel: object, method: Any, properties: Any, body: bytes) -> None:
        self._arrived.append((method.delivery_tag, properties.headers, body))

    def _count(self) -> int:
        """Return the number of dead letters, once no earlier consumer may still return some."""
        ends = time.monotonic() + _CONSUMER_LINGER
        while True:
            try:
                there = self._channel.queue_declare(xq_name(self._queue), passive=True).method
            except ChannelClosedByBroker as error:
                if error.reply_code == _NOT_FOUND:
                    return 0
                raise
            if not there.consumer_count or time.monotonic() >= ends:
                return int(there.message_count)
            time.sleep(_POLL_INTERVAL)

    def _next(self) -> tuple[int, Any, bytes] | None:
        """Return the next dead letter, None when the missing ones are gone."""
        ends = time.monotonic() + DELIVERY_TIMEOUT
        while not self._arrived:
            self._connection.process_data_events(time_limit=_POLL_INTERVAL)
            if not self._arrived and time.monotonic() >= ends:
                # RabbitMQ counts messages on their way to us as delivered, so this alone proves nothing.
                there = self._channel.queue_declare(xq_name(self._queue), passive=True).method
                if not there.message_count:
                    return None
                raise TransientError(Dependency.BROKER, "RabbitMQ does not hand out its dead letters")
        return self._arrived.popleft()


@contextmanager
def browsing(
    parameters: pika.Parameters, queue: str, *, first_prefetch: int = FIRST_PREFETCH
) -> Iterator[QuorumBrowser]:
    """Browse the dead letters of `queue`, one browser at a time.

    Raises `TransientError` (broker) when RabbitMQ is unavailable, or another browser takes too long.
    """
    with translated_errors():
        connection = pika.BlockingConnection(parameters)
    try:
        with translated_errors():
            _lock(connection, f"{xq_name(queue)}.lock")
            browser = QuorumBrowser(connection, queue, first_prefetch=first_prefetch)
        try:
            yield browser
        except BaseException:
            # The caller's exception is raised, also when the connection has broken meanwhile.
            with suppress(Exception):
                browser.end()
            raise
        with translated_errors():
            browser.end()
    finally:
        with suppress(Exception):
            connection.close()


def _lock(connection: pika.BlockingConnection, name: str) -> None:
    ends = time.monotonic() + LOCK_TIMEOUT
    while True:
        try:
            # The connection's end deletes the queue, whatever ended it.
            connection.channel().queue_declare(name, exclusive=True, arguments={"x-queue-type": "classic"})
        except ChannelClosedByBroker as error:
            if error.reply_code != _LOCKED:
                raise
        else:
            return
        if time.monotonic() >= ends:
            raise TransientError(Dependency.BROKER, "another process reads the dead letters all the time")
        time.sleep(_POLL_INTERVAL)
