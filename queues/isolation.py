"""Messages that a worker may have died over are worked on alone, so that no other one dies with them.

A worker that is killed gives back all that it had in hand, and RabbitMQ counts that for each of them.
Only what is worked on alone tells by its count that it is the one. So whatever came back moves to
a second queue, `NAME.alone`, of which a process takes one message at a time.
"""

from __future__ import annotations

from typing import Final

from queues.failures import SuspectError
from schemas.errors import PermanentError
from schemas.outcomes import Reason, Stage

_SUFFIX: Final = ".alone"

#: How many workers may die over a message that they work on alone. More than one, because a
#: worker may be killed for another reason.
DEATHS_ALONE: Final = 5


def alone_queue(queue: str) -> str:
    """Return the queue of those messages of `queue` that are worked on alone."""
    return f"{main_queue(queue)}{_SUFFIX}"


def main_queue(queue: str) -> str:
    """Return the queue that a message belongs to in the ordinary course of things."""
    return queue.removesuffix(_SUFFIX)


def is_alone_queue(queue: str) -> bool:
    """Say whether it is a queue of messages that are worked on alone."""
    return queue.endswith(_SUFFIX)


def check_returns(queue: str, returns: int) -> None:
    """Raise `SuspectError` for a message that came back, `PermanentError` when workers die over it alone."""
    if not is_alone_queue(queue):
        if returns:
            raise SuspectError("came back from a worker that ended")
        return
    if returns >= DEATHS_ALONE:
        raise PermanentError(
            Reason.CRASHED_WORKER,
            Stage.RECEIVE,
            f"{returns} workers in a row ended while they had this message, and no other one, in hand alone",
        )
