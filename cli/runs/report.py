"""A run as people read it, and the wait for its end."""

from __future__ import annotations

import datetime as dt
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TypeVar

import click

from cli.output import echo, print_columns, print_fields, print_json
from cli.progress import new_progress_bar
from cli.runs.waits import describe_waiting, last_answer
from schemas.errors import TransientError
from schemas.outcomes import OPEN_STATUSES, Cause, Outcome
from schemas.reports.remedies import Language, remedy_for
from schemas.timestamps import timestamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cli.runs.details import RunDetails
    from schemas.runs.run import Run, RunSummary
    from schemas.runs.waits import Waiting
    from store.runs.runs import Runs

T = TypeVar("T")

#: Seconds between two looks at how far a run has come.
POLL_INTERVAL: Final = 0.5


def show_run(summary: RunSummary, *, wants_json: bool, details: RunDetails | None = None) -> None:
    """Print a run with its sums, and its details if they are given."""
    if wants_json:
        print_json({**summary.as_json(), **({} if details is None else details.as_json())})
        return
    run = summary.run
    fields: dict[str, object] = {
        "run": run.id,
        "tenant": run.tenant,
        "mode": f"{mode_in_words(run)}{', dry run' if run.dry_run else ''}",
        "status": run.status,
        "started": timestamp(run.started),
        "finished": run.finished and timestamp(run.finished),
        "published": summary.published,
        "pending": summary.pending,
    }
    if summary.pruned:
        fields["pruned"] = f"{summary.pruned} of the receipts: counted below, and no longer there"
    if run.cause is not None:
        fields["cause"] = f"{run.cause}: {run.detail}"
        texts = remedy_for(run.cause).texts
        fields |= {f"fix ({language})": texts[language].fix for language in Language}
        option = " --override-guard" if run.cause is Cause.GUARD_EXCEEDED else ""
        fields["resume"] = f"update-sync runs resume {run.id}{option}"
    elif run.detail is not None:
        fields["note"] = run.detail
    fields |= _waiting_fields(summary, dt.datetime.now(dt.UTC))
    for warning in summary.warnings:
        texts = remedy_for(warning.kind).texts
        fields[f"warning {warning.kind}"] = warning.detail
        fields |= {f"  fix ({language})": texts[language].fix for language in Language}
    fields |= {
        f"  {outcome}": count for outcome, count in summary.counts.items() if outcome is not Outcome.PENDING
    }
    if summary.skipped_verified:
        unchanged = summary.counts.get(Outcome.UNCHANGED, 0)
        fields[f"  {Outcome.UNCHANGED}"] = f"{unchanged}, of which {summary.skipped_verified} trusted"
    fields |= {f"    {reason}": count for reason, count in sorted(summary.reasons.items())}
    if run.reverts_run_id is not None:
        # Among those above: something of theirs has changed since the undone run, and was not put back.
        fields["  skipped"] = summary.skipped
    print_fields(fields)
    if details is not None:
        details.print()


def _waiting_fields(summary: RunSummary, now: dt.datetime) -> dict[str, object]:
    """Return what the run waits for, and when somebody had an outcome last, which tells of the others."""
    fields: dict[str, object] = {
        f"waits for {waiting.service}": describe_waiting(waiting, now) for waiting in summary.waiting
    }
    if summary.last_finished is not None:
        fields["last outcome"] = timestamp(summary.last_finished)
    return fields


def mode_in_words(run: Run) -> str:
    """Say what a run does, and for an undo of which run."""
    return str(run.mode) if run.reverts_run_id is None else f"{run.mode} of {run.reverts_run_id}"


def wait_for_end(
    runs: Runs, run_id: int, *, quiet: bool, lines: bool = False, timeout: float | None = None
) -> RunSummary:
    """Wait until a run has ended, or `timeout` seconds, and return it as it is then.

    A terminal gets a progress bar; with `lines`, anything else gets a line for each step forward. What it
    waits for is said on standard error, when it begins and when the answer is another one.
    """
    last: tuple[object, ...] = ()
    said: set[object] = set()
    with progress_bar(quiet=quiet) as show:

        def check() -> RunSummary | None:
            nonlocal last
            summary = runs.summary(run_id)
            show(f"run {run_id}", summary)
            line = (summary.run.status, f"published {summary.published}", f"pending {summary.pending}")
            if lines and line != last and not sys.stderr.isatty():
                print_columns(line)
            last = line
            said.intersection_update(map(_topic, summary.waiting))
            for waiting in summary.waiting:
                if _topic(waiting) not in said:
                    said.add(_topic(waiting))
                    echo(describe_waiting(waiting, dt.datetime.now(dt.UTC)), err=True)
            return summary if summary.run.status not in OPEN_STATUSES else None

        ended = poll(check, timeout=timeout)
    return ended or runs.summary(run_id)


def _topic(waiting: Waiting) -> object:
    """Return what makes a wait worth another line, which more users or a later try do not."""
    return waiting.service, waiting.since, last_answer(waiting)


def poll(check: Callable[[], T | None], *, timeout: float | None) -> T | None:
    """Return what `check` finds as soon as it finds something, or None after `timeout` seconds.

    A database that is away for a while ends no wait (promise P8); it is said once.
    """
    began, told = time.monotonic(), False
    while True:
        try:
            found = check()
        except TransientError as error:
            found = None
            if not told:
                echo(f"{error}. Waiting on.", err=True)
            told = True
        if found is not None or (timeout is not None and time.monotonic() - began >= timeout):
            return found
        time.sleep(POLL_INTERVAL)


@contextmanager
def progress_bar(*, quiet: bool) -> Iterator[Callable[[str, RunSummary], None]]:
    """Give what shows how far runs have come, on standard error, if that is a terminal."""
    bar = new_progress_bar(quiet=quiet)
    tasks = {}

    def show(name: str, summary: RunSummary) -> None:
        if name not in tasks:
            tasks[name] = bar.add_task(name)
        done = summary.published - summary.pending
        bar.update(tasks[name], total=summary.published, completed=done)

    with bar:
        yield show


def exit_with(summary: RunSummary) -> None:
    """End the command: 0 when the run is complete and nobody is a dead letter, else 1."""
    raise click.exceptions.Exit(0 if summary.succeeded else 1)
