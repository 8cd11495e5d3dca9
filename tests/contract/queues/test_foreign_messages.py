"""Whoever may publish decides what lies in a queue, and nothing else: on RabbitMQ as well as in memory."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from queues.actor import declare_actor
from queues.middleware.failure_policy import MAX_DELAY
from schemas.dead_letter_reasons import Reason
from schemas.messages.dead_letter import read_dead_letter
from schemas.messages.messages import (
    TENANT_PAGES_QUEUE,
    TENANT_SYNC_QUEUE,
    USER_SYNC_QUEUE,
    load_user_sync,
    reject_positional_arguments,
)
from tests.contract.queues.broker_probe import (
    BrokerProbe,
    Calls,
    MemoryProbe,
    RabbitMQProbe,
    RecordingListener,
    dead_letter_bodies,
    running_worker,
    wait_until,
)
from tests.contract.queues.brokers.test_brokers import envelope, user_message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dramatiq import Worker

#: What dramatiq, or a middleware of its own, reads of a message's options.
OPTIONS: Final = (
    "throws",
    "eta",
    "retries",
    "max_retries",
    "max_age",
    "pipe_target",
    "pipe_ignore",
    "on_failure",
    "on_success",
    "broker_priority",
    "traceback",
    "time_limit",
    "update_sync",
)

JSON: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NUMBERS: Final = st.sampled_from([2**60, 2**200, -(2**70), 0, float("inf"), float("nan"), 1e300])
FIELDS: Final = ("tenant", "run", "user", "payload", "self", "args", "kwargs", "x")
ENVELOPES: Final = st.fixed_dictionaries(
    {
        "queue_name": st.sampled_from([USER_SYNC_QUEUE, "user-sync.DQ", "user-sync.XQ", "elsewhere", ""]),
        "actor_name": st.sampled_from(["user_sync", "user_sync", "tenant_sync", "nobody", ""]),
        "args": st.lists(JSON, max_size=2) | st.just([]),
        "kwargs": st.dictionaries(st.sampled_from(FIELDS), JSON | NUMBERS),
        "options": st.dictionaries(st.sampled_from(OPTIONS), JSON | NUMBERS),
    },
    optional={"message_id": st.text() | JSON, "message_timestamp": st.integers() | NUMBERS},
)
BODIES: Final = st.binary(max_size=50) | ENVELOPES.map(lambda fields: json.dumps(fields).encode())


@pytest.fixture(params=["memory", "rabbitmq"])
def probe(request: pytest.FixtureRequest) -> Iterator[BrokerProbe]:
    made: BrokerProbe
    made = MemoryProbe() if request.param == "memory" else RabbitMQProbe(request.getfixturevalue("amqp_url"))
    yield made
    made.broker.close()


def all_alive(worker: Worker) -> bool:
    threads: list[Any] = [*worker.workers, *worker.consumers.values()]
    return all(thread.is_alive() for thread in threads)


def declare(probe: BrokerProbe, calls: Calls) -> None:
    """Have users worked on as production does, as far as arguments go."""

    def user_sync(*args: object, **fields: object) -> None:
        reject_positional_arguments(args)
        load_user_sync(fields)
        calls(**fields)

    declare_actor(
        probe.broker, user_sync, name="user_sync", queue=USER_SYNC_QUEUE, failure_listener=RecordingListener()
    )


@pytest.mark.parametrize("queue", [USER_SYNC_QUEUE, f"{USER_SYNC_QUEUE}.DQ"])
def test_whatever_is_published_kills_no_thread(probe: BrokerProbe, queue: str) -> None:
    """P7: any bytes and any envelope are worked on or a dead letter, and who comes next is worked on."""
    calls = Calls()
    declare(probe, calls)
    with running_worker(probe.broker) as worker:

        @settings(max_examples=60, database=None, suppress_health_check=list(HealthCheck))
        @given(body=BODIES)
        def publish(body: bytes) -> None:
            probe.put(queue, body)

        publish()
        probe.broker.publish([user_message("the last")])
        wait_until(lambda: any(call["user"] == "the last" for call in calls.done), "who came last")
        assert all_alive(worker)


def test_options_of_others_do_nothing(probe: BrokerProbe) -> None:
    """No option of dramatiq's is taken from a message: `throws` killed threads, `eta` waited for ever."""
    calls = Calls()
    declare(probe, calls)
    evil = dict.fromkeys(OPTIONS, "x") | {"eta": 2**60, "pipe_target": {"queue_name": "x"}}
    probe.put(USER_SYNC_QUEUE, envelope(options=evil))
    failing = json.loads(envelope(options=evil, args=[1]))
    probe.put(USER_SYNC_QUEUE, json.dumps(failing).encode())
    with running_worker(probe.broker) as worker:
        wait_until(lambda: len(calls.done) == 1, "the message with options")
        wait_until(lambda: len(dead_letter_bodies(probe.broker, USER_SYNC_QUEUE)) == 1, "the dead letter")
        assert all_alive(worker)
    (dead_letter,) = dead_letter_bodies(probe.broker, USER_SYNC_QUEUE)
    assert set(json.loads(dead_letter)["options"]) == {"update_sync"}


