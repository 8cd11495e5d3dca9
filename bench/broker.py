"""RabbitMQ for the bench: fills a queue, and checks that two queues are of one kind."""

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
#: The largest difference between the sizes of compared messages.
_TOLERANCE: Final = 0.1


def fill(url: str, queue: str, bodies: Iterable[bytes]) -> None:
    """Publish into an existing queue, in large transactions."""
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
    """Return the size of a queue's first message in bytes; the message stays in the queue."""
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
    """Return a queue's arguments, without the routing key of its dead letters."""
    vhost = urlsplit(url).path.removeprefix("/")
    found = servers.rabbitmq.call("GET", f"/queues/{quote(vhost, safe='')}/{queue}").json()
    arguments: dict[str, Any] = found["arguments"]
    return {name: value for name, value in arguments.items() if name != "x-dead-letter-routing-key"}
