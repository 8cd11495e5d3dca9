"""What a command shows while it waits for a run."""

from __future__ import annotations

import datetime as dt
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from administration.runs.idle import IdleCheck, describe_idle
from administration.runs.wait_descriptions import describe_waiting, last_answer
from cli.output import echo, localized_texts, print_columns
from cli.progress import progress_bar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from administration.runs.idle import Idle
    from bootstrap.services import Services
    from cli.progress import ShowProgress
    from schemas.errors import TransientError
    from schemas.messages.messages import SyncRequest
    from schemas.runs.run import RunSummary
    from schemas.runs.waits import Waiting

#: Seconds without any progress after which it is found out why, and until that is found out again.
_LOOK_INTERVAL: Final = 1.5


class WaitReport:
    """Shows a progress bar on a terminal; elsewhere, with `lines`, a line for each step forward.

    What the run waits for goes to standard error, when it begins and when the last answer changes; and on
    the bar, in short.
    """

    def __init__(
        self,
        bar: ShowProgress,
        *,
        lines: bool,
        idle: IdleCheck | None = None,
        request: SyncRequest | None = None,
    ) -> None:
        """Take a bar, and with `idle` what finds out why nothing happens to a `request`."""
        self._bar = bar
        self._lines = lines and not sys.stderr.isatty()
        self._idle = idle
        self._request = request
        self._last: tuple[object, ...] = ()
        self._moved = self._looked = time.monotonic()
        self._reasons: tuple[Idle, ...] = ()
        self._said: set[object] = set()

    def progress(self, summary: RunSummary) -> None:
        """Show the run as it is now."""
        line = (summary.run.status, f"published {summary.published}", f"pending {summary.pending}")
        if line != self._last:
            self._moved, self._reasons = time.monotonic(), ()
            if self._lines:
                print_columns(line)
        self._last = line
        self._look(lambda idle: idle.of_run(summary))
        short = [str(reason.reason).replace("_", " ") for reason in self._reasons]
        short += [f"waits for {_short(waiting)}" for waiting in summary.waiting]
        name = f"run {summary.run.id}"
        show_progress(self._bar, name, summary, description=", ".join([name, *short]))
        self._said.intersection_update(map(_topic, summary.waiting))
        for waiting in summary.waiting:
            if _topic(waiting) not in self._said:
                self._said.add(_topic(waiting))
                for text in describe_waiting(waiting, dt.datetime.now(dt.UTC)).values():
                    echo(text, err=True)

    def not_picked_up(self) -> None:
        """Say why no producer has picked up the request."""
        request = self._request
        if request is None:
            self._look(lambda idle: idle.of_request(None))
        else:
            self._look(lambda idle: idle.of_request(request.tenant, is_quick=request.is_quick))

    def _look(self, why: Callable[[IdleCheck], tuple[Idle, ...]]) -> None:
        """Say why nothing happens, if nothing has for a moment; each reason once while it lasts."""
        now = time.monotonic()
        if self._idle is None or now < max(self._moved, self._looked) + _LOOK_INTERVAL:
            return
        self._looked, before = now, self._reasons
        self._reasons = why(self._idle)
        for reason in self._reasons:
            if reason not in before:
                for name, text in localized_texts("Waiting", describe_idle(reason)).items():
                    echo(f"{name}: {text}.", err=True)

    def database_away(self, error: TransientError) -> None:
        """Say what is away."""
        echo(f"{error}. Still waiting…", err=True)


@contextmanager
def wait_report(
    *, quiet: bool, lines: bool = False, idle: IdleCheck | None = None, request: SyncRequest | None = None
) -> Iterator[WaitReport]:
    """Give what shows a wait; with `quiet` there is no progress bar."""
    with progress_bar(quiet=quiet) as bar:
        yield WaitReport(bar, lines=lines, idle=idle, request=request)


def idle_check(services: Services) -> IdleCheck | None:
    """Return what finds out why a run comes no further; None if no RabbitMQ is named."""
    if not services.settings.amqp_url:
        return None
    return IdleCheck(broker=services.broker, runs=services.store.runs)


def show_progress(
    bar: ShowProgress, name: str, summary: RunSummary, *, description: str | None = None
) -> None:
    """Show in a bar how many users of a run have an outcome."""
    bar(name, description or name, completed=summary.published - summary.pending, total=summary.published)


def _short(waiting: Waiting) -> str:
    if waiting.service is None:
        return "another run"
    return f"{waiting.service} ({answer})" if (answer := last_answer(waiting)) else str(waiting.service)


def _topic(waiting: Waiting) -> object:
    """Return what a line about a wait depends on: not the number of users, nor the next try."""
    return waiting.service, waiting.since, last_answer(waiting)
