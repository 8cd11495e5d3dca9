"""Publishes messages with dramatiq's `send`, one by one, each confirmed; prints how many a second.

`python -m bench.baselines.send COUNT SIZE`, with RabbitMQ's address in the environment.
"""

from __future__ import annotations

import os
import sys
import time

import dramatiq

from bench.baselines.noop_actor import ACTOR, QUEUE, URL_VARIABLE, QuorumQueues

#: Messages before the measurement starts, so that the connection is open and the queue declared.
WARM_UP = 100


def main(count: int, size: int) -> None:
    """Publish `count` messages with a payload of `size` characters."""
    broker = QuorumQueues(os.environ[URL_VARIABLE])

    def noop(**_: object) -> None:
        """Do nothing: this actor's messages are only published."""

    actor = dramatiq.actor(broker=broker, queue_name=QUEUE, actor_name=ACTOR)(noop)
    payload = "x" * size
    began = 0.0
    for number in range(-WARM_UP, count):
        if number == 0:
            began = time.perf_counter()
        user = f"00000000-0000-4000-8000-{abs(number):012x}"
        actor.send(tenant="p1", run=1, user=user, payload=payload, number=number)
    print(count / (time.perf_counter() - began))  # noqa: T201 - what the command is for


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
