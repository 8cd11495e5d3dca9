"""A broker of ours seen from outside: what lies in its queues, put there and taken out by other means."""

from __future__ import annotations

import queue as standard_queue
import time
from collections import defaultdict
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import pika
from dramatiq import Worker
from dramatiq.middleware import CurrentMessage
from pika.exceptions import ChannelClosedByBroker

from queues.brokers.memory import MemoryBroker
from queues.brokers.rabbitmq import QuorumBroker
from queues.middleware.failure_policy import UNKNOWN_PEERS, PeerResults
from queues.middleware.failures import FailureMiddleware, utc_now
from runtime.circuit_breaker import CircuitBreakers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import dramatiq
    from dramatiq import Message
    from dramatiq.middleware import Middleware

    from queues.interfaces import DeadLetterSource
    from queues.middleware.failure_policy import Halt
    from schemas.outcomes import Stage
    from schemas.runs.sync_result import Failure
    from schemas.runs.waits import Wait

#: Seconds until a test no longer believes that something will still happen.
DEADLINE = 30


def wait_until(happened: Callable[[], bool], what: str) -> None:
    """Return as soon as `happened` says so; fail with `what` was waited for when the deadline has passed."""
    deadline = time.monotonic() + DEADLINE
    while not happened():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {DEADLINE} s in vain for {what}")
        time.sleep(0.02)


def dead_letter_bodies(broker: DeadLetterSource, queue: str) -> list[bytes]:
    """Return the dead letters of a queue, oldest first."""
    with broker.browse_dead_letters(queue) as browser:
        return [found.dead_letter.body for found in browser]


def middleware() -> list[Middleware]:
    """Return the middleware as production has it, but without chance in its delays."""
    return [
        CurrentMessage(),
        FailureMiddleware(version="test", breakers=CircuitBreakers(), now=utc_now, jitter=lambda: 0.0),
    ]


class BrokerProbe(Protocol):
    """A broker, and what one needs to see around it."""

    broker: Any

    def put(self, queue: str, body: bytes) -> None:
        """Put any bytes into a queue, as a foreign client would."""

    def take_all(self, queue: str) -> list[bytes]:
        """Take out what waits in a queue, oldest first."""


class MemoryProbe:
    """The broker in memory."""

    def __init__(self) -> None:
        self.broker = MemoryBroker(middleware=middleware())

    def put(self, queue: str, body: bytes) -> None:
        self.broker.put(queue, body)

    def take_all(self, queue: str) -> list[bytes]:
        bodies: list[bytes] = []
        with suppress(standard_queue.Empty, KeyError):
            while True:
                bodies.append(self.broker.queues[queue].get_nowait())
                self.broker.queues[queue].task_done()
        # What was handed out and never acknowledged: RabbitMQ would give it back.
        assert not self.broker.queues[queue].unfinished_tasks
        return bodies


class RabbitMQProbe:
    """The broker on RabbitMQ, watched with plain pika."""

    def __init__(self, url: str) -> None:
        self.parameters = pika.URLParameters(url)
        self.broker = QuorumBroker(url, middleware=middleware())

    def idle_connections(self) -> list[Any]:
        """Return the broker's idle publishing connections, as pika's."""
        return [held._connection for held in self.broker._pool._idle]  # noqa: SLF001 - to break them

    @contextmanager
    def channel(self) -> Iterator[Any]:
        with pika.BlockingConnection(self.parameters) as connection:
            channel = connection.channel()
            channel.confirm_delivery()
            yield channel

    def put(self, queue: str, body: bytes) -> None:
        self.broker.declare_queue(queue, ensure=True)
        with self.channel() as channel:
            channel.basic_publish(exchange="", routing_key=queue, body=body, mandatory=True)

    def count(self, queue: str) -> int | None:
        """Return how many messages wait in a queue, None if there is no such queue."""
        try:
            with self.channel() as channel:
                return int(channel.queue_declare(queue, passive=True).method.message_count)
        except ChannelClosedByBroker:
            return None

    def take_all(self, queue: str) -> list[bytes]:
        return [body for _, body in self._take_all(queue)]

    def take_counts(self, queue: str) -> list[int]:
        """Take out what waits in a queue, and return how often each message has come back."""
        return [(headers or {}).get("x-delivery-count", 0) for headers, _ in self._take_all(queue)]

    def _take_all(self, queue: str) -> Iterator[tuple[dict[str, Any] | None, bytes]]:
        with self.channel() as channel:
            while True:
                method, properties, body = channel.basic_get(queue, auto_ack=True)
                if method is None:
                    return
                yield properties.headers, body


@dataclass(kw_only=True)
class RecordingListener:
    """A recorder that remembers what it was told; `failures` are raised first, one each time."""

    dead_letters: list[tuple[Message[Any], Failure, int]] = field(default_factory=list)
    halts: list[tuple[Message[Any], Halt]] = field(default_factory=list)
    #: What was told of retries: whoever compares what became of messages leaves it aside.
    told: list[tuple[Message[Any], Wait]] = field(default_factory=list, compare=False)
    failures: list[Exception] = field(default_factory=list)
    #: How others fare, as it is asked at each stage.
    fare: PeerResults = UNKNOWN_PEERS
    #: Whether messages are kept among the dead letters.
    keeps: bool = True

    def keeps_dead_letter(self, message: Message[Any]) -> bool:
        del message
        return self.keeps

    def on_dead_letter(self, message: Message[Any], dead_letter: Failure, *, attempts: int) -> None:
        self._fail()
        self.dead_letters.append((message, dead_letter, attempts))

    def on_halt(self, message: Message[Any], halt: Halt) -> None:
        self._fail()
        self.halts.append((message, halt))

    def on_wait(self, message: Message[Any], wait: Wait) -> None:
        self.told.append((message, wait))

    def peer_results(self, message: Message[Any], stage: Stage) -> PeerResults:
        del message, stage
        self._fail()
        return self.fare

    def _fail(self) -> None:
        if self.failures:
            raise self.failures.pop(0)


@dataclass(kw_only=True)
class Calls:
    """An actor's function that remembers its calls; each user meets the `failures` first, one by one."""

    failures: Sequence[Exception] = ()
    seen: list[dict[str, Any]] = field(default_factory=list)
    done: list[dict[str, Any]] = field(default_factory=list)
    _tried: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))

    def __call__(self, **kwargs: Any) -> None:
        who = str(kwargs.get("user"))
        attempted = self._tried[who]
        self._tried[who] += 1
        self.seen.append(kwargs)
        if attempted < len(self.failures):
            raise self.failures[attempted]
        self.done.append(kwargs)


@contextmanager
def running_worker(broker: dramatiq.Broker, *, threads: int = 2) -> Iterator[Worker]:
    """Have a dramatiq worker work on all queues that the broker knows."""
    worker = Worker(broker, worker_timeout=50, worker_threads=threads)
    worker.start()
    try:
        yield worker
    finally:
        worker.stop()
