"""What dramatiq's workers consume RabbitMQ with: deliveries that know where they came from."""

from __future__ import annotations

import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog
from dramatiq.brokers.rabbitmq import _RabbitmqConsumer
from dramatiq.common import q_name
from dramatiq.errors import ConnectionClosed
from pika.exceptions import AMQPChannelError, AMQPConnectionError

from queues.admission import admit
from queues.delivery import Delivery
from schemas.envelope import UndecodableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from dramatiq.broker import MessageProxy

_NOT_FOUND = 404

_log = structlog.get_logger(__name__)


class QueueConsumer(_RabbitmqConsumer):
    """A consumer of one queue, on a connection of its own; it takes what `queues.admission` admits."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Take what dramatiq's own does."""
        super().__init__(*args, **kwargs)  # type: ignore[no-untyped-call] # dramatiq has no types there
        self._lock = threading.Lock()
        #: Tags of what is done, until the connection's own thread comes to acknowledge them.
        self._done: list[int] = []

    def __next__(self) -> Delivery | None:
        try:
            method, properties, body = next(self.iterator)
        except (AssertionError, AMQPConnectionError, AMQPChannelError) as error:
            if getattr(error, "reply_code", None) == _NOT_FOUND:
                self.broker.queues_pending.add(q_name(self.queue_name))
            raise ConnectionClosed(error) from None  # type: ignore[no-untyped-call] # dramatiq has no types there
        if method is None:
            return None
        try:
            message = admit(body, self.queue_name, now=time.time())
        except UndecodableError as error:
            _log.warning("dead letter", queue=self.queue_name, reason="undecodable", detail=str(error))
            self._reject(method.delivery_tag)
            return None
        self.known_tags.add(method.delivery_tag)
        return Delivery(
            consumer=self,
            tag=method.delivery_tag,
            redelivered=method.redelivered,
            returns=_returns(properties.headers),
            message=message,
        )

    def ack(self, message: MessageProxy) -> None:
        """Acknowledge a message, unless it is to be left or another consumer received it.

        Raises dramatiq's `ConnectionClosed`, as `nack` does, when there is nobody to answer any more.
        """
        with self._lock:
            if self._may_answer(message):
                self.known_tags.remove(message.tag)
                self._done.append(message.tag)
                if len(self._done) == 1:
                    self._on_own_thread(self._acknowledge)

    def nack(self, message: MessageProxy) -> None:
        """Reject a message for good, unless it is to be left or another consumer received it."""
        with self._lock:
            if self._may_answer(message):
                self.known_tags.remove(message.tag)
                self._reject(message.tag)

    def _acknowledge(self) -> None:
        """Acknowledge what was done until now, and write it to the socket once, which is what costs."""
        with self._lock:
            *others, last = self._done
            self._done = []
        for tag in others:
            # pika's channel below the blocking one: the same frame, without waiting until it has left.
            self.channel._impl.basic_ack(tag)  # noqa: SLF001 - see decision 28
        self.channel.basic_ack(last)

    def _reject(self, tag: int) -> None:
        self._on_own_thread(partial(self.channel.basic_nack, tag, requeue=False))

    def _on_own_thread(self, action: Callable[[], object]) -> None:
        try:
            self.connection.add_callback_threadsafe(action)
        except (AMQPConnectionError, AMQPChannelError) as error:
            raise ConnectionClosed(error) from None  # type: ignore[no-untyped-call] # as above

    def _may_answer(self, message: Any) -> bool:
        """Say whether the message is this consumer's to answer for, and has had no answer yet.

        A consumer that is made anew after its connection broke counts its deliveries from 1 again:
        an old message's number would acknowledge another one, which nobody has worked on yet.
        """
        return message.consumer is self and not message.is_left and message.tag in self.known_tags


def _returns(headers: dict[str, Any] | None) -> int:
    count = (headers or {}).get("x-delivery-count", 0)
    return count if isinstance(count, int) else 0
