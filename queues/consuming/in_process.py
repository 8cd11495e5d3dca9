"""Working off queues inside this process, with threads, as the sandbox and the tests do."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from dramatiq import Worker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dramatiq import Broker

#: Milliseconds after which an idle thread looks whether it is to end.
_WAKE_UP: int = 100


@contextmanager
def run_worker(broker: Broker, *, threads: int) -> Iterator[None]:
    """Work off the queues of the broker's actors with `threads` threads, until the block ends."""
    worker = Worker(broker, worker_threads=threads, worker_timeout=_WAKE_UP)
    worker.start()
    try:
        yield
    finally:
        worker.stop()
        broker.close()
