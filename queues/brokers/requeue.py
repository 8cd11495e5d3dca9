"""Messages given back to RabbitMQ without a trace: published again, and then acknowledged.

Whatever goes back in another way (a rejection, a closed channel) is counted by RabbitMQ as having come
back, and a message that came back counts as one that a worker may have died over.
"""

from __future__ import annotations

import time
from collections import deque
from copy import copy
from typing import TYPE_CHECKING, Any, Final

from pika import spec

from queues.library_internals import ack_buffered, consumer_generator, send_method

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pika import BasicProperties
    from pika.adapters.blocking_connection import BlockingChannel

    from queues.middleware.delivery import Envelope

#: What quorum queues note on a message that came back.
_COUNTS: Final = ("x-delivery-count", "x-acquired-count")

#: Seconds until a queue has handed out what an acknowledgement makes room for: it writes to the disk first.
_QUIET: Final = 0.5


def stop_receiving(channel: BlockingChannel, *, expected: int, last_active: float) -> list[Envelope]:
    """Cancel the channel's consumer; return the prefetched messages that were not taken.

    At most `expected` messages are still to come. `last_active` is the time, in seconds of the monotonic
    clock, when a message last came or was acknowledged. The consumer is cancelled once nothing is on its
    way: a quorum queue that has handed out a message, and is told of the end before it has sent it, keeps
    it until the channel closes, and counts it as having come back.

    pika's own way would reject what was not taken, which counts. Must be called on the connection's own
    thread, where no message is acknowledged meanwhile: the queue would hand out another one for it.
    """
    consuming: Any = consumer_generator(channel)
    if consuming is None:
        return []
    while (came := len(consuming.pending_events)) < expected:
        wait = last_active + _QUIET - time.monotonic()
        if wait <= 0:
            break
        channel.connection.process_data_events(time_limit=wait)
        if len(consuming.pending_events) > came:
            last_active = time.monotonic()
    cancel = spec.Basic.Cancel(consumer_tag=consuming.consumer_tag, nowait=True)
    send_method(channel, cancel)
    # The answer to this comes after whatever was on its way before the other arrived.
    channel.basic_qos(prefetch_count=1)
    left = [(event.method, event.properties, event.body) for event in consuming.pending_events]
    consuming.pending_events.clear()
    return left


def discard_incoming(channel: BlockingChannel) -> None:
    """Keep nothing of what comes for the channel's consumer any more; it goes back with the connection."""
    consuming: Any = consumer_generator(channel)
    if consuming is not None:
        consuming.pending_events = deque(maxlen=0)


def requeue_deliveries(channel: BlockingChannel, envelopes: Sequence[Envelope]) -> None:
    """Publish what came as it came, confirmed, and acknowledge it; raises pika's errors.

    Must be called on the connection's own thread; `channel` is the one that it came through.
    """
    if not envelopes:
        return
    publishing = channel.connection.channel()
    publishing.tx_select()
    for method, properties, body in envelopes:
        publishing.basic_publish(method.exchange, method.routing_key, body, _as_new(properties))
    publishing.tx_commit()
    publishing.close()
    *others, last = [method.delivery_tag for method, _, _ in envelopes]
    for tag in others:
        ack_buffered(channel, tag)
    channel.basic_ack(last)


def _as_new(properties: BasicProperties) -> BasicProperties:
    """Return a message's properties without what RabbitMQ has noted of its deliveries."""
    plain = copy(properties)
    headers = {name: value for name, value in (properties.headers or {}).items() if name not in _COUNTS}
    plain.headers = headers or None
    # RabbitMQ compares the user's name with the publisher's, which differs now.
    plain.user_id = None
    return plain
