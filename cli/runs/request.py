"""What a command says about a request for a run, and about the wait for its end."""

from __future__ import annotations

import signal
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from administration.runs.details import details_of
from administration.runs.trigger import publish_request
from administration.runs.wait_for_run import wait_for_end, wait_for_run
from cli.exits import INTERRUPTED
from cli.output import echo, print_result
from cli.runs.report import exit_with, show_run
from cli.runs.wait_progress import WaitReport, idle_check, wait_report
from schemas.outcomes import OPEN_STATUSES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bootstrap.services import Services
    from schemas.messages.messages import SyncRequest
    from schemas.runs.run import Run


def publish_only(
    request: SyncRequest, services: Services, more: Mapping[str, Any], *, wants_json: bool
) -> None:
    """Publish a request and print its event id; `more` is added to the JSON."""
    event_id = publish_request(request, store=services.store, publisher=services.broker)
    text = f"Published, as event {event_id}. 'update-sync runs list --event {event_id}' shows the run."
    print_result(text, {"event": event_id, **more}, wants_json=wants_json)


def request_and_wait(
    request: SyncRequest, services: Services, *, timeout: float | None, wants_json: bool
) -> None:
    """Publish a request, wait until its run has ended (`timeout` in seconds), show it, exit."""
    ends = None if timeout is None else time.monotonic() + timeout
    event_id = publish_request(request, store=services.store, publisher=services.broker)
    with (
        _interrupted_wait(request, event_id, services),
        wait_report(quiet=wants_json, idle=idle_check(services), request=request) as report,
    ):
        run = started_run(event_id, services, report, timeout=timeout)
        joined = services.store.triggers.has_joined(event_id)
        if joined:
            echo(_joined_text(run), err=True)
        left = None if ends is None else max(0.0, ends - time.monotonic())
        summary = wait_for_end(run.id, runs=services.store.runs, listener=report, timeout=left)
    details = details_of(summary, services.store)
    show_run(summary, wants_json=wants_json, details=details, joined=joined)
    if summary.run.status in OPEN_STATUSES:
        echo(f"Run {run.id} goes on: 'update-sync runs watch {run.id}' waits for its end.", err=True)
    exit_with(summary, details)


@contextmanager
def interruptible() -> Iterator[None]:
    """Have SIGTERM and Ctrl-C raise KeyboardInterrupt, even if the parent process ignores them."""
    before = {
        number: signal.signal(number, signal.default_int_handler)
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _interrupted_wait(request: SyncRequest, event_id: str, services: Services) -> Iterator[None]:
    """After Ctrl-C, take back a request that no producer has picked up; say of a run that it goes on."""
    try:
        with interruptible():
            yield
    except KeyboardInterrupt:
        run = services.store.triggers.find_run(event_id)
        if run is None:
            run = services.store.triggers.cancel(request, event_id)
            echo(f"Interrupted. The request is taken back: nothing was changed (run {run.id}).", err=True)
        else:
            say_goes_on(run.id)
        raise click.exceptions.Exit(INTERRUPTED) from None


def say_goes_on(run_id: int) -> None:
    """Say that a run continues although the command that waits for it ends."""
    echo(
        f"Interrupted. Run {run_id} goes on without this command: 'update-sync runs show {run_id}' shows it, "
        f"'update-sync runs cancel {run_id}' ends it.",
        err=True,
    )


def _joined_text(run: Run) -> str:
    """Return that a request has started no run of its own, because an open run does all that it asks for."""
    kind = f"{run.mode} run{' of named users' if run.users else ''}"
    return f"Run {run.id}, a {kind}, was open already and does what was asked for: the request joins it."


def started_run(
    event_id: str, services: Services, report: WaitReport, *, timeout: float | None = None
) -> Run:
    """Return the run of a published request; exit with 1 if there is none after `timeout` seconds."""
    run = wait_for_run(event_id, triggers=services.store.triggers, listener=report, timeout=timeout)
    if run is None:
        echo(
            f"No producer picked up the request, event {event_id}, in time; it stays in its queue. "
            f"'update-sync runs list --event {event_id}' shows whether one has by now.",
            err=True,
        )
        raise click.exceptions.Exit(1)
    return run
