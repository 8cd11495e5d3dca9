"""Messages that come back: connections that break under a worker, workers that end without a word."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
from itertools import islice
from typing import TYPE_CHECKING, Any

import pika
import pytest
from dramatiq import Message

from queues.actor import declare_actor
from queues.middleware.quarantine import MAX_CRASHES
from schemas.messages.messages import METADATA_KEY, USER_SYNC_QUEUE
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
    from pathlib import Path

QUARANTINE = f"{USER_SYNC_QUEUE}.quarantine"


@pytest.fixture
def probe(amqp_url: str) -> Iterator[RabbitMQProbe]:
    probe = RabbitMQProbe(amqp_url)
    yield probe
    probe.broker.close()


class Held:
    """An actor's function that keeps its messages in hand until it is told otherwise."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.begun: list[str] = []
        self.done: list[str] = []

    def __call__(self, *, user: str, **_: object) -> None:
        self.begun.append(user)
        assert self.go_on.wait(30)
        self.done.append(user)


def test_an_old_delivery_acknowledges_no_other_message(probe: RabbitMQProbe) -> None:
    """P2: deliveries are numbered from 1 on each connection; an old number must not mean a new message."""
    probe.broker.publish([user_message("u1"), user_message("u2")])

    def one_of(consumer: Any) -> Any:
        return next(message for message in consumer if message is not None)

    broken = probe.broker.consume(USER_SYNC_QUEUE, prefetch=1)
    old = one_of(broken)
    broken.close()
    made_anew = probe.broker.consume(USER_SYNC_QUEUE, prefetch=1)
    new = one_of(made_anew)
    assert new.tag == old.tag
    made_anew.ack(old)
    made_anew.nack(old)
    made_anew.close()
    assert len(probe.take_all(USER_SYNC_QUEUE)) == 2
    assert probe.take_all(f"{USER_SYNC_QUEUE}.XQ") == []


def test_each_of_several_answers_is_for_its_own_message(probe: RabbitMQProbe) -> None:
    """P2: a combined acknowledgement covers processed messages only, not those between them."""
    probe.broker.publish([user_message(f"u{number}") for number in range(6)])
    consumer: Any = probe.broker.consume(USER_SYNC_QUEUE, prefetch=6, timeout=1000)
    received = [message for message in islice(consumer, 6) if message is not None]
    for done in (received[4], received[0], received[2], received[2]):
        consumer.ack(done)
    consumer.nack(received[3])
    consumer.ack(received[3])
    consumer.close()
    left = [Message.decode(body).kwargs["user"] for body in probe.take_all(USER_SYNC_QUEUE)]
    assert left == [received[1].kwargs["user"], received[5].kwargs["user"]]
    [dead_letter] = probe.take_all(f"{USER_SYNC_QUEUE}.XQ")
    assert Message.decode(dead_letter).kwargs["user"] == received[3].kwargs["user"]


def test_what_came_back_is_worked_on_alone(probe: RabbitMQProbe) -> None:
    """P7: a message that a worker gave back without a word is worked on, one at a time."""
    probe.broker.publish([user_message(f"u{number}") for number in range(5)])
    with probe.channel() as channel:
        for _ in range(5):
            channel.basic_get(USER_SYNC_QUEUE)
    calls = Calls()
    declare_actor(
        probe.broker, calls, name="user_sync", queue=USER_SYNC_QUEUE, failure_listener=RecordingListener()
    )
    with running_worker(probe.broker):
        wait_until(lambda: len(calls.done) == 5, "all of them")
    assert sorted(call["user"] for call in calls.done) == [f"u{number}" for number in range(5)]


def test_one_process_takes_one_suspect_at_a_time(probe: RabbitMQProbe) -> None:
    """P7: while one suspect is in hand, no other one is, so that no other one's deaths are counted."""
    held = Held()
    declare_actor(
        probe.broker, held, name="user_sync", queue=USER_SYNC_QUEUE, failure_listener=RecordingListener()
    )
    probe.broker.publish([user_message(f"u{number}").copy(queue_name=QUARANTINE) for number in range(3)])
    with running_worker(probe.broker):
        wait_until(lambda: len(held.begun) == 1, "the first one")
        assert probe.count(QUARANTINE) == 2
        held.go_on.set()
        wait_until(lambda: len(held.done) == 3, "all of them")


def test_workers_that_die_over_it_alone_make_a_dead_letter(probe: RabbitMQProbe) -> None:
    """P9: a message over which workers die alone is `crashed_worker`, and the books say so."""
    probe.broker.publish([user_message("u1").copy(queue_name=QUARANTINE)])
    for _ in range(MAX_CRASHES):
        with probe.channel() as channel:
            channel.basic_get(QUARANTINE)
    calls, listener = Calls(), RecordingListener()
    declare_actor(probe.broker, calls, name="user_sync", queue=USER_SYNC_QUEUE, failure_listener=listener)
    with running_worker(probe.broker):
        wait_until(lambda: bool(listener.dead_letters), "the books")
    (body,) = probe.take_all(f"{USER_SYNC_QUEUE}.XQ")
    dead_letter = Message.decode(body)
    assert calls.seen == []
    assert dead_letter.options[METADATA_KEY]["reason"] == "crashed_worker"
    assert (dead_letter.queue_name, dead_letter.kwargs["user"]) == (USER_SYNC_QUEUE, "u1")
    assert probe.take_all(QUARANTINE) == []


