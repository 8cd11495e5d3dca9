"""What a process does now and then beside its messages, from its worker's start to its end."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog
from dramatiq.middleware import Middleware

from runtime.services import ShutdownError
from schemas.errors import TransientError, error_location

if TYPE_CHECKING:
    from collections.abc import Callable

    from dramatiq import Broker

    from schemas.errors import Dependency

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class PeriodicTask:
    """Something to `call` each `interval` seconds."""

    call: Callable[[], object]
    interval: float


class PeriodicTasks(Middleware):
    """Does each task periodically, on a thread of its own, whatever became of it the last time."""

    def __init__(self, *tasks: PeriodicTask) -> None:
        self._tasks = tasks
        self._stopping = threading.Event()

    def after_worker_boot(self, broker: Broker, worker: Any) -> None:
        """Begin."""
        del broker, worker
        self._stopping.clear()
        for task in self._tasks:
            threading.Thread(
                target=repeat, args=(task, self._stopping), name="background", daemon=True
            ).start()

    def before_worker_shutdown(self, broker: Broker, worker: Any) -> None:
        """Look no more; what is under way need not be waited for."""
        del broker, worker
        self._stopping.set()


def repeat(task: PeriodicTask, stopping: threading.Event, *, at_once: bool = False) -> None:
    """Do a task each time that its interval has passed, until `stopping` is set or the process stops.

    The first time is `at_once`, or after an interval.
    """
    away: Dependency | None = None
    pause = 0.0 if at_once else task.interval
    while not stopping.wait(pause):
        pause = task.interval
        try:
            task.call()
        except ShutdownError:
            return
        except TransientError as error:
            if error.dependency is not away:
                _log.info("periodic_task_skipped", service=str(error.dependency), detail=error.detail)
            away = error.dependency
        except Exception as error:  # noqa: BLE001 - its text may hold personal data, and it goes on
            _log.error("periodic_task_failed", error=type(error).__name__, place=error_location(error))
        else:
            away = None
