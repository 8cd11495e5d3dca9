"""Something that a process does now and then beside its messages, from its worker's start to its end."""

from __future__ import annotations

import threading
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


class PeriodicTask(Middleware):
    """Calls `task` every so many seconds, on a thread of its own, whatever became of the last time."""

    def __init__(self, task: Callable[[], object], *, interval: float) -> None:
        self._task = task
        self._interval = interval
        self._stopping = threading.Event()
        self._away: Dependency | None = None

    def after_worker_boot(self, broker: Broker, worker: Any) -> None:
        """Begin."""
        del broker, worker
        self._stopping.clear()
        threading.Thread(target=self._run, name="background", daemon=True).start()

    def before_worker_shutdown(self, broker: Broker, worker: Any) -> None:
        """Look no more; what is under way need not be waited for."""
        del broker, worker
        self._stopping.set()

    def _run(self) -> None:
        while not self._stopping.wait(self._interval):
            try:
                self._task()
            except ShutdownError:
                return
            except TransientError as error:
                if error.dependency is not self._away:
                    _log.info("periodic_task_skipped", service=str(error.dependency), detail=error.detail)
                self._away = error.dependency
            except Exception as error:  # noqa: BLE001 - its text may hold personal data, and it goes on
                _log.error("periodic_task_failed", error=type(error).__name__, place=error_location(error))
            else:
                self._away = None
