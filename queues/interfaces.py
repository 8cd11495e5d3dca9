"""The interfaces of the brokers, on RabbitMQ and in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from dramatiq import Broker, Message, set_encoder

from queues.encoder import EnvelopeEncoder
from queues.library_internals import use_monotonic_clock
from schemas.messages.dead_letter import read_dead_letter

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from schemas.messages.dead_letter import DeadLetter


#: dramatiq's classes, for the other packages: they import dramatiq only through this module.
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
    "prepare_dramatiq",
]


class Publisher(Protocol):
    """Publishes messages; when a method returns, the broker has them."""

    def publish(self, messages: Sequence[Message[Any]]) -> None:
        """Publish all messages, in order.

        Returns when the broker has confirmed every message. Raises `TransientError` (broker) otherwise; some
        of the messages may have been published then.
        """

    def publish_later(self, message: Message[Any], seconds: float) -> None:
        """Publish `message`, to be processed after so many seconds; raises as `publish` does."""

    def publish_dead_letter(self, message: Message[Any]) -> None:
        """Put `message` into the dead-letter queue of its queue; raises as `publish` does."""


@dataclass(frozen=True, kw_only=True)
class BrowsedMessage:
    """A dead letter found by a browser; only that browser knows its `delivery_tag`."""

    delivery_tag: int
    queue: str
    body: bytes = field(repr=False)
    headers: Mapping[str, Any] | None = field(repr=False)

    @cached_property
    def dead_letter(self) -> DeadLetter:
        """The parsed dead letter; it is parsed at the first access."""
        return read_dead_letter(self.queue, self.body, self.headers)


class DeadLetterBrowser(Protocol):
    """Browses the dead letters of a queue."""

    def __iter__(self) -> Iterator[BrowsedMessage]:
        """Yield the dead letters that existed when browsing began, oldest first.

        A dead letter stays in its place unless it is acknowledged. Raises `TransientError` (broker).
        """

    def ack(self, found: BrowsedMessage) -> None:
        """Acknowledge a dead letter, which removes it for good; raises `TransientError` (broker).

        If the connection breaks at that moment, the dead letter may remain.
        """

    def pause(self, seconds: float) -> None:
        """Wait, and keep the connection alive meanwhile."""


class DeadLetterSource(Protocol):
    """Gives access to dead letters."""

    def browse_dead_letters(self, queue: str) -> AbstractContextManager[DeadLetterBrowser]:
        """Browse the dead letters of `queue`, one browser at a time.

        Raises `TransientError` (broker) when that fails.
        """


@dataclass(frozen=True, kw_only=True)
class QueueDepth:
    """The messages that are ready in `NAME`; `deferred` counts those of the queues that belong to it.

    They are quick, wait for their time, or have come back.
    """

    ready: int
    deferred: int

    @property
    def is_empty(self) -> bool:
        """Whether no message is ready in any of them."""
        return not (self.ready or self.deferred)


class QueueDepths(Protocol):
    """Counts the messages that are ready."""

    def depth(self, queue: str) -> QueueDepth:
        """Return the ready messages of `queue` and its related queues; raises `TransientError` (broker)."""


class ReplayBroker(Publisher, DeadLetterSource, Protocol):
    """The broker of a replay."""


class ReconcilerBroker(ReplayBroker, QueueDepths, Protocol):
    """The broker of a reconciler."""


def prepare_dramatiq() -> None:
    """Make dramatiq use our encoder, and a clock for delays that never jumps: both are global variables."""
    set_encoder(EnvelopeEncoder())
    use_monotonic_clock()
