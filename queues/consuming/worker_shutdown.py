"""How a worker stops: nothing more comes in, what is in hand is done, and the rest is given back."""

from __future__ import annotations

import time
from queue import Empty
from typing import TYPE_CHECKING, Final

from queues.brokers.consumer import QueueConsumer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from threading import Event

    from dramatiq import Worker

#: Seconds after the grace period until RabbitMQ has taken back what is not done, and closed its connections.
_REQUEUED_AFTER: Final = 2.0
_CLOSED_AFTER: Final = 3.0

_POLL_INTERVAL: Final = 0.05


def stop_worker(worker: Worker, *, grace_period: float) -> None:
    """Stop a worker within `grace_period` seconds and three more; returns when it has nothing in hand.

    What it had only fetched goes back at once, so that other processes can have it, and what is not done
    after `grace_period` seconds goes back then: published again and acknowledged, which leaves no count of
    it. Whatever RabbitMQ does not take in time goes back by itself when the process ends, and counts as
    having come back.
    """
    ends = time.monotonic() + grace_period
    # Waiting for unavailable services ends.
    worker.broker.emit_before("worker_shutdown", worker)
    for thread in worker.workers:
        thread.stop()
    consumers = [
        thread.consumer for thread in worker.consumers.values() if isinstance(thread.consumer, QueueConsumer)
    ]
    # There is as much time for this as for what is in hand, which is being done meanwhile.
    _wait_for(consumers, QueueConsumer.stop_receiving, ends)
    _drop_prefetched(worker)
    while time.monotonic() < ends and any(thread.is_alive() for thread in worker.workers):
        time.sleep(_POLL_INTERVAL)
    _wait_for(consumers, QueueConsumer.requeue_unanswered, ends + _REQUEUED_AFTER)
    for consuming in worker.consumers.values():
        consuming.stop()
    _wait_for(consumers, QueueConsumer.close_connection, ends + _CLOSED_AFTER)
    worker.broker.emit_after("worker_shutdown", worker)


def _wait_for(
    consumers: Iterable[QueueConsumer], step: Callable[[QueueConsumer], Event], ends: float
) -> None:
    """Have all consumers do a step, each on its own thread, and wait for that, at most until `ends`."""
    for done in [step(consumer) for consumer in consumers]:
        done.wait(max(0.0, ends - time.monotonic()))


def _drop_prefetched(worker: Worker) -> None:
    """Take out what no thread has begun: it is given back."""
    while True:
        try:
            worker.work_queue.get_nowait()
        except Empty:
            return
