"""Something that a process does now and then beside its messages, from its worker's start to its end."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import structlog
from dramatiq.middleware import Middleware

from runtime.services import StoppingError
from schemas.errors import TransientError, error_location

if TYPE_CHECKING:
    from collections.abc import Callable

    from dramatiq import Broker

    from schemas.errors import Dependency

_log = structlog.get_logger(__name__)


class Background(Middleware):
    """Calls `look` every so many seconds, on a thread of its own, whatever became of the last time."""

    def __init__(self, look: Callable[[], object], *, every: float) -> None:
        self._look = look
        self._every = every
        self._stopping = threading.Event()
        self._away: Dependency | None = None

    def after_worker_boot(self, broker: Broker, worker: Any) -> None:
        """Begin."""
        del broker, worker
        self._stopping.clear()
        threading.Thread(target=self._keep_looking, name="background", daemon=True).start()

    def before_worker_shutdown(self, broker: Broker, worker: Any) -> None:
        """Look no more; what is under way need not be waited for."""
        del broker, worker
        self._stopping.set()

    def _keep_looking(self) -> None:
        while not self._stopping.wait(self._every):
            try:
                self._look()
            except StoppingError:
                return
            except TransientError as error:
                if error.dependency is not self._away:
                    _log.info("looked in vain", service=str(error.dependency), detail=error.detail)
                self._away = error.dependency
            except Exception as error:  # noqa: BLE001 - its text may hold anybody's data, and it goes on
                _log.error("look failed", error=type(error).__name__, place=error_location(error))
            else:
                self._away = None
