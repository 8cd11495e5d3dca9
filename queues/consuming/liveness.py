"""A process whose threads have died ends with an error, so that what supervises it starts it again."""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING, Any, Final

import structlog
from dramatiq.middleware import Middleware

if TYPE_CHECKING:
    from collections.abc import Callable

    from dramatiq import Broker, Worker

#: What the process ends with.
EXIT_CODE: Final = 1

#: Seconds between two looks, and for the other threads to come to an end in order.
LOOK_EVERY: Final = 1.0
PATIENCE: Final = 30.0

_log = structlog.get_logger(__name__)


def dead_threads(worker: Worker) -> list[str]:
    """Return the names of a worker's threads that have ended without being stopped."""
    threads: list[tuple[str, Any]] = [("worker", thread) for thread in list(worker.workers)]
    threads += [(f"consumer of {queue}", thread) for queue, thread in list(worker.consumers.items())]
    return [name for name, thread in threads if thread.running and not thread.is_alive()]


class Liveness(Middleware):
    """Watches dramatiq's threads, which dramatiq does not miss when one ends by an exception.

    Without its consumer a queue is worked on no more; each worker thread that is gone has a message in
    progress that is never answered. The process looks well to its supervisor meanwhile.
    """

    def __init__(
        self,
        *,
        end: Callable[[], object] = lambda: os.kill(os.getpid(), signal.SIGTERM),
        end_now: Callable[[int], object] = os._exit,
    ) -> None:
        """Take what ends the process in order, and what ends it when that takes too long."""
        self._end = end
        self._end_now = end_now
        self._stopped = threading.Event()
        self._dead: list[str] = []

    def after_worker_boot(self, broker: Broker, worker: Worker) -> None:
        """Begin to look."""
        del broker
        threading.Thread(target=self._watch, args=(worker,), name="liveness", daemon=True).start()

    def before_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        """Threads end from now on because they are told to."""
        del broker, worker
        self._stopped.set()

    def after_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        """End with an error if threads had died: dramatiq would end as if all were well."""
        del broker, worker
        if self._dead:
            raise SystemExit(EXIT_CODE)

    def _watch(self, worker: Worker) -> None:
        while not self._stopped.wait(LOOK_EVERY):
            dead = dead_threads(worker)
            if dead and not self._stopped.is_set():
                self._dead = dead
                _log.error("threads_died", threads=sorted(set(dead)), number=len(dead))
                self._end()
                self._stopped.wait(PATIENCE)
                threading.Event().wait(PATIENCE)
                self._end_now(EXIT_CODE)
                return
