"""The queues of RabbitMQ that belong to one of ours: how they are declared, their rights, their depth.

`queues.queue_names` says which belong to one of ours. Dead letters never expire.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pika
from dramatiq.common import dq_name, xq_name
from pika.exceptions import AMQPError, ChannelClosedByBroker

from queues.brokers.connection_errors import operator_error, translated_errors
from queues.brokers.refusals import find_missing_permission
from queues.interfaces import QueueDepth
from queues.queue_names import work_queues
from schemas.messages.messages import TENANT_SYNC_QUEUE, TRIGGERS_EXCHANGE

if TYPE_CHECKING:
    from collections.abc import Callable

    from pika import BlockingConnection, Parameters
    from pika.adapters.blocking_connection import BlockingChannel

#: How often a message may come back before RabbitMQ itself makes it a dead letter. It ends what our own
#: count (`queues.middleware.quarantine`) cannot see; innocent messages come back with those that workers
#: die over.
DELIVERY_LIMIT: Final = 100

#: For queues whose messages are handed out and put back in the ordinary course of things. RabbitMQ 4
#: has a limit of 20 where none is set, and 3.10 does not know -1, its word for "no limit".
UNLIMITED_DELIVERIES: Final = 1_000_000

_NOT_FOUND: Final = 404


def declare_queues(open_channel: Callable[[], BlockingChannel], queue: str) -> None:
    """Declare all that belongs to a queue of ours.

    Raises `OperatorError` (broker) that names the right when the user lacks one, else as pika does.
    """
    channel = open_channel()
    try:
        for name, arguments in _declarations(queue).items():
            _declare(open_channel, channel, name, arguments)
        if queue == TENANT_SYNC_QUEUE:
            # What clients may write to, who may trigger and nothing else (docs/rabbitmq.md).
            channel.exchange_declare(TRIGGERS_EXCHANGE, exchange_type="direct", durable=True)
            channel.queue_bind(queue, TRIGGERS_EXCHANGE, routing_key=queue)
    finally:
        if channel.is_open:
            channel.close()


def check_readable(connection: BlockingConnection, queue: str) -> None:
    """Raise `OperatorError` (broker) when the user may not read a quorum queue; ends the connection.

    RabbitMQ looks at the right first, and then refuses a consumer of a quorum queue that asks for a shared
    prefetch, so that nothing is consumed.
    """
    try:
        channel = connection.channel()
        channel.basic_qos(prefetch_count=1, global_qos=True)
        channel.basic_consume(queue, lambda *_: None)
    except AMQPError as error:
        if missing := find_missing_permission(error):
            raise operator_error(missing.message.replace(missing.permission, "read")) from None
    finally:
        if connection.is_open:
            connection.close()


def read_queue_depth(parameters: Parameters, queue: str) -> QueueDepth:
    """Ask RabbitMQ, on a connection of its own; a queue that is not there is empty.

    Raises `TransientError` (broker) when RabbitMQ is away.
    """
    with translated_errors(), pika.BlockingConnection(parameters) as connection:
        ready, *deferred = (_ready(connection, name) for name in (*work_queues(queue), dq_name(queue)))
    return QueueDepth(ready=ready, deferred=sum(deferred))


def count_consumers(parameters: Parameters, queue: str) -> int:
    """Return how many consumers a queue has, asked on a connection of its own; raises as above."""
    with translated_errors(), pika.BlockingConnection(parameters) as connection:
        return _counts(connection, queue)[1]


def _declarations(queue: str) -> dict[str, dict[str, Any]]:
    work = {
        "x-queue-type": "quorum",
        "x-delivery-limit": DELIVERY_LIMIT,
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": xq_name(queue),
        # Without it a dead letter is sent once and forgotten; it demands this way of overflowing.
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }
    return {
        **dict.fromkeys(work_queues(queue), work),
        # A waiting message lies unacknowledged in a worker; that the worker ends is no fault of it.
        dq_name(queue): {**work, "x-delivery-limit": UNLIMITED_DELIVERIES},
        xq_name(queue): {"x-queue-type": "quorum", "x-delivery-limit": UNLIMITED_DELIVERIES},
    }


def _declare(
    open_channel: Callable[[], BlockingChannel],
    channel: BlockingChannel,
    name: str,
    arguments: dict[str, Any],
) -> None:
    try:
        channel.queue_declare(queue=name, durable=True, arguments=arguments)
    except AMQPError as error:
        missing = find_missing_permission(error)
        if missing is None or missing.permission != "configure or read":
            raise
        permission = "configure" if _may_not_configure(open_channel, name) else "read"
        raise operator_error(missing.message.replace(missing.permission, permission)) from None


def _may_not_configure(open_channel: Callable[[], BlockingChannel], queue: str) -> bool:
    """Find out by a declaration that cannot be carried out, of which RabbitMQ looks at this right first."""
    try:
        open_channel().queue_declare(queue=queue, durable=True, arguments={"x-queue-type": "none"})
    except AMQPError as error:
        return find_missing_permission(error) is not None
    return False


def _ready(connection: BlockingConnection, queue: str) -> int:
    return _counts(connection, queue)[0]


def _counts(connection: BlockingConnection, queue: str) -> tuple[int, int]:
    """Return how many ready messages and consumers a queue has; none if there is no such queue."""
    channel = connection.channel()
    try:
        method = channel.queue_declare(queue, passive=True).method
    except ChannelClosedByBroker as error:
        if error.reply_code != _NOT_FOUND:
            raise
        return 0, 0
    channel.close()
    return int(method.message_count), int(method.consumer_count)
