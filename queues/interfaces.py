"""What every broker of ours can do, on RabbitMQ as well as in one process's memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from dramatiq import Broker, Message, set_encoder

from queues.encoder import EnvelopeEncoder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from queues.dead_letters import DeadLetterBrowser
    from queues.depths import QueueDepth

#: dramatiq's, for the rooms above to name: they know it by this door alone.
__all__ = [
    "Broker",
    "DeadLetterSource",
    "Message",
    "Publisher",
    "QueueDepths",
    "ReconcilerBroker",
    "ReplayBroker",
    "install_encoder",
]


class Publisher(Protocol):
    """Puts messages into queues; what it has returned from is there."""

    def publish(self, messages: Sequence[Message[Any]]) -> None:
        """Publish all messages, in order.

        Returns when the broker has taken charge of every one of them. Raises `TransientError`
        (broker) otherwise; some of them may then have been published all the same.
        """

    def publish_later(self, message: Message[Any], seconds: float) -> None:
        """Put `message` into its queue, to be worked on after so many seconds; raises as `publish` does."""

    def publish_dead_letter(self, message: Message[Any]) -> None:
        """Put `message` into the dead-letter queue of its queue; raises as `publish` does."""


class DeadLetterSource(Protocol):
    """Gives access to what lies among the dead letters."""

    def browse_dead_letters(self, queue: str) -> AbstractContextManager[DeadLetterBrowser]:
        """Browse the dead letters of `queue`, one browser at a time.

        Raises `TransientError` (broker) when it cannot be had.
        """


class QueueDepths(Protocol):
    """Tells how many messages lie ready."""

    def depth(self, queue: str) -> QueueDepth:
        """Return how many lie ready in `queue` and what belongs to it; raises `TransientError` (broker)."""


class ReplayBroker(Publisher, DeadLetterSource, Protocol):
    """Both: what a replay needs."""


class ReconcilerBroker(ReplayBroker, QueueDepths, Protocol):
    """All of it: what a reconciler needs."""


def install_encoder() -> None:
    """Have dramatiq read and write our envelopes in this process; its encoder is a global of its own."""
    set_encoder(EnvelopeEncoder())
