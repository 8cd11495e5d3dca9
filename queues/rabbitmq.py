"""RabbitMQ as we use it: quorum queues, confirmed publishing, dead letters that stay (P2, P8, P9)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pika
from dramatiq.brokers.rabbitmq import RabbitmqBroker, _RabbitmqConsumer
from dramatiq.common import q_name, xq_name
from dramatiq.errors import ConnectionClosed
from pika.exceptions import AMQPChannelError, AMQPConnectionError, UnroutableError

from queues.broker import readdressed, use_our_envelope
from schemas.errors import Dependency, TransientError, WrongUseError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from dramatiq import Message
    from dramatiq.broker import MessageProxy
    from dramatiq.middleware import Middleware
    from pika.adapters.blocking_connection import BlockingChannel

#: How often a message may come back from workers that died over it before it becomes a dead letter.
DELIVERY_LIMIT: Final = 20

#: For queues whose messages are handed out and put back in the ordinary course of things. RabbitMQ 4
#: has a limit of 20 where none is set, and 3.10 does not know -1, its word for "no limit".
UNLIMITED_DELIVERIES: Final = 1_000_000

#: Seconds to wait for RabbitMQ to take a blocked connection up again (its memory or disk alarm).
BLOCKED_TIMEOUT: Final = 60

#: A connection that idled may have been closed by the other side: the next one works.
_ATTEMPTS: Final = 3

#: What it means that a queue does not exist (AMQP 0-9-1: NOT_FOUND).
_NOT_FOUND: Final = 404

#: What it means that a queue exists with other properties (AMQP 0-9-1: PRECONDITION_FAILED).
_PRECONDITION_FAILED: Final = 406


class QuorumBroker(RabbitmqBroker):
    """dramatiq's broker on quorum queues.

    Each queue `NAME` has a `NAME.DQ` for messages that wait for their time, and a `NAME.XQ` for
    dead letters, which, unlike dramatiq's own, never expire.
    """

    def __init__(self, url: str, middleware: Sequence[Middleware] = ()) -> None:
        super().__init__(confirm_delivery=True, middleware=list(middleware))
        parameters = pika.URLParameters(url)
        parameters.blocked_connection_timeout = BLOCKED_TIMEOUT
        self.parameters = parameters
        use_our_envelope()
        self._publishable: set[str] = set()

    @property
    def consumer_class(self) -> type[_RabbitmqConsumer]:
        """Name the consumer that dramatiq's workers use."""
        return QueueConsumer

    def publish(self, messages: Sequence[Message[Any]]) -> None:
        """Publish in one AMQP transaction: committed means confirmed, by a quorum, for all of them.

        RabbitMQ keeps the promise of a transaction for one queue only, and not when it crashes in
        mid-commit: whoever reads must take a message twice (promise P4).
        """
        if not messages:
            return
        bodies = [(message.queue_name, message.encode()) for message in messages]
        queues = {queue for queue, _ in bodies}

        def transaction() -> None:
            for queue in queues:
                self._ensure_publishable(queue)
            channel, returned = self._transaction_channel()
            returned.clear()
            for queue, body in bodies:
                self._send(channel, queue, body)
            channel.tx_commit()
            # What RabbitMQ gave back came before its answer, and pika holds it until it is asked.
            channel.connection.process_data_events()
            if returned:
                self._publishable.difference_update(returned)
                raise AMQPChannelError(f"no queue {returned[0]}")

        self._persistently(transaction)

    def publish_dead_letter(self, message: Message[Any]) -> None:
        """Put `message` into `NAME.XQ`, confirmed."""
        queue = q_name(message.queue_name)
        body = message.encode()

        def send() -> None:
            self._ensure_publishable(queue)
            try:
                self._send(self.channel, xq_name(queue), body)
            except UnroutableError:
                self._publishable.discard(queue)
                raise

        self._persistently(send)

    def read_dead_letters(self, queue: str) -> Iterator[bytes]:
        """Yield the dead letters of `queue`; they go back to their places when the walk ends.

        After a walk that was broken off, RabbitMQ may put those that were seen behind the others.
        Raises `TransientError` (broker) when RabbitMQ is away.
        """
        try:
            with pika.BlockingConnection(self.parameters) as connection:
                yield from _walk(connection.channel(), xq_name(queue))
        except (AMQPConnectionError, AMQPChannelError) as error:
            if getattr(error, "reply_code", None) != _NOT_FOUND:
                raise TransientError(
                    Dependency.BROKER, f"RabbitMQ did not show its dead letters ({type(error).__name__})"
                ) from None

    def check(self) -> None:
        """Connect and declare nothing; raise `TransientError` (broker) when there is no RabbitMQ."""
        self._persistently(lambda: self.connection)

    def _ensure_publishable(self, queue: str) -> None:
        # Not declare_queue: a dramatiq worker in this process would begin to consume the queue.
        if queue not in self._publishable:
            self._declare(queue, self._build_queue_arguments(queue))
            self._declare_dq_queue(queue)
            self._declare_xq_queue(queue)
            self._publishable.add(queue)

    def _transaction_channel(self) -> tuple[BlockingChannel, list[str]]:
        """Return this thread's channel for transactions, and where the names of missing queues turn up.

        A channel with confirms cannot have transactions, so it is one of its own.
        """
        connection = self.connection
        kept: _Transactions | None = getattr(self.state, "transactions", None)
        if kept is None or kept.connection is not connection or not kept.channel.is_open:
            kept = _Transactions(connection)
            self.state.transactions = kept
        return kept.channel, kept.returned

    def _send(self, channel: BlockingChannel, routing_key: str, body: bytes) -> None:
        channel.basic_publish(
            exchange="",
            routing_key=routing_key,
            body=body,
            properties=pika.BasicProperties(
                delivery_mode=pika.DeliveryMode.Persistent, content_type="application/json"
            ),
            mandatory=True,
        )

    def _persistently(self, action: Callable[[], object]) -> None:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                action()
            except (AMQPConnectionError, AMQPChannelError, ConnectionClosed) as error:
                del self.connection
                if getattr(error, "reply_code", None) == _PRECONDITION_FAILED:
                    raise WrongUseError(
                        "A queue of ours exists in RabbitMQ with other properties; is it another "
                        "system's, or an older version's? Empty and delete it, then start again."
                    ) from None
                if attempt == _ATTEMPTS:
                    raise TransientError(
                        Dependency.BROKER, f"RabbitMQ did not take it ({type(error).__name__})"
                    ) from None
            else:
                return

    def _build_queue_arguments(self, queue_name: str) -> dict[str, Any]:
        return {
            "x-queue-type": "quorum",
            "x-delivery-limit": DELIVERY_LIMIT,
            "x-dead-letter-exchange": "",
            "x-dead-letter-routing-key": xq_name(queue_name),
            # Without it a dead letter is sent once and forgotten; it demands this way of overflowing.
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
        }

    def _declare_dq_queue(self, queue_name: str) -> Any:
        # A waiting message lies unacknowledged in a worker; that the worker ends is no fault of it.
        return self._declare(
            f"{queue_name}.DQ",
            {**self._build_queue_arguments(queue_name), "x-delivery-limit": UNLIMITED_DELIVERIES},
        )

    def _declare_xq_queue(self, queue_name: str) -> Any:
        return self._declare(
            xq_name(queue_name), {"x-queue-type": "quorum", "x-delivery-limit": UNLIMITED_DELIVERIES}
        )

    def _declare(self, queue_name: str, arguments: dict[str, Any]) -> Any:
        return self.channel.queue_declare(queue=queue_name, durable=True, arguments=arguments)


def _walk(channel: BlockingChannel, queue: str) -> Iterator[bytes]:
    tag = 0
    try:
        while True:
            method, _, body = channel.basic_get(queue)
            if method is None:
                return
            tag = method.delivery_tag
            yield body
    finally:
        if tag and channel.is_open:
            channel.basic_nack(tag, multiple=True, requeue=True)
            # Answered only when they are on their way back, so that the next walk meets them all.
            channel.queue_declare(queue, passive=True)


class _Transactions:
    """A thread's channel for transactions, with the routing keys of what RabbitMQ gave back."""

    def __init__(self, connection: pika.BlockingConnection) -> None:
        self.connection = connection
        self.returned: list[str] = []
        self.channel = connection.channel()
        self.channel.add_on_return_callback(
            lambda _channel, method, _properties, _body: self.returned.append(method.routing_key)
        )
        self.channel.tx_select()


class QueueConsumer(_RabbitmqConsumer):
    """Trusts the queue that a message came from, not the queue that the message names."""

    def __next__(self) -> MessageProxy | None:
        return readdressed(super().__next__(), self.queue_name)  # type: ignore[no-untyped-call] # dramatiq has no types there
