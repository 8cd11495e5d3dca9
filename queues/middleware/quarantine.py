"""Keeps messages that a worker may have died over apart from the others.

A worker that is killed returns all its unacknowledged messages, and RabbitMQ counts that for each of them. A
returned message moves to a second queue, `NAME.redelivered`, from which a process takes few at a time. Nearly
all succeed there. A message that returns from there moves to a third queue, `NAME.quarantine`, from which a
process takes one at a time: only then does its count prove that this message killed the worker.
"""

from __future__ import annotations

from typing import Final

from queues.middleware.failure_policy import RedeliveredError
from queues.queue_names import (
    is_quarantine_queue,
    is_redelivered_queue,
    quarantine_queue,
    redelivered_queue,
)
from schemas.dead_letter_reasons import Reason
from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind
from schemas.errors import PermanentError
from schemas.outcomes import Stage

#: How many workers may die over a message that they work on alone. More than one, because a
#: worker may be killed for another reason.
MAX_CRASHES: Final = 5


def check_redelivery(queue: str, delivery_count: int) -> None:
    """Raise `RedeliveredError` for a redelivered message, `PermanentError` if it killed workers."""
    if not is_quarantine_queue(queue):
        if delivery_count:
            apart = quarantine_queue(queue) if is_redelivered_queue(queue) else redelivered_queue(queue)
            raise RedeliveredError("came back from a worker that ended", queue=apart)
        return
    if delivery_count >= MAX_CRASHES:
        raise PermanentError(
            Reason.CRASHED_WORKER,
            Stage.RECEIVE,
            Detail(DetailKind.WORKERS_ENDED, workers=delivery_count),
        )
