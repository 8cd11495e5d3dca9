"""An actor that only records the time, on queues like the product's, in dramatiq's own processes."""

from __future__ import annotations

import os
import time
from typing import Any, Final

import dramatiq
from dramatiq.brokers.rabbitmq import RabbitmqBroker

from bench.timestamps import open_timestamps

#: Environment variables: RabbitMQ's address, and the file of timestamps.
URL_VARIABLE: Final = "BENCH_AMQP_URL"
TIMESTAMPS_VARIABLE: Final = "BENCH_MOMENTS"

QUEUE: Final = "noop"
ACTOR: Final = "noop"

#: The arguments of the product's queue of users, without the name of its dead-letter queue.
QUEUE_ARGUMENTS: Final = {
    "x-queue-type": "quorum",
    "x-delivery-limit": 100,
    "x-dead-letter-exchange": "",
    "x-dead-letter-strategy": "at-least-once",
    "x-overflow": "reject-publish",
}


class QuorumQueues(RabbitmqBroker):
    """dramatiq's broker with confirms and the product's kind of queue."""

    def __init__(self, url: str) -> None:
        super().__init__(url=url, confirm_delivery=True)

    def _build_queue_arguments(self, queue_name: str) -> dict[str, Any]:
        return {**QUEUE_ARGUMENTS, "x-dead-letter-routing-key": f"{queue_name}.XQ"}


def message(number: int, payload: str) -> dramatiq.Message[None]:
    """Return a message with the fields and the size of a message of the product."""
    user = f"00000000-0000-4000-8000-{number:012x}"
    kwargs = {"tenant": "p1", "run": 1, "user": user, "payload": payload, "number": number}
    return dramatiq.Message(queue_name=QUEUE, actor_name=ACTOR, args=(), kwargs=kwargs, options={})


def build() -> None:
    """Set the global broker, with the actor, for dramatiq's command line."""
    broker = QuorumQueues(os.environ[URL_VARIABLE])
    finish_times = open_timestamps(os.environ[TIMESTAMPS_VARIABLE])

    def noop(*, number: int, **_: object) -> None:
        finish_times[number] = time.time()

    dramatiq.actor(broker=broker, queue_name=QUEUE, actor_name=ACTOR)(noop)
    dramatiq.set_broker(broker)
