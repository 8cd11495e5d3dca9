"""How far a run has come is logged each ten percent, and each half minute if it comes no further."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, cast

from structlog.testing import capture_logs

from producers.run_progress import REPEAT_INTERVAL, RunProgressLog
from schemas.outcomes import Mode, Outcome, Status
from schemas.runs.run import Run, RunSummary

if TYPE_CHECKING:
    from collections.abc import Collection

    from store.runs.runs import Runs


class FakeRuns:
    """One run of 200 users, `done` of which have an outcome."""

    def __init__(self) -> None:
        self.done = 0
        self.status = Status.UPDATING
        self.looks = 0

    def summaries(self, run_ids: Collection[int]) -> dict[int, RunSummary]:
        self.looks += 1
        (run_id,) = run_ids
        run = Run(
            id=run_id,
            tenant="exempel",
            mode=Mode.FULL,
            dry_run=False,
            users=(),
            attempt=1,
            status=self.status,
            cause=None,
            detail=None,
            started=dt.datetime.now(dt.UTC),
            finished=None,
        )
        counts = {Outcome.UNCHANGED: self.done, Outcome.PENDING: 200 - self.done}
        return {run_id: RunSummary(run=run, counts=counts, reasons={})}


def test_progress_is_logged_in_steps_and_while_nothing_moves() -> None:
    """Ten percent are a line; so is half a minute without them; after the end nothing is looked at."""
    runs, now = FakeRuns(), [0.0]
    log = RunProgressLog(cast("Runs", runs), clock=lambda: now[0])
    log.tick()
    assert runs.looks == 0
    log.follow(7)

    def lines() -> list[Any]:
        with capture_logs() as captured:
            log.tick()
        return [(line["event"], line["run"], line["done"], line["percent"]) for line in captured]

    assert lines() == []
    runs.done = 19
    assert lines() == []
    runs.done = 20
    assert lines() == [("run_progress", 7, 20, 10)]
    runs.done = 81
    assert lines() == [("run_progress", 7, 81, 40)]
    now[0] = REPEAT_INTERVAL
    assert lines() == [("run_progress", 7, 81, 40)]
    assert lines() == []
    runs.status, runs.done = Status.COMPLETED, 200
    looks = runs.looks
    assert lines() == []
    assert lines() == []
    assert runs.looks == looks + 1