WORKER = """
    import os, signal, sys
    from queues.actor import declare_actor
    from queues.brokers.factory import open_broker
    from queues.consuming.in_process import run_worker
    from tests.contract.queues.broker_probe import RecordingListener

    def sync(*, user, **_):
        if user in sys.argv[3:]:
            os.kill(os.getpid(), signal.SIGKILL)
        with open(sys.argv[2], "a") as log:
            print("done", user, file=log)

    class Noted(RecordingListener):
        def on_dead_letter(self, message, letter, *, attempts):
            with open(sys.argv[2], "a") as log:
                print(letter.reason, message.kwargs["user"], file=log)

    broker = open_broker(sys.argv[1])
    declare_actor(broker, sync, name="user_sync", queue="user-sync", failure_listener=Noted())
    with run_worker(broker, threads=4):
        signal.sigwait({signal.SIGTERM})
"""


def test_fatal_messages_take_nobody_with_them(probe: RabbitMQProbe, amqp_url: str, tmp_path: Path) -> None:
    """P7, P9: of many users two kill every worker: those two are `crashed_worker`, the others done."""
    fatal = ["u3", "u4"]
    all_users = [f"u{number}" for number in range(40)]
    probe.broker.publish([user_message(user) for user in all_users])
    log = tmp_path / "log"
    log.touch()

    def lines() -> list[str]:
        return log.read_text(encoding="utf-8").splitlines()

    def ended() -> bool:
        return {line.split()[1] for line in lines()} == set(all_users)

    deaths = 0
    while not ended():
        worker = subprocess.Popen(  # noqa: S603 - our own script
            [sys.executable, "-c", textwrap.dedent(WORKER), amqp_url, str(log), *fatal],
            env=os.environ | {"PYTHONPATH": os.getcwd()},  # noqa: PTH109 - the checkout
        )
        try:
            wait_until(lambda worker=worker: worker.poll() is not None or ended(), "a death, or the end")  # type: ignore[misc] # bound at once
        finally:
            worker.terminate()
            deaths += worker.wait(30) == -signal.SIGKILL
        # A death between the move to the other queue and the acknowledgement leaves a copy behind, which is
        # counted by itself. How many there are depends on the machine; that they end does not.
        assert deaths <= 4 * len(fatal) * (MAX_CRASHES + 1)
    crashed = {line.split()[1] for line in lines() if line.startswith("crashed_worker")}
    assert crashed == set(fatal)
    assert {line.split()[1] for line in lines() if line.startswith("done")} == set(all_users) - set(fatal)


def test_what_is_on_its_way_to_a_consumer_that_stops_leaves_no_count(probe: RabbitMQProbe) -> None:
    """P2: a queue hands out more for each acknowledgement, and what it handed out comes back uncounted."""
    for _ in range(3):
        probe.broker.publish([user_message(f"u{number}") for number in range(300)])
        consumer = probe.broker.consume(USER_SYNC_QUEUE, prefetch=8, timeout=100)
        stopping = threading.Event()

        def work(consumer: Any = consumer, stopping: threading.Event = stopping) -> None:
            for count, message in enumerate(consumer):
                if message is not None and consumer.start(message):
                    consumer.ack(message)
                if count == 40:
                    stopping.set()

        thread = threading.Thread(target=work)
        thread.start()
        assert stopping.wait(30)
        for step in (consumer.stop_receiving, consumer.requeue_unanswered, consumer.close_connection):
            assert step().wait(30)
        thread.join()
        counts = probe.take_counts(USER_SYNC_QUEUE)
        assert counts
        assert set(counts) == {0}


def test_a_stopping_worker_gives_back_what_it_waits_with(probe: RabbitMQProbe) -> None:
    """P2: a worker that is stopped while it cannot publish a retry leaves the message to RabbitMQ."""
    sent = user_message("u1")
    probe.broker.publish([sent])
    begun = threading.Event()

    def sync(**_: object) -> None:
        begun.set()
        # Nobody is there to take the retry that this failure asks for.
        probe.broker.parameters = pika.URLParameters("amqp://127.0.0.1:9/")
        probe.broker.disconnect()
        raise OSError

    declare_actor(
        probe.broker, sync, name="user_sync", queue=USER_SYNC_QUEUE, failure_listener=RecordingListener()
    )
    with running_worker(probe.broker):
        assert begun.wait(30)
    bodies = [Message.decode(body) for body in probe.take_all(USER_SYNC_QUEUE)]
    assert [message.message_id for message in bodies] == [sent.message_id]
