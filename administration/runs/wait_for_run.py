"""Waits for runs: for the one that a trigger starts, and for the end of one."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from schemas.errors import TransientError
from schemas.outcomes import OPEN_STATUSES

if TYPE_CHECKING:
    from collections.abc import Callable

    from schemas.runs.run import Run, RunSummary
    from store.runs.runs import Runs
    from store.runs.triggers import Triggers

T = TypeVar("T")

#: Seconds between two looks at the database.
POLL_INTERVAL: Final = 0.5

#: Seconds after which it is worth saying why no producer has picked up a request.
_PATIENCE: Final = 2.0


class WaitListener(Protocol):
    """Learns what a wait sees."""

    def progress(self, summary: RunSummary) -> None:
        """Take the run as it is now."""

    def not_picked_up(self) -> None:
        """Learn, at each look, that no producer has picked up the request yet."""

    def database_away(self, error: TransientError) -> None:
        """Learn, once, that the database is away; the wait continues (promise P8)."""


def wait_for_run(
    event_id: str, *, triggers: Triggers, listener: WaitListener, timeout: float | None = None
) -> Run | None:
    """Return the run that a published trigger started or joined, None after `timeout` seconds."""
    began = time.monotonic()

    def check() -> Run | None:
        run = triggers.find_run(event_id)
        if run is None and time.monotonic() - began > _PATIENCE:
            listener.not_picked_up()
        return run

    return _poll(check, timeout=timeout, on_away=listener.database_away)


def wait_for_end(
    run_id: int, *, runs: Runs, listener: WaitListener, timeout: float | None = None
) -> RunSummary:
    """Return a run when it has ended, or as it is after `timeout` seconds."""

    def check() -> RunSummary | None:
        summary = runs.summary(run_id)
        listener.progress(summary)
        return summary if summary.run.status not in OPEN_STATUSES else None

    ended = _poll(check, timeout=timeout, on_away=listener.database_away)
    return ended or runs.summary(run_id)


def _poll(
    check: Callable[[], T | None], *, timeout: float | None, on_away: Callable[[TransientError], None]
) -> T | None:
    began, told = time.monotonic(), False
    while True:
        try:
            found = check()
        except TransientError as error:
            found = None
            if not told:
                on_away(error)
            told = True
        if found is not None or (timeout is not None and time.monotonic() - began >= timeout):
            return found
        time.sleep(POLL_INTERVAL)
