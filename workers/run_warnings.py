"""Writes each warning of a run once, although many workers notice it."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Final

import structlog
from cachetools import LRUCache

if TYPE_CHECKING:
    from schemas.runs.run import RunWarning, WarningKind
    from store.runs.run_warnings import RunWarnings

#: Warnings that a process remembers as written (promise P10).
KEPT: Final = 1000

_log = structlog.get_logger(__name__)


class RunWarningLog:
    """Queries the database once for each run and kind; may be shared by threads."""

    def __init__(self, run_warnings: RunWarnings) -> None:
        self._run_warnings = run_warnings
        self._written: LRUCache[tuple[int, WarningKind], bool] = LRUCache(KEPT)
        self._lock = Lock()

    def note(self, run: int, warning: RunWarning) -> None:
        """Write a warning on a run, unless the run has it."""
        with self._lock:
            if self._written.get((run, warning.kind)):
                return
        if self._run_warnings.record(run, warning.kind, warning.detail):
            _log.warning("run_warning", run=run, kind=str(warning.kind), detail=warning.detail)
        with self._lock:
            self._written[run, warning.kind] = True
