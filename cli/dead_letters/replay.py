"""`update-sync dead-letters replay`: tried again, in growing steps."""

from __future__ import annotations

import datetime as dt
import signal
import sys
from contextlib import contextmanager
from threading import Event
from typing import TYPE_CHECKING, Any

import click

from cli.context import current_services
from cli.dead_letters.discard import operator_name
from cli.dead_letters.groups import Groups
from cli.dead_letters.options import dead_letter_options, filter_from
from cli.dead_letters.replay_dry_run import dry_run_replay
from cli.dead_letters.replay_report import replay_bar, show_operation
from cli.output import echo, json_option, print_json
from producers.dead_letters.precheck import Precheck, precheck
from producers.dead_letters.ramp import MAX_FAILED_SHARE
from producers.dead_letters.replay import Replay, ReplayHooks, ReplayRequest
from schemas.outcomes import Outcome
from schemas.runs.operation import OperationStatus
from schemas.settings import Requirement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemas.runs.operation import Operation


@click.command()
@dead_letter_options
@click.option("--limit", type=click.IntRange(min=1), help="Letters to replay at most, the oldest first.")
@click.option(
    "--original-payload", is_flag=True, help="Use each user as published then, and do not ask Graph again."
)
@click.option(
    "--rate", type=click.FloatRange(min=0, min_open=True), metavar="N", help="Users a second at most."
)
@click.option(
    "--max-failed",
    default=MAX_FAILED_SHARE,
    show_default=True,
    type=click.FloatRange(0, 1),
    help="Stop when more than this share of a step has failed again.",
)
@click.option(
    "--step-timeout",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="Stop when a step takes longer; without it an outage is waited for.",
)
@click.option("--dry-run", is_flag=True, help="Find out what would become of them, and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def replay(  # noqa: PLR0913 - one for each option
    *,
    limit: int | None,
    original_payload: bool,
    rate: float | None,
    max_failed: float,
    step_timeout: float | None,
    dry_run: bool,
    yes: bool,
    wants_json: bool,
    **options: Any,
) -> None:
    """Work on letters once more, for their old run, through the ordinary queue.

    It begins with 1, 10 and 100 people, waits each time for what becomes of them, and stops by itself
    when too many fail again. Ctrl-C ends it after the batch in hand, and what is left stays. Whom a
    newer run has published is left to that run. A page's letter resumes its run.
    """
    needs = tuple(Requirement) if dry_run else (Requirement.DATABASE, Requirement.BROKER, Requirement.KEYS)
    services, now = current_services(*needs), dt.datetime.now(dt.UTC)
    if dry_run:
        dry_run_replay(
            services,
            filter_from(options, now=now),
            limit,
            original_payload=original_payload,
            wants_json=wants_json,
        )
    wanted, counts, groups = filter_from(options, now=now), Precheck(), Groups()
    for dead_letter in precheck(
        wanted, limit=limit, store=services.store, broker=services.broker, counts=counts
    ):
        groups.add(dead_letter)
    _say(groups, counts)
    if not counts.replayable:
        if wants_json:
            print_json(None)
        else:
            echo("There are no such dead letters to replay.")
        raise click.exceptions.Exit(1 if counts.blocked else 0)
    if not yes and sys.stdin.isatty():
        click.confirm(f"Replay these {counts.replayable} dead letters?", abort=True, err=True)
    request = ReplayRequest(
        selection=wanted,
        expected=counts.expected,
        operator=operator_name(),
        original_payload=original_payload,
        rate=rate,
        max_failed=max_failed,
        step_timeout=step_timeout,
    )
    with _interruptible() as interrupted, replay_bar(quiet=wants_json) as show:
        company = ReplayHooks(sleep=interrupted.wait, is_cancelled=interrupted.is_set, on_progress=show)
        operation = Replay(request, store=services.store, broker=services.broker, hooks=company).run()
    show_operation(operation, wants_json=wants_json)
    raise click.exceptions.Exit(0 if _went_well(operation) and not counts.blocked else 1)


def _say(groups: Groups, counts: Precheck) -> None:
    for name, dead_letters in groups.counts().items():
        echo(f"  {dead_letters:>7}  {name}", err=True)
    for obstacle, dead_letters in sorted(counts.blocked.items()):
        echo(f"  {dead_letters:>7}  cannot be replayed: {obstacle.text}", err=True)


def _went_well(operation: Operation) -> bool:
    unhappy = {str(Outcome.DEAD_LETTERED), "runs_left"} & operation.counts.keys()
    return operation.status is OperationStatus.COMPLETED and not unhappy


@contextmanager
def _interruptible() -> Iterator[Event]:
    """Give what is set by the first Ctrl-C (or SIGTERM); a second one ends the process at once."""
    interrupted = Event()

    def interrupt(number: int, _frame: object) -> None:
        interrupted.set()
        signal.signal(number, before[number])

    before: dict[int, Any] = {
        number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield interrupted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
