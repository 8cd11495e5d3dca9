"""A delivered message: how often it was redelivered, and how it is requeued."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from queues.brokers.backpressure import memory_size
from queues.library_internals import RabbitmqMessage
from runtime.services import ShutdownError

if TYPE_CHECKING:
    from dramatiq import Message
    from dramatiq.broker import MessageProxy
    from pika import BasicProperties, spec

    #: A received message: its delivery, its properties, and its body.
    Envelope = tuple[spec.Basic.Deliver, BasicProperties, bytes]


class Receiver(Protocol):
    """The consumer that received a delivery, and answers RabbitMQ for it."""

    def start(self, delivery: Delivery) -> bool:
        """Mark a message as in progress; return False if it was requeued before."""


class Delivery(RabbitmqMessage):
    """A message as RabbitMQ delivered it.

    `consumer` received it. `delivery_count` counts the earlier deliveries that came back unacknowledged
    (`x-delivery-count` of quorum queues).
    """

    def __init__(
        self, *, consumer: Receiver, envelope: Envelope, delivery_count: int, message: Message[Any]
    ) -> None:
        method, _, body = envelope
        super().__init__(method.redelivered, method.delivery_tag, message)  # type: ignore[no-untyped-call] # dramatiq has no types there
        self.consumer = consumer
        self.envelope = envelope
        self.delivery_count = delivery_count
        #: The memory that it takes, in bytes.
        self.memory_size = memory_size(body)
        self.is_started = False
        self.is_released = False

    @property
    def tag(self) -> int:
        """The number of this delivery on its consumer's channel."""
        return int(self._tag)


def delivery_count_of(message: object) -> int:
    """Return how often workers have returned a message unacknowledged."""
    return message.delivery_count if isinstance(message, Delivery) else 0


def start(message: object) -> None:
    """Mark a message as in progress; raise `ShutdownError` if it was requeued before."""
    if isinstance(message, Delivery) and not message.consumer.start(message):
        raise ShutdownError("the message was given back: the process is to end")


def requeue_on_close(message: MessageProxy) -> None:
    """Neither acknowledge nor reject the message: it is requeued when the connection ends.

    The memory broker ends with the process: it rejects the message, so that it becomes a dead letter.
    """
    if isinstance(message, Delivery):
        message.is_released = True
    else:
        message.fail()
