"""How many messages lie ready in queues that belong together: those that nobody has in hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pika
from dramatiq.common import dq_name
from pika.exceptions import ChannelClosedByBroker

from queues.brokers.connection_errors import at_the_door
from queues.middleware.quarantine import queues_of

if TYPE_CHECKING:
    from pika import Parameters

_NOT_FOUND: Final = 404


@dataclass(frozen=True, kw_only=True)
class Depth:
    """The messages that lie ready in `NAME`, and `aside` of it in `NAME.DQ` and where suspects lie."""

    ready: int
    aside: int

    @property
    def is_empty(self) -> bool:
        """Whether none lies ready anywhere."""
        return not (self.ready or self.aside)


def read_depth(parameters: Parameters, queue: str) -> Depth:
    """Ask RabbitMQ, on a connection of its own; a queue that is not there is empty.

    Raises `TransientError` (broker) when RabbitMQ is away.
    """
    with at_the_door(), pika.BlockingConnection(parameters) as connection:
        ready, *aside = (_ready(connection, name) for name in (*queues_of(queue), dq_name(queue)))
    return Depth(ready=ready, aside=sum(aside))


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
