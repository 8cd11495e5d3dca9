"""Publishes many messages in few writes; pika itself writes each of a message's three frames separately."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from pika import BasicProperties, DeliveryMode, spec
from pika.frame import Body, Header, Method

from queues.library_internals import frame_max, write_frames

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pika.adapters.blocking_connection import BlockingChannel

#: The AMQP properties of each of our messages.
PROPERTIES: Final = BasicProperties(delivery_mode=DeliveryMode.Persistent, content_type="application/json")

#: Messages per write to the socket: some 60 kB, most of which the socket takes at once.
_MAX_BATCH: Final = 64

#: Bytes of a frame in addition to its payload (AMQP 0-9-1, section 4.2.3).
_AROUND_PAYLOAD: Final = 8


def publish_batch(channel: BlockingChannel, messages: Iterable[tuple[str, bytes]]) -> None:
    """Publish bodies to their routing keys, in order and as mandatory.

    The frames are sent when the channel next waits for something, such as a transaction's commit. Nothing is
    confirmed here, and nothing is read from RabbitMQ. The channel must be open.
    """
    frames = _frames(channel.channel_number, messages, frame_max(channel) - _AROUND_PAYLOAD)
    while together := b"".join(islice(frames, _MAX_BATCH)):
        write_frames(channel, together)


def _frames(channel: int, messages: Iterable[tuple[str, bytes]], longest: int) -> Iterator[bytes]:
    """Yield the frames of each message; frames with the same routing key have the same beginning."""
    methods: dict[str, bytes] = {}
    headers: dict[int, bytes] = {}
    for queue, body in messages:
        method = methods.get(queue)
        if method is None:
            publish = spec.Basic.Publish(exchange="", routing_key=queue, mandatory=True)
            method = methods[queue] = Method(channel, publish).marshal()
        size = len(body)
        header = headers.get(size)
        if header is None:
            header = headers[size] = Header(channel, size, PROPERTIES).marshal()
        parts = (Body(channel, body[at : at + longest]).marshal() for at in range(0, size, longest))
        yield b"".join((method, header, *parts))
