"""Quick messages on a real RabbitMQ: no other message stands before them, also when they are tried again."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from queues.actor import declare_actor
from queues.brokers.factory import open_broker
from queues.message import user_sync_message
from queues.middleware.failure_policy import RedeliveredError
from queues.middleware.quarantine import check_redelivery
from queues.queue_names import quick_queue
from schemas.messages.messages import USER_SYNC_ACTOR, USER_SYNC_QUEUE, UserSync
from tests.contract.queues.broker_probe import (
    RabbitMQProbe,
    RecordingListener,
    running_worker,
    wait_until,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from queues.interfaces import Message

QUICK = quick_queue(USER_SYNC_QUEUE)


@pytest.fixture
def probe(amqp_url: str) -> Iterator[RabbitMQProbe]:
    probe = RabbitMQProbe(amqp_url)
    # Its threads take their messages from a fair queue, as those of the processes do.
    probe.broker = open_broker(amqp_url)
    yield probe
    probe.broker.close()


def message(user: str, *, is_quick: bool = False) -> Message[None]:
    fields = UserSync(tenant="kommun", run=7, user=user, payload=None)
    return user_sync_message(fields, give_up_after_hours=24, is_quick=is_quick)


@contextmanager
def busy_worker(probe: RabbitMQProbe) -> Iterator[list[str]]:
    """Have a worker whose threads hang with messages of which many wait; give the users that it has begun."""
    begun: list[str] = []
    go_on = threading.Event()

    def work(*, user: str, **_: object) -> None:
        begun.append(user)
        assert go_on.wait(30)

    declare_actor(
        probe.broker,
        work,
        name=USER_SYNC_ACTOR,
        queue=USER_SYNC_QUEUE,
        failure_listener=RecordingListener(),
    )
    probe.broker.publish([message(f"u{number}") for number in range(300)])
    with running_worker(probe.broker):
        wait_until(lambda: len(begun) == 2, "a worker that has no thread left")
        yield begun
        go_on.set()


def test_a_quick_message_stands_behind_no_other(probe: RabbitMQProbe) -> None:
    """P7: while hundreds wait and all threads hang, a quick message is worked on."""
    with busy_worker(probe) as begun:
        probe.broker.publish([message("quick", is_quick=True)])
        wait_until(lambda: "quick" in begun, "the quick message")
        assert len(begun) == 3
        assert (probe.count(USER_SYNC_QUEUE) or 0) > 200


def test_a_quick_message_stays_quick(probe: RabbitMQProbe) -> None:
    """P7: a quick message that has waited to be tried again comes by its own queue once more."""
    again = message("quick", is_quick=True).copy(queue_name=USER_SYNC_QUEUE)
    with busy_worker(probe) as begun:
        probe.broker.publish_later(again, 0.1)
        wait_until(lambda: "quick" in begun, "the quick message")
        assert len(begun) == 3


def test_a_quick_message_that_comes_back_is_a_suspect() -> None:
    """P7: a worker may have died over a quick message too: it goes where others go that came back."""
    with pytest.raises(RedeliveredError) as caught:
        check_redelivery(QUICK, 1)
    assert caught.value.queue == f"{USER_SYNC_QUEUE}.redelivered"
