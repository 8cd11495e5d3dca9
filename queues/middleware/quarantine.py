"""Messages that a worker may have died over are kept apart, so that no other one dies with them.

A worker that is killed gives back all that it had in hand, and RabbitMQ counts that for each of them.
Whatever came back moves to a second queue, `NAME.quarantine`, of which a process takes some at a time:
nearly all are done there. What comes back from there as well moves on to a third queue, `NAME.alone`, of
which a process takes one message at a time: only what is worked on alone tells by its count that it is the
one.
"""

from __future__ import annotations

from typing import Final

from dramatiq.common import dq_name

from queues.middleware.failure_policy import SuspectError
from schemas.errors import PermanentError
from schemas.outcomes import Reason, Stage

_QUARANTINE: Final = ".quarantine"
_ALONE: Final = ".alone"

#: How many suspects of one queue a process takes at a time while none of them has done any harm.
QUARANTINED_AT_ONCE: Final = 32

#: How many messages that wait for their time a process takes at a time. Those behind them come when the first
#: of these have gone, so at the latest when all were to come: what was put aside comes back more slowly at
#: first. dramatiq would take 65,535.
WAITING_AT_ONCE: Final = 8192

#: How many workers may die over a message that they work on alone. More than one, because a
#: worker may be killed for another reason.
DEATHS_ALONE: Final = 5


def quarantine_queue(queue: str) -> str:
    """Return the queue of those messages of `queue` that came back once."""
    return f"{main_queue(queue)}{_QUARANTINE}"


def alone_queue(queue: str) -> str:
    """Return the queue of those messages of `queue` that are worked on alone."""
    return f"{main_queue(queue)}{_ALONE}"


def queues_of(queue: str) -> tuple[str, str, str]:
    """Return the queues that the messages of `queue` are worked on from."""
    return main_queue(queue), quarantine_queue(queue), alone_queue(queue)


def main_queue(queue: str) -> str:
    """Return the queue that a message belongs to in the ordinary course of things."""
    return queue.removesuffix(_QUARANTINE).removesuffix(_ALONE)


def is_alone_queue(queue: str) -> bool:
    """Say whether it is a queue of messages that are worked on alone."""
    return queue.endswith(_ALONE)


def prefetch_of(queue: str, prefetch: int) -> int:
    """Return how many messages of a queue a process may take at a time, if it takes `prefetch` of others."""
    if is_alone_queue(queue):
        return 1
    if queue == dq_name(queue):
        return min(prefetch, WAITING_AT_ONCE)
    return min(prefetch, QUARANTINED_AT_ONCE) if queue.endswith(_QUARANTINE) else prefetch


def check_returns(queue: str, returns: int) -> None:
    """Raise `SuspectError` for a message that came back, `PermanentError` when workers die over it alone."""
    if not is_alone_queue(queue):
        if returns:
            apart = alone_queue(queue) if queue.endswith(_QUARANTINE) else quarantine_queue(queue)
            raise SuspectError("came back from a worker that ended", queue=apart)
        return
    if returns >= DEATHS_ALONE:
        raise PermanentError(
            Reason.CRASHED_WORKER,
            Stage.RECEIVE,
            f"{returns} workers in a row ended while they had this message, and no other one, in hand alone",
        )
