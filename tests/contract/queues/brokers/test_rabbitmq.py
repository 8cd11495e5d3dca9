"""What RabbitMQ alone has: its kinds of queues, connections that break, and the broker being away."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from queues.actor import declare_actor
from queues.brokers.rabbitmq import QuorumBroker
from schemas.errors import Dependency, OperatorError, TransientError
from schemas.messages.messages import QUEUES, TENANT_SYNC_QUEUE, USER_SYNC_QUEUE
from tests.contract.queues.broker_probe import (
    Calls,
    RabbitMQProbe,
    RecordingListener,
    dead_letter_bodies,
    running_worker,
    wait_until,
)
from tests.contract.queues.brokers.test_brokers import user_message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from devtools.services.rabbitmq import RabbitMQ

#: A port of this machine where nobody listens: the discard service's.
UNREACHABLE = "amqp://guest:guest@127.0.0.1:9/?connection_attempts=1"


@pytest.fixture
def probe(amqp_url: str) -> Iterator[RabbitMQProbe]:
    probe = RabbitMQProbe(amqp_url)
    yield probe
    probe.broker.close()


def arguments(rabbitmq: RabbitMQ, amqp_url: str) -> dict[str, dict[str, Any]]:
    """Ask the server itself for the queues of the test, each with what it was declared with."""
    vhost = urlsplit(amqp_url).path.removeprefix("/")
    queues = rabbitmq.call("GET", f"/queues/{vhost}").json()
    assert all(queue["durable"] for queue in queues)
    return {queue["name"]: queue["arguments"] for queue in queues}


def expected_arguments(queue: str) -> dict[str, dict[str, Any]]:
    work = {
        "x-queue-type": "quorum",
        "x-delivery-limit": 100,
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": f"{queue}.XQ",
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }
    # A request for a run stands behind no others.
    quick = {} if queue == TENANT_SYNC_QUEUE else {f"{queue}.quick": work}
    return {
        queue: work,
        **quick,
        f"{queue}.redelivered": work,
        f"{queue}.quarantine": work,
        f"{queue}.DQ": {**work, "x-delivery-limit": 1_000_000},
        f"{queue}.XQ": {"x-queue-type": "quorum", "x-delivery-limit": 1_000_000},
    }


@pytest.mark.parametrize("queue", QUEUES)
def test_queues_are_quorum_and_dead_letters_never_expire(
    probe: RabbitMQProbe, rabbitmq: RabbitMQ, amqp_url: str, queue: str
) -> None:
    """P9: all queues are replicated, crash loops end, and no dead letter has an end of its time."""
    probe.broker.publish([user_message().copy(queue_name=queue)])
    assert arguments(rabbitmq, amqp_url) == expected_arguments(queue)


def test_a_consumer_declares_the_same_queues_as_a_publisher(
    probe: RabbitMQProbe, rabbitmq: RabbitMQ, amqp_url: str
) -> None:
    """Publishers and workers declare the same queues in any order, so that neither is refused."""
    probe.broker.declare_queue(USER_SYNC_QUEUE, ensure=True)
    assert arguments(rabbitmq, amqp_url) == expected_arguments(USER_SYNC_QUEUE)
    probe.broker.publish([user_message()])


def test_a_queue_with_other_properties_is_said_plainly(probe: RabbitMQProbe) -> None:
    """A queue that exists with other properties is an operator's error, not an outage."""
    with probe.channel() as channel:
        channel.queue_declare(USER_SYNC_QUEUE, durable=True)
    with pytest.raises(OperatorError, match="the queue user-sync exists in RabbitMQ with other properties"):
        probe.broker.publish([user_message()])


def test_a_deleted_queue_is_made_again(probe: RabbitMQProbe) -> None:
    """P2: publishing to a queue that was deleted meanwhile is no silent loss: it is back, and filled."""
    probe.broker.publish([user_message("u1")])
    with probe.channel() as channel:
        channel.queue_delete(USER_SYNC_QUEUE)
    second, third = user_message("u2"), user_message("u3")
    probe.broker.publish([second, third])
    assert probe.take_all(USER_SYNC_QUEUE) == [second.encode(), third.encode()]


def test_a_deleted_dead_letter_queue_is_made_again(probe: RabbitMQProbe) -> None:
    """P9: a dead letter finds its queue even when that was deleted meanwhile."""
    probe.broker.publish_dead_letter(user_message("u1"))
    with probe.channel() as channel:
        channel.queue_delete(f"{USER_SYNC_QUEUE}.XQ")
    dead_letter = user_message("u2")
    probe.broker.publish_dead_letter(dead_letter)
    assert dead_letter_bodies(probe.broker, USER_SYNC_QUEUE) == [dead_letter.encode()]


