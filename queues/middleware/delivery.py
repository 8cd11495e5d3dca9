"""A message in hand: how often it came back, and how it is given back once more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from queues.brokers.backpressure import memory_size
from queues.library_internals import RabbitmqMessage
from runtime.services import ShutdownError

if TYPE_CHECKING:
    from dramatiq import Message
    from dramatiq.broker import MessageProxy
    from pika import BasicProperties, spec

    #: A message as it came: how it was delivered, what it says of itself, and its body.
    Envelope = tuple[spec.Basic.Deliver, BasicProperties, bytes]


class Receiver(Protocol):
    """What received a delivery, and answers RabbitMQ for it."""

    def start(self, delivery: Delivery) -> bool:
        """Note that a message is being worked on; False when it was given back before that."""


class Delivery(RabbitmqMessage):
    """A message as RabbitMQ delivered it.

    `consumer` received it; `delivery_count` counts how often it was delivered before and came
    back unacknowledged (`x-delivery-count`, which quorum queues keep).
    """

    def __init__(
        self, *, consumer: Receiver, envelope: Envelope, delivery_count: int, message: Message[Any]
    ) -> None:
        method, _, body = envelope
        super().__init__(method.redelivered, method.delivery_tag, message)  # type: ignore[no-untyped-call] # dramatiq has no types there
        self.consumer = consumer
        self.envelope = envelope
        self.delivery_count = delivery_count
        #: What it takes in memory, in bytes.
        self.memory_size = memory_size(body)
        self.is_started = False
        self.is_released = False

    @property
    def tag(self) -> int:
        """The number of this delivery on its consumer's channel."""
        return int(self._tag)


def delivery_count_of(message: object) -> int:
    """Return how often a message came back from a worker that did not acknowledge it."""
    return message.delivery_count if isinstance(message, Delivery) else 0


def start(message: object) -> None:
    """Note that a message is being worked on; raise `ShutdownError` when it was given back before that."""
    if isinstance(message, Delivery) and not message.consumer.start(message):
        raise ShutdownError("the message was given back: the process is to end")


def requeue_on_close(message: MessageProxy) -> None:
    """Neither acknowledge nor reject the message: it goes back to its queue when the connection ends.

    Memory keeps nothing beyond the process: there it is rejected, and so a dead letter at least.
    """
    if isinstance(message, Delivery):
        message.is_released = True
    else:
        message.fail()
