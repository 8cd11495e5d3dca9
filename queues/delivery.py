"""A message in hand: how often it came back, and how it is given back once more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dramatiq.brokers.rabbitmq import _RabbitmqMessage

if TYPE_CHECKING:
    from dramatiq import Message
    from dramatiq.broker import MessageProxy


class Delivery(_RabbitmqMessage):
    """A message as RabbitMQ delivered it.

    `consumer` is whoever received it; `returns` counts how often it was delivered before and came
    back unacknowledged (`x-delivery-count`, which quorum queues keep).
    """

    def __init__(
        self, *, consumer: object, tag: int, redelivered: bool, returns: int, message: Message[Any]
    ) -> None:
        super().__init__(redelivered, tag, message)  # type: ignore[no-untyped-call] # dramatiq has no types there
        self.consumer = consumer
        self.returns = returns
        self.is_left = False

    @property
    def tag(self) -> int:
        """The number of this delivery on its consumer's channel."""
        return int(self._tag)


def returns_of(message: object) -> int:
    """Return how often a message came back from a worker that did not acknowledge it."""
    return message.returns if isinstance(message, Delivery) else 0


def leave(message: MessageProxy) -> None:
    """Neither acknowledge nor reject the message: it goes back to its queue when the connection ends.

    Memory keeps nothing beyond the process: there it is rejected, and so a dead letter at least.
    """
    if isinstance(message, Delivery):
        message.is_left = True
    else:
        message.fail()