def test_a_time_is_believed_on_the_queue_of_what_waits_alone(probe: BrokerProbe) -> None:
    """P10: on the delay queue a time beyond all bounds is cut; elsewhere there is none."""
    declare(probe, Calls())
    probe.put(f"{USER_SYNC_QUEUE}.DQ", envelope(options={"eta": 2**60}))
    with running_worker(probe.broker) as worker:
        consumer = worker.consumers[f"{USER_SYNC_QUEUE}.DQ"]
        wait_until(lambda: consumer.delay_queue.qsize() == 1, "the message that waits")
        eta = consumer.delay_queue.queue[0].priority / 1000
    import time  # noqa: PLC0415 - for this alone

    assert eta <= time.time() + MAX_DELAY


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (envelope(actor_name="tenant_page"), "the actor tenant_page"),
        (envelope(actor_name="\ud800" * 300), "the actor of an unreadable name"),
        (b'{"x":"' + b"x" * 1024 * 1024 + b'"}', "bytes; "),
        (envelope(kwargs={"self": 1}), "rejected it"),
    ],
)
def test_what_is_not_for_the_queues_actor_is_a_dead_letter(
    probe: BrokerProbe, body: bytes, detail: str
) -> None:
    """P9: another actor's message and a huge body lie among the dead letters as they came, and say why."""
    calls = Calls()
    declare(probe, calls)
    declare_actor(
        probe.broker,
        calls,
        name="tenant_page",
        queue=TENANT_PAGES_QUEUE,
        failure_listener=RecordingListener(),
    )
    probe.put(USER_SYNC_QUEUE, body)
    with running_worker(probe.broker):
        wait_until(lambda: len(dead_letter_bodies(probe.broker, USER_SYNC_QUEUE)) == 1, "the dead letter")
    (kept,) = dead_letter_bodies(probe.broker, USER_SYNC_QUEUE)
    assert kept == body
    assert calls.seen == []
    verdict = read_dead_letter(USER_SYNC_QUEUE, kept).failure
    if "actor" in detail:
        assert verdict.reason is Reason.UNDECODABLE
        assert detail in verdict.detail


def test_a_message_for_another_queue_stays_where_it_is(probe: BrokerProbe) -> None:
    """A message is of the queue that it lies in, whatever queue it names."""
    calls = Calls()
    declare(probe, calls)
    probe.put(USER_SYNC_QUEUE, envelope(queue_name=TENANT_SYNC_QUEUE))
    with running_worker(probe.broker):
        wait_until(lambda: len(calls.done) == 1, "the message")
    assert probe.take_all(USER_SYNC_QUEUE) == []
