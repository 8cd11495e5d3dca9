"""The broker on RabbitMQ: quorum queues, confirmed publishing, lasting dead letters (P2, P8, P9)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

import pika
from dramatiq import Broker
from dramatiq.common import current_millis, dq_name, q_name, xq_name
from dramatiq.errors import ConnectionClosed
from pika.exceptions import AMQPChannelError

from queues.brokers.connection_errors import as_transient_error, translated_errors
from queues.brokers.connection_parameters import connection_parameters
from queues.brokers.consumer import QueueConsumer
from queues.brokers.publishing_pool import PublishingConnection, PublishingPool
from queues.brokers.topology import check_readable, count_consumers, declare_queues, read_queue_depth
from queues.dead_letters import QuorumBrowser, browsing
from queues.interfaces import QueueDepth, prepare_dramatiq
from queues.message import after_waiting
from queues.middleware.message_history import with_delay
from queues.queue_names import main_queue, prefetch_of, work_queues
from runtime.coalescer import Coalescer
from runtime.outage_log import OutageLog
from schemas.errors import Dependency, OperatorError, TransientError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from contextlib import AbstractContextManager

    from dramatiq import Message
    from dramatiq.middleware import Middleware

#: RabbitMQ may have closed an idle connection: then the next attempt works.
_MAX_ATTEMPTS: Final = 3

#: The most messages in one transaction, of those that threads publish singly.
_MAX_BATCH: Final = 500


class QuorumBroker(Broker):
    """Implements dramatiq's broker on quorum queues (see `queues.brokers.topology`).

    Threads share the connections of a pool to publish and to declare; each consumer has its own connection.
    """

    def __init__(
        self, url: str, middleware: Sequence[Middleware] = (), *, ca_bundle: str | None = None
    ) -> None:
        super().__init__(middleware=list(middleware))
        self.parameters = connection_parameters(url, ca_bundle)
        prepare_dramatiq()
        self.queues: set[str] = set()
        self.outage_log = OutageLog()
        self._pool = PublishingPool(lambda: pika.BlockingConnection(self.parameters))
        self._coalescer: Coalescer[str, bytes, None] = Coalescer(
            self._publish_coalesced, max_batch=_MAX_BATCH, shared_errors=(TransientError,)
        )
        self._declared: set[str] = set()

    def publish(self, messages: Sequence[Message[Any]]) -> None:
        """Publish in one AMQP transaction: its commit means that a quorum has confirmed every message.

        RabbitMQ guarantees a transaction for one queue only, and not if it crashes during the commit. So a
        reader must tolerate duplicates (promise P4).
        """
        bodies = [(message.queue_name, message.encode()) for message in messages]
        if len(bodies) == 1:
            self._coalescer.call(*bodies[0])
        elif bodies:
            self._publish_transaction(bodies)

    def publish_later(self, message: Message[Any], seconds: float) -> None:
        """Publish `message` to `NAME.DQ`, confirmed; it is processed after so many seconds."""
        queue = dq_name(message.queue_name)
        eta = current_millis() + round(seconds * 1000)
        waiting = with_delay(message, seconds).copy(queue_name=queue, options={"eta": eta})
        self._coalescer.call(queue, waiting.encode())

    def publish_dead_letter(self, message: Message[Any]) -> None:
        """Publish `message` to `NAME.XQ`, confirmed."""
        self._coalescer.call(xq_name(message.queue_name), message.encode())

    def enqueue(self, message: Message[Any], *, delay: int | None = None) -> Message[Any]:
        """Publish for dramatiq's workers: a message of `NAME.DQ` whose time has come.

        `delay` is in milliseconds. Raises dramatiq's `ConnectionClosed`, after which they try again.
        """
        try:
            if delay is None:
                self.publish([after_waiting(message)])
            else:
                self.publish_later(message, delay / 1000)
        except TransientError as error:
            # The thread that consumes delayed messages publishes this one.
            raise self._connection_closed(dq_name(message.queue_name), error) from None
        return message

    def browse_dead_letters(self, queue: str) -> AbstractContextManager[QuorumBrowser]:
        """Return a browser of the dead letters of `queue`; raises as `queues.dead_letters.browsing` does."""
        return browsing(self.parameters, queue)

    def depth(self, queue: str) -> QueueDepth:
        """Return how many messages are ready in `queue`; raises as `read_queue_depth` does."""
        return read_queue_depth(self.parameters, queue)

    def consumers(self, queue: str) -> int:
        """Return how many processes' consumers work on `queue`; raises as `read_queue_depth` does."""
        return count_consumers(self.parameters, queue)

    def check(self, consumed: Iterable[str] = (), published: Iterable[str] = ()) -> None:
        """Connect, and raise `TransientError` (broker) if RabbitMQ is unavailable or lacks something.

        With names of queues it checks that they can be declared, and `consumed` from or `published` to.
        Raises `OperatorError` (broker) if an operator has to fix something.
        """
        consumed = tuple(consumed)
        with translated_errors():
            for queue in dict.fromkeys((*consumed, *published)):
                self._with_connection(lambda held, queue=queue: self._declare(held, queue))  # type: ignore[misc] # at once
            for queue in (name for main in consumed for name in (*work_queues(main), dq_name(main))):
                check_readable(pika.BlockingConnection(self.parameters), queue)
            if not consumed:
                self._with_connection(lambda _: None)

    def disconnect(self) -> None:
        """Close the idle connections; the next use makes a new one."""
        self._pool.close()

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()

    def declare_queue(self, queue_name: str, *, ensure: bool = False) -> None:
        """Have a worker of this process consume a queue and the queues that belong to it.

        With `ensure` they are declared now; then it raises `TransientError` (broker).
        """
        queue = main_queue(q_name(queue_name))
        if queue not in self.queues:
            self.emit_before("declare_queue", queue)
            self.queues |= set(work_queues(queue))
            self.delay_queues.add(dq_name(queue))
            self.emit_after("declare_queue", queue)
            self.emit_after("declare_delay_queue", dq_name(queue))
            # dramatiq's own method would declare its queues for retries and dead letters as well.
            for apart in work_queues(queue):
                if apart != queue:
                    self.emit_after("declare_queue", apart)
        if ensure:
            self._with_connection(lambda held: self._ensure_declared(held, queue))

    def get_declared_queues(self) -> set[str]:
        """Return the names of the queues that this process consumes."""
        return self.queues.copy()

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 5000) -> QueueConsumer:
        """Return a consumer of the queue, for dramatiq's workers; `timeout` is in milliseconds.

        Raises only dramatiq's `ConnectionClosed`. After any other error the worker's thread for the queue
        would end, and nothing would consume the queue any more.
        """
        try:
            with translated_errors():
                self.declare_queue(queue_name, ensure=True)
                consumer = QueueConsumer(self, queue_name, prefetch_of(queue_name, prefetch), timeout)
        except TransientError as error:
            raise self.connection_lost(queue_name, error) from None
        self.outage_log.report_up(Dependency.BROKER, _consumer_part(queue_name))
        return consumer

    def connection_lost(self, queue_name: str, error: Exception) -> ConnectionClosed:
        """Log the `error` that ended a consumer, and return the exception that it raises instead."""
        # The queue may have been deleted.
        self._declared.discard(main_queue(q_name(queue_name)))
        return self._connection_closed(queue_name, as_transient_error(error))

    def _connection_closed(self, queue_name: str, outage: TransientError) -> ConnectionClosed:
        self.outage_log.report_down(Dependency.BROKER, _consumer_part(queue_name), outage.detail)
        # dramatiq would log it for each consumer every three seconds.
        logging.getLogger(f"dramatiq.worker.ConsumerThread({queue_name})").addFilter(_is_not_connection_error)
        return ConnectionClosed(outage)  # type: ignore[no-untyped-call] # dramatiq has no types there

    def _publish_coalesced(self, key: str, bodies: Sequence[bytes]) -> list[None]:
        """Publish the messages that several threads have for one queue at the same time."""
        self._publish_transaction([(key, body) for body in bodies])
        return [None] * len(bodies)

    def _publish_transaction(self, bodies: Sequence[tuple[str, bytes]]) -> None:
        queues = {main_queue(q_name(key)) for key, _ in bodies}

        def transaction(held: PublishingConnection) -> None:
            # Not declare_queue: it would make a dramatiq worker in this process consume the queue.
            for queue in queues:
                self._ensure_declared(held, queue)
            if missing := held.publish(bodies):
                self._declared.difference_update(main_queue(q_name(key)) for key in missing)
                raise AMQPChannelError(f"no queue {missing[0]}")

        self._with_connection(transaction)

    def _ensure_declared(self, held: PublishingConnection, queue: str) -> None:
        if queue not in self._declared:
            self._declare(held, queue)

    def _declare(self, held: PublishingConnection, queue: str) -> None:
        declare_queues(held.channel, queue)
        self._declared.add(queue)

    def _with_connection(self, action: Callable[[PublishingConnection], object]) -> None:
        """Run an action with a connection; raise `TransientError` (broker) if that fails."""
        for attempt in range(1, _MAX_ATTEMPTS + 1):
            connected = False
            try:
                with self._pool.connection() as held:
                    connected = True
                    action(held)
            except Exception as error:  # noqa: BLE001 - that RabbitMQ cannot be told is an outage, always
                outage = as_transient_error(error)
                hopeless = isinstance(outage, OperatorError) or not connected
                if hopeless or attempt == _MAX_ATTEMPTS:
                    raise outage from None
            else:
                return


def _consumer_part(queue: str) -> str:
    return f"consuming {queue}"


def _is_not_connection_error(record: logging.LogRecord) -> bool:
    return not str(record.msg).startswith("Consumer encountered a connection error")