def test_a_broker_away_is_an_outage() -> None:
    """P8: with no RabbitMQ there, whatever needs it raises a transient error that names it."""
    broker = QuorumBroker(UNREACHABLE)
    for attempt in (
        lambda: broker.publish([user_message()]),
        lambda: broker.publish_dead_letter(user_message()),
        lambda: dead_letter_bodies(broker, USER_SYNC_QUEUE),
        broker.check,
    ):
        with pytest.raises(TransientError) as caught:
            attempt()
        assert caught.value.dependency is Dependency.BROKER
        assert "guest" not in str(caught.value)


def test_making_a_broker_does_not_connect() -> None:
    """A process is put together before its RabbitMQ has to be there."""
    QuorumBroker(UNREACHABLE).close()


def test_a_reachable_broker_passes_the_check(probe: RabbitMQProbe) -> None:
    """The check connects and declares nothing."""
    probe.broker.check()
    assert probe.count(USER_SYNC_QUEUE) is None


@pytest.mark.parametrize("dead_letter", [False, True])
def test_a_connection_lost_in_between_is_made_again(probe: RabbitMQProbe, dead_letter: bool) -> None:  # noqa: FBT001 - one of two ways
    """P8: when the connection was closed between two publishes, the second opens a new one by itself."""
    publish = (
        probe.broker.publish_dead_letter if dead_letter else lambda message: probe.broker.publish([message])
    )
    queue = f"{USER_SYNC_QUEUE}.XQ" if dead_letter else USER_SYNC_QUEUE
    first, second = user_message("u1"), user_message("u2")
    publish(first)
    for held in probe.idle_connections():
        held.close()
    publish(second)
    assert probe.take_all(queue) == [first.encode(), second.encode()]


def test_a_connection_that_the_server_closed_is_made_again(
    probe: RabbitMQProbe, rabbitmq: RabbitMQ, amqp_url: str
) -> None:
    """P8: the server may close a connection at any time; the next publish goes on with a new one."""
    probe.broker.publish([user_message("u1")])
    vhost = urlsplit(amqp_url).path.removeprefix("/")

    def connections() -> list[str]:
        return [one["name"] for one in rabbitmq.call("GET", f"/vhosts/{vhost}/connections").json()]

    wait_until(lambda: bool(connections()), "the server to show the connection")
    for name in connections():
        rabbitmq.call("DELETE", f"/connections/{name}")
    second = user_message("u2")
    probe.broker.publish([second])
    assert probe.take_all(USER_SYNC_QUEUE)[-1] == second.encode()


def test_a_publisher_does_not_work_on_what_it_publishes(probe: RabbitMQProbe) -> None:
    """A process with workers for one queue may publish to another, and does not begin to consume that one."""
    calls, listener = Calls(), RecordingListener()
    declare_actor(probe.broker, calls, name="tenant_sync", queue=TENANT_SYNC_QUEUE, failure_listener=listener)
    with running_worker(probe.broker) as worker:
        probe.broker.publish([user_message("u1")])
        probe.broker.publish(
            [user_message("u2").copy(queue_name=TENANT_SYNC_QUEUE, actor_name="tenant_sync")]
        )
        wait_until(lambda: bool(calls.done), "the message for this process")
        of_this_process = {
            f"{TENANT_SYNC_QUEUE}{suffix}" for suffix in ("", ".DQ", ".redelivered", ".quarantine")
        }
        assert set(worker.consumers) == of_this_process
    assert [json.loads(body)["kwargs"]["user"] for body in probe.take_all(USER_SYNC_QUEUE)] == ["u1"]


def test_a_body_is_persistent_and_says_that_it_is_json(probe: RabbitMQProbe) -> None:
    """P2: messages outlive a restart of RabbitMQ, and other programs can tell what they are."""
    probe.broker.publish([user_message()])
    with probe.channel() as channel:
        _, properties, _ = channel.basic_get(USER_SYNC_QUEUE, auto_ack=True)
    assert (properties.delivery_mode, properties.content_type) == (2, "application/json")


def test_bodies_of_any_size_arrive_whole_and_in_order(probe: RabbitMQProbe) -> None:
    """P2: a body that is longer than one of AMQP's frames, or just as long, is split where it has to be."""
    longest = probe.parameters.frame_max - 8
    around = len(user_message("").encode())
    sizes = [1, longest - 1, longest, longest + 1, 3 * longest, 1]
    page = [user_message("x" * (max(size, around + 1) - around)) for size in sizes]
    assert [len(message.encode()) for message in page] == [max(size, around + 1) for size in sizes]
    probe.broker.publish(page)
    assert probe.take_all(USER_SYNC_QUEUE) == [message.encode() for message in page]
