"""A fair queue: of the prefetched messages, the tenant with the fewest in progress is next.

dramatiq's own queue hands out what came first, so one tenant whose Skolon hangs would have all hands. Quick
messages go before the others, and have hands that no other message gets.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, OrderedDict, deque
from queue import Empty
from typing import TYPE_CHECKING, Any, Final

from dramatiq.middleware import Middleware

from queues.queue_names import is_quick

if TYPE_CHECKING:
    from dramatiq import Broker

#: Of so many hands one more is kept for tenants that have few in hand.
_RESERVED_SHARE: Final = 8
#: What few is, as a part of those that are kept.
_FEW_SHARE: Final = 4
#: Of so many hands one more is kept for quick messages. They may also have this part of the others.
_QUICK_SHARE: Final = 32
_MOST_QUICK_SHARE: Final = 2


class FairQueue:
    """What a worker's threads take their messages from; may be shared by threads.

    Up to `slots` messages are in progress, of whatever tenant. Beyond that, `reserved` more are for tenants
    that have few in progress, and `quick` more for quick messages of tenants that have few of these in
    progress. The thread that takes an item calls `task_done`.

    It has what dramatiq asks of a queue, and is none of Python's: with greenlets these are gevent's own.
    """

    def __init__(self, *, slots: int, reserved: int, quick: int = 0) -> None:
        self._slots = slots
        self._ordinary = _Lane(few=max(1, reserved // _FEW_SHARE) if reserved else 0)
        self._most_ordinary = slots + reserved
        self._quick = _Lane(few=max(1, quick // _FEW_SHARE) if quick else 0)
        self._most_quick = max(1, quick, slots // _MOST_QUICK_SHARE)
        self._taken = threading.local()
        self._lock = threading.Lock()
        self._may_take = threading.Condition(self._lock)
        self._all_done = threading.Condition(self._lock)
        #: Items that were put in and are not done.
        self.unfinished_tasks = 0

    def put(self, item: Any) -> None:
        """Put an item in."""
        with self._lock:
            lane = self._quick if is_quick(item.message.queue_name) else self._ordinary
            lane.put(item)
            self.unfinished_tasks += 1
            self._may_take.notify()

    def get(self, timeout: float) -> Any:
        """Return the next item, when a thread may have it in hand; raise `Empty` after so many seconds."""
        with self._lock:
            ends = time.monotonic() + timeout
            while (following := self._next()) is None:
                left = ends - time.monotonic()
                if left <= 0:
                    raise Empty
                self._may_take.wait(left)
            lane, tenant = following
            lane.in_hand[tenant] += 1
            self._taken.place = following
            return lane.pop(tenant)

    def get_nowait(self) -> Any:
        """Return any item that is there, to be given back and not to be worked on; raise `Empty`."""
        with self._lock:
            for lane in (self._quick, self._ordinary):
                if lane.waiting:
                    return lane.pop(next(iter(lane.waiting)))
            raise Empty

    def task_done(self) -> None:
        """Put down what this thread has in hand."""
        with self._lock:
            place, self._taken.place = getattr(self._taken, "place", None), None
            if place is not None:
                lane, tenant = place
                lane.put_down(tenant)
                self._may_take.notify()
            self.unfinished_tasks -= 1
            if not self.unfinished_tasks:
                self._all_done.notify_all()

    def join(self) -> None:
        """Wait until everything that was put in is done."""
        with self._lock:
            self._all_done.wait_for(lambda: not self.unfinished_tasks)

    def qsize(self) -> int:
        """Return how many items wait."""
        with self._lock:
            return sum(
                len(items) for lane in (self._quick, self._ordinary) for items in lane.waiting.values()
            )

    def _next(self) -> tuple[_Lane, str] | None:
        """Return the tenant that is next, and by which lane; None while none may have a thread."""
        busy = self._ordinary.in_hand.total()
        tenant = self._quick.next_tenant(is_free=busy < self._slots)
        if tenant is not None and self._quick.in_hand.total() < self._most_quick:
            return self._quick, tenant
        tenant = self._ordinary.next_tenant(is_free=busy < self._slots)
        if tenant is not None and busy < self._most_ordinary:
            return self._ordinary, tenant
        return None


class _Lane:
    """Messages of one kind that wait and that are in progress, by their tenant."""

    def __init__(self, *, few: int) -> None:
        self._few = few
        #: In the order in which they had their last turn.
        self.waiting: OrderedDict[str, deque[Any]] = OrderedDict()
        self.in_hand: Counter[str] = Counter()

    def put(self, item: Any) -> None:
        """Put an item in."""
        self.waiting.setdefault(_tenant_of(item.message), deque()).append(item)

    def pop(self, tenant: str) -> Any:
        """Take out the first item of a tenant, whose next turn comes after those of others."""
        items = self.waiting[tenant]
        item = items.popleft()
        if items:
            self.waiting.move_to_end(tenant)
        else:
            del self.waiting[tenant]
        return item

    def put_down(self, tenant: str) -> None:
        """Note that an item of a tenant is no longer in progress."""
        self.in_hand[tenant] -= 1
        if not self.in_hand[tenant]:
            del self.in_hand[tenant]

    def next_tenant(self, *, is_free: bool) -> str | None:
        """Return the tenant that is next; if no thread `is_free` for all, only one with few in progress."""
        tenant = min(self.waiting, key=self.in_hand.__getitem__, default=None)
        return tenant if tenant is None or is_free or self.in_hand[tenant] < self._few else None


def _tenant_of(message: Any) -> str:
    """Return a message's tenant; a request for a run may be an event, with the tenant in its data."""
    event = message.kwargs.get("event")
    data = event.get("data") if isinstance(event, dict) else None
    fields = data if isinstance(data, dict) else message.kwargs
    return str(fields.get("tenant"))


class FairQueueMiddleware(Middleware):
    """Puts a fair queue in the place of dramatiq's own, before a worker's threads begin."""

    def before_worker_boot(self, broker: Broker, worker: Any) -> None:
        """Exchange the queue, and have some more threads; a worker of one thread stays one of one."""
        del broker
        slots = worker.worker_threads
        reserved = max(1, slots // _RESERVED_SHARE) if slots > 1 else 0
        quick = max(1, slots // _QUICK_SHARE) if slots > 1 else 0
        worker.work_queue = FairQueue(slots=slots, reserved=reserved, quick=quick)
        worker.worker_threads = slots + reserved + quick
