"""What a command shows while it waits for a run."""

from __future__ import annotations

import datetime as dt
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from administration.runs.wait_descriptions import describe_waiting, last_answer
from cli.output import echo, print_columns
from cli.progress import progress_bar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cli.progress import ShowProgress
    from schemas.errors import TransientError
    from schemas.runs.run import RunSummary
    from schemas.runs.waits import Waiting


class WaitReport:
    """Shows a progress bar on a terminal; elsewhere, with `lines`, a line for each step forward.

    What the run waits for goes to standard error, when it begins and when the last answer changes.
    """

    def __init__(self, bar: ShowProgress, *, lines: bool) -> None:
        self._bar = bar
        self._lines = lines and not sys.stderr.isatty()
        self._last: tuple[object, ...] = ()
        self._said: set[object] = set()

    def progress(self, summary: RunSummary) -> None:
        """Show the run as it is now."""
        show_progress(self._bar, f"run {summary.run.id}", summary)
        line = (summary.run.status, f"published {summary.published}", f"pending {summary.pending}")
        if self._lines and line != self._last:
            print_columns(line)
        self._last = line
        self._said.intersection_update(map(_topic, summary.waiting))
        for waiting in summary.waiting:
            if _topic(waiting) not in self._said:
                self._said.add(_topic(waiting))
                echo(describe_waiting(waiting, dt.datetime.now(dt.UTC)), err=True)

    def not_picked_up(self) -> None:
        """Say that no producer has picked up the request."""
        echo(
            "No producer has picked up the request yet: none is running, or another run of the tenant is "
            "open. Still waiting…",
            err=True,
        )

    def database_away(self, error: TransientError) -> None:
        """Say what is away."""
        echo(f"{error}. Still waiting…", err=True)


@contextmanager
def wait_report(*, quiet: bool, lines: bool = False) -> Iterator[WaitReport]:
    """Give what shows a wait; with `quiet` there is no progress bar."""
    with progress_bar(quiet=quiet) as bar:
        yield WaitReport(bar, lines=lines)


def show_progress(bar: ShowProgress, name: str, summary: RunSummary) -> None:
    """Show in a bar how many users of a run have an outcome."""
    bar(name, name, completed=summary.published - summary.pending, total=summary.published)


def _topic(waiting: Waiting) -> object:
    """Return what a line about a wait depends on: not the number of users, nor the next try."""
    return waiting.service, waiting.since, last_answer(waiting)
