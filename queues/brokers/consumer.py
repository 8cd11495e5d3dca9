"""The RabbitMQ consumer of dramatiq's workers; its messages know the consumer that received them."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Any, Protocol

import pika
import structlog
from dramatiq.common import dq_name
from dramatiq.errors import ConnectionClosed
from dramatiq.logging import get_logger

from queues.admission import admit
from queues.brokers.backpressure import MAX_BUFFERED_BYTES, Backpressure
from queues.brokers.requeue import discard_incoming, requeue_deliveries, stop_receiving
from queues.library_internals import RabbitmqConsumer, ack_buffered
from queues.middleware.delivery import Delivery
from queues.queue_names import is_quarantine_queue
from schemas.messages.envelope import UndecodableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from dramatiq.broker import MessageProxy
    from pika import Parameters

_log = structlog.get_logger(__name__)


class ConsumerBroker(Protocol):
    """The part of the broker that its consumers use."""

    #: The address of RabbitMQ.
    parameters: Parameters

    def connection_lost(self, queue_name: str, error: Exception) -> ConnectionClosed:
        """Log the `error` that ended a consumer, and return the exception that it raises instead."""


class QueueConsumer(RabbitmqConsumer):
    """Consumes one queue on a connection of its own; `queues.admission` checks the messages."""

    def __init__(self, broker: ConsumerBroker, queue_name: str, prefetch: int, timeout: int) -> None:
        """Connect and consume; `timeout` is in milliseconds. Closes the connection if that fails."""
        # Not dramatiq's own method, which leaves its connection open when RabbitMQ refuses the consumer.
        self.broker = broker
        self.queue_name = queue_name
        self.logger = get_logger(__name__, type(self))  # type: ignore[no-untyped-call] # dramatiq has no types there
        self.known_tags: set[int] = set()
        self._prefetch = prefetch
        #: When a message last came or was acknowledged, in seconds of the monotonic clock.
        self._last_active = time.monotonic()
        self._lock = threading.Lock()
        #: Unanswered deliveries by their tag.
        self._unanswered: dict[int, Delivery] = {}
        #: The memory that they take, in bytes.
        self.buffered_bytes = 0
        self._is_delayed = self.queue_name == dq_name(self.queue_name)
        self._ended = False
        #: Tags of processed messages, until the connection's own thread acknowledges them.
        self._done: list[int] = []
        self.connection = pika.BlockingConnection(broker.parameters)
        try:
            self._inflow = Backpressure(self.connection)
            self.channel = self.connection.channel()
            self.channel.basic_qos(prefetch_count=prefetch)
            self.iterator = self.channel.consume(queue_name, inactivity_timeout=timeout / 1000)
        except BaseException:
            with suppress(Exception):
                self.connection.close()
            raise

    def __next__(self) -> Delivery | None:
        try:
            if self.buffered_bytes >= MAX_BUFFERED_BYTES:
                self._inflow.wait()
                return None
            self._inflow.resume()
            method, properties, body = next(self.iterator)
        except StopIteration:
            raise
        except Exception as error:  # noqa: BLE001 - at any other error dramatiq's thread for the queue may end
            if self._ended:
                raise StopIteration from None
            raise self.broker.connection_lost(self.queue_name, error) from None
        if method is None:
            return None
        self._last_active = time.monotonic()
        try:
            message = admit(body, self.queue_name)
        except UndecodableError as error:
            _log.warning("dead_lettered", queue=self.queue_name, reason="undecodable", detail=str(error))
            self._reject(method.delivery_tag)
            return None
        envelope = (method, properties, body)
        delivery = Delivery(
            consumer=self,
            envelope=envelope,
            delivery_count=_delivery_count(properties.headers),
            message=message,
        )
        with self._lock:
            self._unanswered[delivery.tag] = delivery
            self.buffered_bytes += delivery.memory_size
        return delivery

    def ack(self, message: MessageProxy) -> None:
        """Acknowledge a message, unless it is to stay unacknowledged or another consumer received it.

        Raises dramatiq's `ConnectionClosed`, as `nack` does, when the connection is lost.
        """
        with self._lock:
            if self._may_answer(message):
                self._forget(message.tag)
                self._done.append(message.tag)
                if len(self._done) == 1:
                    self._on_own_thread(self._acknowledge)

    def nack(self, message: MessageProxy) -> None:
        """Reject a message for good, unless it is to stay unacknowledged or another consumer received it."""
        with self._lock:
            if self._may_answer(message):
                self._forget(message.tag)
                self._reject(message.tag)

    def start(self, delivery: Delivery) -> bool:
        """Mark a message as in progress; return False if it was requeued before."""
        with self._lock:
            delivery.is_started = True
            return delivery.tag in self._unanswered

    def stop_receiving(self) -> Event:
        """Stop receiving and requeue messages that are not in progress; the returned event is set then."""
        return self._done_on_own_thread(self._stop_receiving)

    def requeue_unanswered(self) -> Event:
        """Requeue all unanswered messages, also those in progress; the returned event is set then."""
        return self._done_on_own_thread(partial(self._requeue, lambda _: True))

    def close_connection(self) -> Event:
        """Close the connection; the returned event is set when RabbitMQ has read everything sent before."""
        return self._done_on_own_thread(self._hang_up)

    def _forget(self, tag: int) -> None:
        self.buffered_bytes -= self._unanswered.pop(tag).memory_size

    def _read_again(self) -> None:
        """Resume reading, and drop incoming messages: RabbitMQ's answers come after them."""
        if self._inflow.is_paused:
            discard_incoming(self.channel)
            self._inflow.resume()

    def _stop_receiving(self) -> None:
        self._read_again()
        with self._lock:
            at_most = self._prefetch - len(self._unanswered) - len(self._done)
        left = stop_receiving(self.channel, expected=at_most, last_active=self._last_active)
        if self._is_delayed:
            # Delayed messages stay unacknowledged in the normal course of things, so a redelivery means
            # nothing.
            return
        requeue_deliveries(self.channel, [each for each in left if not _delivery_count(each[1].headers)])
        self._requeue(lambda delivery: not delivery.is_started)

    def _requeue(self, wanted: Callable[[Delivery], bool]) -> None:
        """Requeue the wanted messages, except those on their way to a quarantine queue."""
        self._read_again()
        with self._lock:
            chosen = (
                []
                if self._is_delayed
                else [
                    delivery
                    for delivery in self._unanswered.values()
                    if wanted(delivery)
                    and (not delivery.delivery_count or is_quarantine_queue(self.queue_name))
                ]
            )
            for delivery in chosen:
                self._forget(delivery.tag)
        requeue_deliveries(self.channel, [delivery.envelope for delivery in chosen])

    def _hang_up(self) -> None:
        self._ended = True
        self._read_again()
        # RabbitMQ answers this after it has read the acknowledgements: a closed connection may lose them.
        self.channel.basic_qos(prefetch_count=1)
        self.connection.close()

    def _done_on_own_thread(self, action: Callable[[], None]) -> Event:
        done = Event()

        def act() -> None:
            try:
                action()
            except Exception as error:  # noqa: BLE001 - whatever it is, the connection is of no use any more
                # RabbitMQ requeues the messages by itself when the connection ends.
                _log.warning("requeue_failed", queue=self.queue_name, error=type(error).__name__)
            finally:
                done.set()

        try:
            self._on_own_thread(act)
        except ConnectionClosed:
            done.set()
        return done

    def close(self) -> None:
        """Acknowledge processed messages and close; raises only dramatiq's `ConnectionClosed`."""
        try:
            # dramatiq closes a consumer in the thread that reads, or after that thread has ended.
            self._read_again()
            super().close()  # type: ignore[no-untyped-call] # dramatiq has no types there
        except ConnectionClosed:
            raise
        except Exception as error:  # noqa: BLE001 - dramatiq's thread for the queue would end
            raise ConnectionClosed(error) from None  # type: ignore[no-untyped-call] # as above

    def _acknowledge(self) -> None:
        """Acknowledge all processed messages with one write to the socket, because each write is costly."""
        with self._lock:
            *others, last = self._done
            self._done = []
        for tag in others:
            ack_buffered(self.channel, tag)
        self.channel.basic_ack(last)
        self._last_active = time.monotonic()

    def _reject(self, tag: int) -> None:
        self._on_own_thread(partial(self.channel.basic_nack, tag, requeue=False))

    def _on_own_thread(self, action: Callable[[], object]) -> None:
        try:
            self.connection.add_callback_threadsafe(action)
        except Exception as error:  # noqa: BLE001 - RabbitMQ redelivers the message
            raise ConnectionClosed(error) from None  # type: ignore[no-untyped-call] # as above

    def _may_answer(self, message: Any) -> bool:
        """Say whether this consumer received the message and has not answered it yet.

        A new consumer, made after its connection broke, counts its deliveries from 1 again. An old message's
        tag would acknowledge another message, which has not been processed.
        """
        return message.consumer is self and not message.is_released and message.tag in self._unanswered


def _delivery_count(headers: dict[str, Any] | None) -> int:
    """Return how often a message was redelivered, as its quorum queue counts.

    From RabbitMQ 4.3 on, `x-delivery-count` counts failures only, and `x-acquired-count` counts every
    delivery, including the first.
    """
    counted = headers or {}
    failed, acquired = counted.get("x-delivery-count", 0), counted.get("x-acquired-count", 0)
    delivery_count = [
        failed if isinstance(failed, int) else 0,
        acquired - 1 if isinstance(acquired, int) else 0,
        0,
    ]
    return max(delivery_count)
