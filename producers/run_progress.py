"""Logs how far the runs have come that this process began to read."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog

from schemas.outcomes import OPEN_STATUSES

if TYPE_CHECKING:
    from collections.abc import Callable

    from schemas.runs.run import RunSummary
    from store.runs.runs import Runs

#: Seconds between two looks, and until a run that comes no further is logged again.
LOOK_INTERVAL: Final = 5.0
REPEAT_INTERVAL: Final = 30.0

#: A run is logged each time when so many percent more of its users have an outcome.
STEP: Final = 10

_log = structlog.get_logger(__name__)


@dataclass(kw_only=True)
class _Followed:
    """When a run was logged last, and how far it was then, in whole steps."""

    at: float
    steps: int = 0


class RunProgressLog:
    """Logs the progress of runs while they are open; may be shared by threads."""

    def __init__(self, runs: Runs, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._runs = runs
        self._clock = clock
        self._lock = threading.Lock()
        self._followed: dict[int, _Followed] = {}

    def follow(self, run_id: int) -> None:
        """Log how far a run comes from now on, until it ends."""
        with self._lock:
            self._followed.setdefault(run_id, _Followed(at=self._clock()))

    def tick(self) -> None:
        """Look at the runs; raises `TransientError` while the database is away."""
        with self._lock:
            ids = list(self._followed)
        if not ids:
            return
        found = self._runs.summaries(ids)
        for run_id in ids:
            summary = found.get(run_id)
            if summary is None or summary.run.status not in OPEN_STATUSES:
                with self._lock:
                    self._followed.pop(run_id, None)
            else:
                self._note(summary, self._followed[run_id])

    def _note(self, summary: RunSummary, followed: _Followed) -> None:
        done, now = summary.published - summary.pending, self._clock()
        percent = 100 * done // summary.published if summary.published else 0
        if percent // STEP <= followed.steps and now < followed.at + REPEAT_INTERVAL:
            return
        followed.at, followed.steps = now, percent // STEP
        waits = {str(waiting.service or "other_runs"): waiting.users for waiting in summary.waiting}
        _log.info(
            "run_progress",
            tenant=summary.run.tenant,
            run=summary.run.id,
            status=str(summary.run.status),
            done=done,
            of=summary.published,
            percent=percent,
            **({"waiting": waits} if waits else {}),
        )
