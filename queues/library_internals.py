"""The private parts of dramatiq and pika that the product uses, and no other module touches.

pyproject.toml bounds both libraries from above for as long as this module exists.
`tests/unit/queues/test_library_internals.py` fails when a new version changes one of these parts.
"""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Any

from dramatiq import worker
from dramatiq.brokers.rabbitmq import _RabbitmqConsumer as RabbitmqConsumer
from dramatiq.brokers.rabbitmq import _RabbitmqMessage as RabbitmqMessage
from dramatiq.brokers.stub import _StubConsumer as StubConsumer
from dramatiq.brokers.stub import _StubMessageProxy as StubMessageProxy

if TYPE_CHECKING:
    from pika import BlockingConnection, spec
    from pika.adapters.blocking_connection import BlockingChannel

__all__ = ["RabbitmqConsumer", "RabbitmqMessage", "StubConsumer", "StubMessageProxy"]


def use_monotonic_clock() -> None:
    """Have dramatiq's workers wait for a delayed message by the monotonic clock; see decision 68."""
    worker.current_millis = monotonic_millis  # type: ignore[attr-defined] # imported there by name


def monotonic_millis() -> int:
    """Return the milliseconds of a clock that no correction of the machine's time moves."""
    return round(time.monotonic() * 1000)


def ack_buffered(channel: BlockingChannel, delivery_tag: int) -> None:
    """Acknowledge a delivery with what is written next: the same frame, without a write of its own."""
    channel._impl.basic_ack(delivery_tag)  # noqa: SLF001 - see decision 28


def begin_close(channel: BlockingChannel) -> None:
    """Ask RabbitMQ to close a channel; `BlockingChannel.close` would reject what has arrived before."""
    channel._impl.close()  # noqa: SLF001 - see decision 14


def send_method(channel: BlockingChannel, method: spec.Basic.Cancel) -> None:
    """Send a method of AMQP without waiting for an answer."""
    channel._impl._send_method(method)  # noqa: SLF001 - see decision 43


def consumer_generator(channel: BlockingChannel) -> Any:
    """Return the consumer of `BlockingChannel.consume`: prefetched messages and tag; None without one."""
    return channel._queue_consumer_generator  # noqa: SLF001 - see decision 43


def frame_max(channel: BlockingChannel) -> int:
    """Return the bytes of a frame at most, as agreed with RabbitMQ."""
    return int(channel.connection._impl.params.frame_max)  # noqa: SLF001 - see decision 29


def write_frames(channel: BlockingChannel, frames: bytes) -> None:
    """Write frames, already encoded, to the channel's connection."""
    channel.connection._impl._output_marshaled_frames([frames])  # noqa: SLF001 - see decision 29


def shut_down_socket(connection: BlockingConnection) -> None:
    """End a connection without a closing handshake, whose answer may never come."""
    connection._impl._transport._sock.shutdown(socket.SHUT_RDWR)  # noqa: SLF001 - pika has no other way


def stop_reading(connection: BlockingConnection) -> None:
    """Read nothing more from a connection; heartbeats and acknowledgements are still sent."""
    transport: Any = connection._impl._transport  # noqa: SLF001 - see decision 44
    if transport is not None:
        # With TLS pika also calls this by itself, while there may be more.
        transport._on_socket_readable = _read_nothing  # noqa: SLF001 - see decision 44
        transport._nbio.remove_reader(transport._sock.fileno())  # noqa: SLF001 - as above


def resume_reading(connection: BlockingConnection) -> None:
    """Read again after `stop_reading`."""
    transport: Any = connection._impl._transport  # noqa: SLF001 - see decision 44
    if transport is not None:
        del transport._on_socket_readable  # noqa: SLF001 - see decision 44
        transport._nbio.set_reader(transport._sock.fileno(), transport._on_socket_readable)  # noqa: SLF001 - as above
        # TLS may have read already what the socket no longer has.
        transport._nbio.add_callback_threadsafe(transport._on_socket_readable)  # noqa: SLF001 - as above


def _read_nothing() -> None:
    """Replace pika's own reading."""
