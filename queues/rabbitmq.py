"""RabbitMQ as we use it: quorum queues, confirmed publishing, dead letters that stay (P2, P8, P9)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pika
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.common import current_millis, dq_name, q_name, xq_name
from dramatiq.errors import ConnectionClosed
from pika.exceptions import AMQPChannelError, AMQPConnectionError, UnroutableError

from queues.broker import use_our_envelope
from queues.bulk import PROPERTIES, publish_all
from queues.consumer import QueueConsumer
from queues.dead_letters import QueueWalk, walking
from queues.depths import Depth, read_depth
from queues.isolation import main_queue, prefetch_of, queues_of
from queues.sections import with_delay
from schemas.errors import Dependency, TransientError, WrongUseError
from schemas.messages import TENANT_SYNC_QUEUE, TRIGGERS_EXCHANGE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from dramatiq import Consumer, Message
    from dramatiq.middleware import Middleware
    from pika.adapters.blocking_connection import BlockingChannel

#: How often a message may come back before RabbitMQ itself makes it a dead letter. It ends what our own
#: count (`queues.isolation`) cannot see; innocent messages come back with those that workers die over.
DELIVERY_LIMIT: Final = 100

#: For queues whose messages are handed out and put back in the ordinary course of things. RabbitMQ 4
#: has a limit of 20 where none is set, and 3.10 does not know -1, its word for "no limit".
UNLIMITED_DELIVERIES: Final = 1_000_000

#: Seconds to wait for RabbitMQ to take a blocked connection up again (its memory or disk alarm).
BLOCKED_TIMEOUT: Final = 60

#: A connection that idled may have been closed by the other side: the next one works.
_ATTEMPTS: Final = 3

#: What it means that a queue exists with other properties (AMQP 0-9-1: PRECONDITION_FAILED).
_PRECONDITION_FAILED: Final = 406


class QuorumBroker(RabbitmqBroker):
    """dramatiq's broker on quorum queues.

    Each queue `NAME` has a `NAME.DQ` for messages that wait for their time, and a `NAME.XQ` for
    dead letters, which, unlike dramatiq's own, never expire.
    """

    def __init__(
        self, url: str, middleware: Sequence[Middleware] = (), *, ca_bundle: str | None = None
    ) -> None:
        super().__init__(confirm_delivery=True, middleware=list(middleware))
        parameters = pika.URLParameters(url)
        parameters.blocked_connection_timeout = BLOCKED_TIMEOUT
        if ca_bundle is not None and parameters.ssl_options is not None:
            parameters.ssl_options.context.load_verify_locations(ca_bundle)
        self.parameters = parameters
        use_our_envelope()
        self._publishable: set[str] = set()

    @property
    def consumer_class(self) -> type[QueueConsumer]:
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
            publish_all(channel, bodies)
            channel.tx_commit()
            # What RabbitMQ gave back came before its answer, and pika holds it until it is asked.
            channel.connection.process_data_events()
            if returned:
                self._publishable.difference_update(map(main_queue, returned))
                raise AMQPChannelError(f"no queue {returned[0]}")

        self._persistently(transaction)

    def publish_later(self, message: Message[Any], seconds: float) -> None:
        """Put `message` into `NAME.DQ`, confirmed, to be worked on after so many seconds."""
        queue = dq_name(message.queue_name)
        eta = current_millis() + round(seconds * 1000)
        self._publish_confirmed(
            queue, with_delay(message, seconds).copy(queue_name=queue, options={"eta": eta})
        )

    def publish_dead_letter(self, message: Message[Any]) -> None:
        """Put `message` into `NAME.XQ`, confirmed."""
        self._publish_confirmed(xq_name(message.queue_name), message)

    def walk_dead_letters(self, queue: str) -> AbstractContextManager[QueueWalk]:
        """Give a walk through the dead letters of `queue`; raises as `queues.dead_letters.walking` does."""
        return walking(self.parameters, queue)

    def depth(self, queue: str) -> Depth:
        """Return how many messages lie ready in `queue`; raises as `queues.depths.read_depth` does."""
        return read_depth(self.parameters, queue)

    def check(self) -> None:
        """Connect and declare nothing; raise `TransientError` (broker) when there is no RabbitMQ."""
        self._persistently(lambda: self.connection)

    def disconnect(self) -> None:
        """Close this thread's connection; the next use makes a new one."""
        del self.connection

    def declare_queue(self, queue_name: str, *, ensure: bool = False) -> None:
        """Declare a queue, and tell a worker of this process to consume it and what belongs to it."""
        super().declare_queue(queue_name, ensure=ensure)
        for apart in set(queues_of(q_name(queue_name))) - self.queues:
            # Not in dramatiq's own way, which would give it queues for retries and dead letters as well.
            self.queues.add(apart)
            self.queues_pending.add(apart)
            self.emit_after("declare_queue", apart)

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 5000) -> Consumer:
        """Return a consumer of the queue, for dramatiq's workers."""
        return super().consume(queue_name, prefetch_of(queue_name, prefetch), timeout)

    def _publish_confirmed(self, queue: str, message: Message[Any]) -> None:
        body = message.encode()
        main = main_queue(q_name(queue))

        def send() -> None:
            self._ensure_publishable(main)
            try:
                self._send(self.channel, queue, body)
            except UnroutableError:
                self._publishable.discard(main)
                raise

        self._persistently(send)

    def _ensure_publishable(self, queue: str) -> None:
        # Not declare_queue: a dramatiq worker in this process would begin to consume the queue.
        main = main_queue(queue)
        if main not in self._publishable:
            self._declare_all(main)
            self._publishable.add(main)

    def _declare_queue(self, queue_name: str) -> Any:
        return self._declare_all(main_queue(queue_name))

    def _declare_all(self, queue: str) -> Any:
        arguments = self._build_queue_arguments(queue)
        for name in queues_of(queue):
            self._declare(name, arguments)
        # A waiting message lies unacknowledged in a worker; that the worker ends is no fault of it.
        self._declare(dq_name(queue), {**arguments, "x-delivery-limit": UNLIMITED_DELIVERIES})
        self._declare(xq_name(queue), {"x-queue-type": "quorum", "x-delivery-limit": UNLIMITED_DELIVERIES})
        if queue == TENANT_SYNC_QUEUE:
            # What clients may write to, who may trigger and nothing else (docs/rabbitmq.md).
            self.channel.exchange_declare(TRIGGERS_EXCHANGE, exchange_type="direct", durable=True)
            self.channel.queue_bind(queue, TRIGGERS_EXCHANGE, routing_key=queue)

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
            properties=PROPERTIES,
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

    def _declare_dq_queue(self, queue_name: str) -> None:
        """Do nothing: `_declare_queue` has done it."""

    def _declare_xq_queue(self, queue_name: str) -> None:
        """Do nothing: `_declare_queue` has done it."""

    def _declare(self, queue_name: str, arguments: dict[str, Any]) -> Any:
        return self.channel.queue_declare(queue=queue_name, durable=True, arguments=arguments)


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
