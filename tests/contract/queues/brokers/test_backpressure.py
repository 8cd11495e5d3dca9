"""What a consumer holds is bounded in bytes: RabbitMQ only counts messages."""

from __future__ import annotations

import itertools
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pika
import pytest
from dramatiq import Message

from queues.actor import declare_actor
from queues.brokers.backpressure import MAX_BUFFERED_BYTES
from queues.queue_names import DELAYED_PREFETCH, prefetch_of
from schemas.messages.messages import USER_SYNC_QUEUE
from tests.contract.queues.broker_probe import (
    Calls,
    RabbitMQProbe,
    RecordingListener,
    running_worker,
    wait_until,
)
from tests.contract.queues.brokers.test_brokers import user_message

if TYPE_CHECKING:
    from collections.abc import Iterator

BODIES = 300
PAYLOAD = "x" * 900_000


@pytest.fixture
def probe(amqp_url: str) -> Iterator[RabbitMQProbe]:
    probe = RabbitMQProbe(amqp_url)
    yield probe
    probe.broker.close()


def fill(probe: RabbitMQProbe, bodies: int = BODIES) -> None:
    """Put so many heavy messages into the queue."""
    probe.broker.declare_queue(USER_SYNC_QUEUE, ensure=True)
    with pika.BlockingConnection(probe.parameters) as connection:
        channel = connection.channel()
        channel.tx_select()
        for number in range(bodies):
            message = user_message(f"u{number}")
            body = message.copy(kwargs={**message.kwargs, "payload": PAYLOAD}).encode()
            channel.basic_publish("", USER_SYNC_QUEUE, body)
        channel.tx_commit()


def inside(consumer: Any) -> int:
    """Return the bytes that pika has buffered and no consumer has taken yet."""
    return sum(len(event.body) for event in consumer.channel._queue_consumer_generator.pending_events)  # noqa: SLF001 - what is measured


def test_a_consumer_holds_so_many_bytes_and_all_is_worked_off(probe: RabbitMQProbe) -> None:
    """P7: large messages do not fill a process's memory, whatever the prefetch; they wait in RabbitMQ."""
    fill(probe)
    done = 0
    with closing(probe.broker.consume(USER_SYNC_QUEUE, prefetch=512, timeout=100)) as consumer:
        buffered_bytes: list[Any] = []
        quiet = 0
        while done < BODIES:
            message = next(consumer)
            if message is not None:
                buffered_bytes.append(message)
                quiet = 0
            else:
                quiet += 1
            assert (
                sum(len(each.envelope[2]) for each in buffered_bytes) + inside(consumer)
                < MAX_BUFFERED_BYTES + 4_000_000
            )
            if quiet > 2 and buffered_bytes:
                for each in buffered_bytes:
                    consumer.ack(each)
                done += len(buffered_bytes)
                buffered_bytes = []
        assert consumer.buffered_bytes == 0
    wait_until(lambda: probe.count(USER_SYNC_QUEUE) == 0, "an empty queue")


def test_workers_work_off_what_is_heavy(probe: RabbitMQProbe) -> None:
    """P2: messages that fill a consumer many times are all done, each once."""
    fill(probe, 150)
    calls = Calls()
    declare_actor(
        probe.broker, calls, name="user_sync", queue=USER_SYNC_QUEUE, failure_listener=RecordingListener()
    )
    with running_worker(probe.broker, threads=64):
        wait_until(lambda: len(calls.done) >= 150, "all of them")
    assert len({call["user"] for call in calls.done}) == len(calls.done) == 150


def test_a_full_consumer_is_stopped_as_any_other(probe: RabbitMQProbe) -> None:
    """P2: a consumer that is full can be ended, and what it had not begun is still there."""
    fill(probe, 100)
    consumer: Any = probe.broker.consume(USER_SYNC_QUEUE, prefetch=512, timeout=100)
    messages = [message for message in itertools.islice(consumer, 60) if message is not None]
    assert consumer.buffered_bytes >= MAX_BUFFERED_BYTES
    assert len(messages) < 60
    consumer.start(messages[0])
    stopped = consumer.stop_receiving()
    while not stopped.is_set():
        consumer.connection.process_data_events(0.1)
    consumer.ack(messages[0])
    consumer.close()
    others = {f"u{number}" for number in range(100)} - {messages[0].kwargs["user"]}
    left: set[str] = set()

    def is_all_there() -> bool:
        left.update(Message.decode(body).kwargs["user"] for body in probe.take_all(USER_SYNC_QUEUE))
        return left >= others

    wait_until(is_all_there, "what was not begun")


def test_messages_that_wait_are_few_thousand() -> None:
    """A process takes some thousands of messages that wait for their time, not 65,535."""
    assert prefetch_of(f"{USER_SYNC_QUEUE}.DQ", 65_535) == DELAYED_PREFETCH
    assert prefetch_of(f"{USER_SYNC_QUEUE}.DQ", 1000) == 1000
    assert prefetch_of(USER_SYNC_QUEUE, 512) == 512
