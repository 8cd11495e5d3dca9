"""Names the queues that belong to each queue of ours, and says how many messages of each a process takes.

To `NAME` belong `NAME.redelivered` and `NAME.quarantine` for what workers may have died over, `NAME.DQ` for
messages that wait for their time, and `NAME.XQ` for dead letters. The users and the pages of quick runs come
by `NAME.quick`, so that they do not stand behind those of others.
"""

from __future__ import annotations

from typing import Final

from dramatiq.common import dq_name

from schemas.messages.messages import TENANT_PAGES_QUEUE, TENANT_SYNC_QUEUE, USER_SYNC_QUEUE

_REDELIVERED: Final = ".redelivered"
_QUARANTINE: Final = ".quarantine"
_QUICK: Final = ".quick"

#: The queues whose messages may have to wait for thousands of others. A request for a run does not: to open a
#: run takes a moment.
_WITH_QUICK_QUEUE: Final = frozenset({TENANT_PAGES_QUEUE, USER_SYNC_QUEUE})

#: How many suspects of one queue a process takes at a time while none of them has done any harm.
REDELIVERED_PREFETCH: Final = 32

#: How many messages that wait for their time a process takes at a time. Those behind them come when the first
#: of these have gone, so at the latest when all were to come: what was put aside comes back more slowly at
#: first. dramatiq would take 65,535.
DELAYED_PREFETCH: Final = 8192

#: How many quick messages a process takes at a time. Few, so that each goes to a process that has a thread
#: for it; more than the threads that one unavailable organisation can keep.
QUICK_PREFETCH: Final = 32


def redelivered_queue(queue: str) -> str:
    """Return the queue for messages of `queue` that were redelivered once."""
    return f"{main_queue(queue)}{_REDELIVERED}"


def quarantine_queue(queue: str) -> str:
    """Return the queue for messages of `queue` that are processed alone."""
    return f"{main_queue(queue)}{_QUARANTINE}"


def quick_queue(queue: str) -> str:
    """Return the queue for messages of `queue` that go before others."""
    return f"{main_queue(queue)}{_QUICK}"


def work_queues(queue: str) -> tuple[str, ...]:
    """Return the queues from which the messages of `queue` are processed, itself first."""
    main = main_queue(queue)
    quick = (quick_queue(main),) if main in _WITH_QUICK_QUEUE else ()
    return (main, redelivered_queue(main), quarantine_queue(main), *quick)


def main_queue(queue: str) -> str:
    """Return the queue to which a message normally belongs."""
    return queue.removesuffix(_REDELIVERED).removesuffix(_QUARANTINE).removesuffix(_QUICK)


def is_quarantine_queue(queue: str) -> bool:
    """Say whether the messages of a queue are processed alone."""
    return queue.endswith(_QUARANTINE)


def is_redelivered_queue(queue: str) -> bool:
    """Say whether the messages of a queue were redelivered once."""
    return queue.endswith(_REDELIVERED)


def is_quick(queue: str) -> bool:
    """Say whether a process takes the messages of a queue before others: requests for runs are quick too."""
    return queue.endswith(_QUICK) or queue == TENANT_SYNC_QUEUE


def prefetch_of(queue: str, prefetch: int) -> int:
    """Return how many messages of a queue a process may take at a time, if it takes `prefetch` of others."""
    if is_quarantine_queue(queue):
        return 1
    if queue == dq_name(queue):
        return min(prefetch, DELAYED_PREFETCH)
    if queue.endswith(_QUICK):
        return min(prefetch, QUICK_PREFETCH)
    return min(prefetch, REDELIVERED_PREFETCH) if is_redelivered_queue(queue) else prefetch
