"""The broker in one process's memory: for the sandbox, and for tests without a server."""

from __future__ import annotations

import datetime as dt
import time
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import Empty
from threading import Lock
from typing import TYPE_CHECKING, Any

from dramatiq.brokers.stub import StubBroker
from dramatiq.common import dq_name, q_name

from queues.admission import admit
from queues.interfaces import BrowsedMessage, QueueDepth, prepare_dramatiq
from queues.library_internals import StubConsumer, StubMessageProxy
from queues.queue_names import main_queue
from schemas.messages.envelope import UndecodableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from queue import Queue

    from dramatiq import Message
    from dramatiq.broker import MessageProxy
    from dramatiq.middleware import Middleware


class MemoryBroker(StubBroker):
    """Extends dramatiq's stub broker with dead letters of any bytes, as RabbitMQ has them."""

    def __init__(self, middleware: Sequence[Middleware] = ()) -> None:
        super().__init__(middleware=list(middleware))
        prepare_dramatiq()
        self._dead_letters: defaultdict[str, list[StoredDeadLetter]] = defaultdict(list)
        self._locks: defaultdict[str, Lock] = defaultdict(Lock)

    def publish(self, messages: Sequence[Message[Any]]) -> None:
        """Put all messages into their queues; what is quick elsewhere takes its turn here."""
        for message in messages:
            self.put(main_queue(message.queue_name), message.encode())

    def put(self, queue: str, body: bytes) -> None:
        """Put any bytes into a queue, as a foreign AMQP client would."""
        self.declare_queue(queue)
        self.queues[queue].put(body)

    def publish_later(self, message: Message[Any], seconds: float) -> None:
        """Put `message` into its queue, to be processed after so many seconds."""
        self.declare_queue(message.queue_name)
        self.enqueue(message, delay=round(seconds * 1000))

    def publish_dead_letter(self, message: Message[Any]) -> None:
        """Add `message` to the dead letters of its queue."""
        self._dead_letters[q_name(message.queue_name)].append(StoredDeadLetter(body=message.encode()))

    @contextmanager
    def browse_dead_letters(self, queue: str) -> Iterator[MemoryBrowser]:
        """Browse the dead letters of `queue`, one browser at a time."""
        with self._locks[queue]:
            yield MemoryBrowser(queue, self._dead_letters[queue])

    def depth(self, queue: str) -> QueueDepth:
        """Return how many messages are ready, and how many are deferred."""
        ready, deferred = (
            self.queues[name].qsize() if name in self.queues else 0 for name in (queue, dq_name(queue))
        )
        return QueueDepth(ready=ready, deferred=deferred)

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 100) -> MemoryConsumer:
        """Return a consumer of the queue, for dramatiq's workers."""
        return MemoryConsumer(
            queue_name, self.queues[queue_name], self._dead_letters[q_name(queue_name)], prefetch, timeout
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class StoredDeadLetter:
    """A dead letter with the headers that RabbitMQ would have written."""

    body: bytes
    headers: dict[str, Any] = field(default_factory=dict)


class MemoryBrowser:
    """Browses a list of dead letters; see `queues.interfaces.DeadLetterBrowser`."""

    def __init__(self, queue: str, dead_letters: list[StoredDeadLetter]) -> None:
        self._queue = queue
        self._dead_letters = dead_letters
        self._snapshot = tuple(dead_letters)

    def __iter__(self) -> Iterator[BrowsedMessage]:
        """Yield the dead letters that existed when browsing began, oldest first."""
        for delivery_tag, stored in enumerate(self._snapshot):
            yield BrowsedMessage(
                delivery_tag=delivery_tag, queue=self._queue, body=stored.body, headers=stored.headers
            )

    def ack(self, found: BrowsedMessage) -> None:
        """Remove a dead letter for good."""
        self._dead_letters.remove(self._snapshot[found.delivery_tag])

    def pause(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


class MemoryConsumer(StubConsumer):
    """Keeps the bytes of a rejected or undecodable message as a dead letter, as RabbitMQ does."""

    def __init__(
        self,
        queue_name: str,
        queue: Queue[bytes],
        dead_letters: list[StoredDeadLetter],
        prefetch: int,
        timeout: int,
    ) -> None:
        super().__init__(queue, [], prefetch, timeout)  # type: ignore[no-untyped-call] # dramatiq has no types there
        self._queue_name = queue_name
        self._dead_letters = dead_letters

    def nack(self, message: MessageProxy) -> None:
        """Reject a message for good."""
        self._reject(message.encode())

    def __next__(self) -> MessageProxy | None:
        if not self.prefetch_semaphore.acquire(timeout=self.timeout / 1000):
            return None
        try:
            body = self.queue.get(timeout=self.timeout / 1000)
        except Empty:
            self.prefetch_semaphore.release()
            return None
        try:
            message = admit(body, self._queue_name)
        except UndecodableError:
            self._reject(body)
            return None
        return StubMessageProxy(message)

    def _reject(self, body: bytes) -> None:
        death = {"reason": "rejected", "queue": self._queue_name, "time": dt.datetime.now(dt.UTC)}
        self._dead_letters.append(StoredDeadLetter(body=body, headers={"x-death": [death]}))
        self.queue.task_done()
        self.prefetch_semaphore.release()
