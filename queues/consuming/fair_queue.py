"""A fair queue: of the prefetched messages, the tenant with the fewest in progress is next.

dramatiq's own queue hands out what came first, so one tenant whose Skolon hangs would have all hands.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, OrderedDict, deque
from queue import Empty
from typing import TYPE_CHECKING, Any, Final

from dramatiq.middleware import Middleware

if TYPE_CHECKING:
    from dramatiq import Broker

#: Of so many hands one more is kept for tenants that have few in hand.
_RESERVED_SHARE: Final = 8
#: What few is, as a part of those that are kept.
_FEW_SHARE: Final = 4


class FairQueue:
    """What a worker's threads take their messages from; may be shared by threads.

    Up to `slots` messages are in progress, of whatever tenant. Beyond that, `reserved` more are for tenants
    that have few in progress. The thread that takes an item calls `task_done`.

    It has what dramatiq asks of a queue, and is none of Python's: with greenlets these are gevent's own.
    """

    def __init__(self, *, slots: int, reserved: int) -> None:
        self._slots = slots
        self._few = max(1, reserved // _FEW_SHARE) if reserved else 0
        #: By tenant, in the order in which they had their last turn.
        self._waiting: OrderedDict[str, deque[Any]] = OrderedDict()
        self._in_hand: Counter[str] = Counter()
        self._taken = threading.local()
        self._lock = threading.Lock()
        self._may_take = threading.Condition(self._lock)
        self._all_done = threading.Condition(self._lock)
        #: Items that were put in and are not done.
        self.unfinished_tasks = 0

    def put(self, item: Any) -> None:
        """Put an item in."""
        with self._lock:
            tenant = str(item.message.kwargs.get("tenant"))
            self._waiting.setdefault(tenant, deque()).append(item)
            self.unfinished_tasks += 1
            self._may_take.notify()

    def get(self, timeout: float) -> Any:
        """Return the next item, when a thread may have it in hand; raise `Empty` after so many seconds."""
        with self._lock:
            ends = time.monotonic() + timeout
            while (tenant := self._next()) is None:
                left = ends - time.monotonic()
                if left <= 0:
                    raise Empty
                self._may_take.wait(left)
            self._in_hand[tenant] += 1
            self._taken.tenant = tenant
            return self._pop(tenant)

    def get_nowait(self) -> Any:
        """Return any item that is there, to be given back and not to be worked on; raise `Empty`."""
        with self._lock:
            if not self._waiting:
                raise Empty
            return self._pop(next(iter(self._waiting)))

    def task_done(self) -> None:
        """Put down what this thread has in hand."""
        with self._lock:
            tenant, self._taken.tenant = getattr(self._taken, "tenant", None), None
            if tenant is not None:
                self._in_hand[tenant] -= 1
                if not self._in_hand[tenant]:
                    del self._in_hand[tenant]
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
            return sum(map(len, self._waiting.values()))

    def _pop(self, tenant: str) -> Any:
        items = self._waiting[tenant]
        item = items.popleft()
        if items:
            self._waiting.move_to_end(tenant)
        else:
            del self._waiting[tenant]
        return item

    def _next(self) -> str | None:
        """Return the tenant that is next, None while no thread is free."""
        tenant = min(self._waiting, key=self._in_hand.__getitem__, default=None)
        if tenant is None or self._in_hand.total() < self._slots or self._in_hand[tenant] < self._few:
            return tenant
        return None


class FairQueueMiddleware(Middleware):
    """Puts a fair queue in the place of dramatiq's own, before a worker's threads begin."""

    def before_worker_boot(self, broker: Broker, worker: Any) -> None:
        """Exchange the queue, and have some more threads; a worker of one thread stays one of one."""
        del broker
        slots = worker.worker_threads
        reserved = max(1, slots // _RESERVED_SHARE) if slots > 1 else 0
        worker.work_queue = FairQueue(slots=slots, reserved=reserved)
        worker.worker_threads = slots + reserved
