"""What dramatiq's workers consume RabbitMQ with: deliveries that know where they came from."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import structlog
from dramatiq import DecodeError, Message
from dramatiq.brokers.rabbitmq import _RabbitmqConsumer
from dramatiq.common import q_name
from dramatiq.errors import ConnectionClosed
from pika.exceptions import AMQPChannelError, AMQPConnectionError

from queues.delivery import Delivery
from queues.sections import with_own_eta

if TYPE_CHECKING:
    from dramatiq.broker import MessageProxy

_NOT_FOUND = 404

_log = structlog.get_logger(__name__)


class QueueConsumer(_RabbitmqConsumer):
    """A consumer of one queue, on a connection of its own.

    Trusts the queue that a message came from, not the queue that the message names: dramatiq
    acknowledges through the consumer of the latter.
    """

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
            message = Message.decode(body)
        except DecodeError:
            _log.warning("undecodable message", queue=self.queue_name, size=len(body))
            self._nack(method.delivery_tag)  # type: ignore[no-untyped-call] # as above
            return None
        self.known_tags.add(method.delivery_tag)
        return Delivery(
            consumer=self,
            tag=method.delivery_tag,
            redelivered=method.redelivered,
            returns=_returns(properties.headers),
            message=with_own_eta(message, now=time.time()).copy(queue_name=self.queue_name),
        )

    def ack(self, message: MessageProxy) -> None:
        """Acknowledge a message, unless it is to be left or another consumer received it."""
        if self._may_answer(message):
            super().ack(message)  # type: ignore[no-untyped-call] # as above

    def nack(self, message: MessageProxy) -> None:
        """Reject a message for good, unless it is to be left or another consumer received it."""
        if self._may_answer(message):
            super().nack(message)  # type: ignore[no-untyped-call] # as above

    def _may_answer(self, message: Any) -> bool:
        """Say whether the message is this consumer's to answer for.

        A consumer that is made anew after its connection broke counts its deliveries from 1 again:
        an old message's number would acknowledge another one, which nobody has worked on yet.
        """
        return message.consumer is self and not message.is_left


def _returns(headers: dict[str, Any] | None) -> int:
    count = (headers or {}).get("x-delivery-count", 0)
    return count if isinstance(count, int) else 0
