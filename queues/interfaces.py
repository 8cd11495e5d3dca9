"""What every broker of ours can do, on RabbitMQ as well as in one process's memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from dramatiq import Broker, Message, set_encoder

from queues.encoder import EnvelopeEncoder
from schemas.messages.dead_letter import read_dead_letter

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from schemas.messages.dead_letter import DeadLetter


#: dramatiq's, for the rooms above to name: they know it by this door alone.
__all__ = [
    "Broker",
    "BrowsedMessage",
    "DeadLetterBrowser",
    "DeadLetterSource",
    "Message",
    "Publisher",
    "QueueDepth",
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


@dataclass(frozen=True, kw_only=True)
class BrowsedMessage:
    """A letter that a walk has come to, at a `delivery_tag` that is known to that walk only."""

    delivery_tag: int
    queue: str
    body: bytes = field(repr=False)
    headers: Mapping[str, Any] | None = field(repr=False)

    @cached_property
    def dead_letter(self) -> DeadLetter:
        """What it says, read when it is first asked for."""
        return read_dead_letter(self.queue, self.body, self.headers)


class DeadLetterBrowser(Protocol):
    """One way through the dead letters of a queue."""

    def __iter__(self) -> Iterator[BrowsedMessage]:
        """Yield the letters that were there when the walk began, oldest first.

        A letter stays where it is unless it is taken. Raises `TransientError` (broker).
        """

    def ack(self, found: BrowsedMessage) -> None:
        """Take a letter away for good; raises `TransientError` (broker).

        A letter whose walk breaks just then may be there all the same.
        """

    def pause(self, seconds: float) -> None:
        """Wait, and keep the walk alive meanwhile."""


class DeadLetterSource(Protocol):
    """Gives access to what lies among the dead letters."""

    def browse_dead_letters(self, queue: str) -> AbstractContextManager[DeadLetterBrowser]:
        """Browse the dead letters of `queue`, one browser at a time.

        Raises `TransientError` (broker) when it cannot be had.
        """


@dataclass(frozen=True, kw_only=True)
class QueueDepth:
    """The messages that lie ready in `NAME`, and `deferred` of it in `NAME.DQ` and where suspects lie."""

    ready: int
    deferred: int

    @property
    def is_empty(self) -> bool:
        """Whether none lies ready anywhere."""
        return not (self.ready or self.deferred)


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
