"""RabbitMQ as the bench itself uses it: to fill a queue, and to see that two queues are of one kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

import pika

from bench.measures import BenchError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from devtools.servers import Servers

#: Messages of one transaction.
_TOGETHER: Final = 1000
#: How far the sizes of messages that are compared may lie apart.
_TOLERANCE: Final = 0.1


def fill(url: str, queue: str, bodies: Iterable[bytes]) -> None:
    """Publish into a queue that is there, as fast as can be."""
    kept = pika.BasicProperties(delivery_mode=pika.DeliveryMode.Persistent)
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        channel.tx_select()
        for number, body in enumerate(bodies, start=1):
            channel.basic_publish("", queue, body, kept, mandatory=True)
            if number % _TOGETHER == 0:
                channel.tx_commit()
        channel.tx_commit()


def consumers(url: str, queue: str) -> int:
    """Return how many consumers a queue has."""
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        declared = connection.channel().queue_declare(queue, passive=True)
    count: int = declared.method.consumer_count
    return count


def size_of_first(url: str, queue: str) -> int:
    """Return how many bytes the first message of a queue has; it stays where it is."""
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        _, _, body = connection.channel().basic_get(queue)
    if body is None:
        raise BenchError(f"there is nothing in the queue {queue}")
    return len(body)


def check_sizes(ours: int, theirs: int) -> None:
    """Raise BenchError unless messages of these sizes can be compared."""
    if abs(ours - theirs) > _TOLERANCE * ours:
        raise BenchError(f"our messages have {ours} bytes and theirs {theirs}")


def kind_of(servers: Servers, url: str, queue: str) -> dict[str, Any]:
    """Return what a queue was declared with, but for where its dead letters go."""
    vhost = urlsplit(url).path.removeprefix("/")
    found = servers.rabbitmq.call("GET", f"/queues/{quote(vhost, safe='')}/{queue}").json()
    arguments: dict[str, Any] = found["arguments"]
    return {name: value for name, value in arguments.items() if name != "x-dead-letter-routing-key"}
