"""Counts the ready messages of a queue and of the queues that belong to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pika
from dramatiq.common import dq_name
from pika.exceptions import ChannelClosedByBroker

from queues.brokers.connection_errors import translated_errors
from queues.middleware.quarantine import work_queues

if TYPE_CHECKING:
    from pika import Parameters

_NOT_FOUND: Final = 404


@dataclass(frozen=True, kw_only=True)
class QueueDepth:
    """The messages that lie ready in `NAME`, and `deferred` of it in `NAME.DQ` and where suspects lie."""

    ready: int
    deferred: int

    @property
    def is_empty(self) -> bool:
        """Whether none lies ready anywhere."""
        return not (self.ready or self.deferred)


def read_queue_depth(parameters: Parameters, queue: str) -> QueueDepth:
    """Ask RabbitMQ, on a connection of its own; a queue that is not there is empty.

    Raises `TransientError` (broker) when RabbitMQ is away.
    """
    with translated_errors(), pika.BlockingConnection(parameters) as connection:
        ready, *deferred = (_ready(connection, name) for name in (*work_queues(queue), dq_name(queue)))
    return QueueDepth(ready=ready, deferred=sum(deferred))


def _ready(connection: pika.BlockingConnection, queue: str) -> int:
    channel = connection.channel()
    try:
        ready = int(channel.queue_declare(queue, passive=True).method.message_count)
    except ChannelClosedByBroker as error:
        if error.reply_code != _NOT_FOUND:
            raise
        return 0
    channel.close()
    return ready
