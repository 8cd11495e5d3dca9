"""Keeps messages that a worker may have died over apart from the others.

A worker that is killed returns all its unacknowledged messages, and RabbitMQ counts that for each of them. A
returned message moves to a second queue, `NAME.redelivered`, from which a process takes few at a time. Nearly
all succeed there. A message that returns from there moves to a third queue, `NAME.quarantine`, from which a
process takes one at a time: only then does its count prove that this message killed the worker.
"""

from __future__ import annotations

from typing import Final

from dramatiq.common import dq_name

from queues.middleware.failure_policy import RedeliveredError
from schemas.dead_letter_reasons import Reason
from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind
from schemas.errors import PermanentError
from schemas.outcomes import Stage

_REDELIVERED: Final = ".redelivered"
_QUARANTINE: Final = ".quarantine"

#: How many suspects of one queue a process takes at a time while none of them has done any harm.
REDELIVERED_PREFETCH: Final = 32

#: How many messages that wait for their time a process takes at a time. Those behind them come when the first
#: of these have gone, so at the latest when all were to come: what was put aside comes back more slowly at
#: first. dramatiq would take 65,535.
DELAYED_PREFETCH: Final = 8192

#: How many workers may die over a message that they work on alone. More than one, because a
#: worker may be killed for another reason.
MAX_CRASHES: Final = 5


def redelivered_queue(queue: str) -> str:
    """Return the queue for messages of `queue` that were redelivered once."""
    return f"{main_queue(queue)}{_REDELIVERED}"


def quarantine_queue(queue: str) -> str:
    """Return the queue for messages of `queue` that are processed alone."""
    return f"{main_queue(queue)}{_QUARANTINE}"


def work_queues(queue: str) -> tuple[str, str, str]:
    """Return the queues from which the messages of `queue` are processed."""
    return main_queue(queue), redelivered_queue(queue), quarantine_queue(queue)


def main_queue(queue: str) -> str:
    """Return the queue to which a message normally belongs."""
    return queue.removesuffix(_REDELIVERED).removesuffix(_QUARANTINE)


def is_quarantine_queue(queue: str) -> bool:
    """Say whether the messages of a queue are processed alone."""
    return queue.endswith(_QUARANTINE)


def prefetch_of(queue: str, prefetch: int) -> int:
    """Return how many messages of a queue a process may take at a time, if it takes `prefetch` of others."""
    if is_quarantine_queue(queue):
        return 1
    if queue == dq_name(queue):
        return min(prefetch, DELAYED_PREFETCH)
    return min(prefetch, REDELIVERED_PREFETCH) if queue.endswith(_REDELIVERED) else prefetch


def check_redelivery(queue: str, delivery_count: int) -> None:
    """Raise `RedeliveredError` for a redelivered message, `PermanentError` if it killed workers."""
    if not is_quarantine_queue(queue):
        if delivery_count:
            apart = quarantine_queue(queue) if queue.endswith(_REDELIVERED) else redelivered_queue(queue)
            raise RedeliveredError("came back from a worker that ended", queue=apart)
        return
    if delivery_count >= MAX_CRASHES:
        raise PermanentError(
            Reason.CRASHED_WORKER,
            Stage.RECEIVE,
            Detail(DetailKind.WORKERS_ENDED, workers=delivery_count),
        )
