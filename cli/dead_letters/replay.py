"""`update-sync dead-letters replay`: tries failed messages again, in growing steps."""

from __future__ import annotations

import datetime as dt
import signal
from contextlib import contextmanager
from threading import Event
from typing import TYPE_CHECKING, Any

import click

from administration.dead_letters.known_ids import check_known_ids
from administration.dead_letters.replay import has_succeeded, plan_replay
from cli.confirmation import confirm
from cli.context import current_services
from cli.dead_letters.discard import operator_name
from cli.dead_letters.options import dead_letter_options, filter_from, none_found
from cli.dead_letters.replay_dry_run import show_dry_run
from cli.dead_letters.replay_report import replay_bar, show_operation
from cli.numbers import Number, WholeNumber
from cli.output import echo, json_option, print_json
from producers.dead_letters.ramp import MAX_FAILED_SHARE
from producers.dead_letters.replay import Replay
from producers.dead_letters.replay_request import ReplayHooks, ReplayRequest
from schemas.settings import Requirement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from administration.dead_letters.replay import ReplayPlan


@click.command()
@dead_letter_options
@click.option(
    "--limit",
    type=WholeNumber(1),
    metavar="N",
    show_default="all",
    help="Dead letters to replay, the oldest first.",
)
@click.option(
    "--original-payload",
    is_flag=True,
    help="Use the user's data in the message; do not read the user from Entra again.",
)
@click.option(
    "--rate",
    type=Number(0, above=True),
    metavar="N",
    show_default="no limit",
    help="Users to publish a second, at most.",
)
@click.option(
    "--max-failed",
    default=MAX_FAILED_SHARE,
    show_default=True,
    type=Number(0, 1, example="such as 0.2 for 20 %"),
    metavar="SHARE",
    help="Go on with the next reason if more than this share (0 to 1) of a step fails again.",
)
@click.option(
    "--step-timeout",
    type=Number(0, above=True),
    metavar="SECONDS",
    show_default="no limit",
    help="Stop if a step takes more seconds than this.",
)
@click.option("--dry-run", is_flag=True, help="Show what would happen; change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
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
    """Try failed messages again, within the run in which they failed.

    It replays all of them, unless options such as --tenant and --reason select some. With several options, it
    takes what fits all of them.

    It takes one reason after the other; the reasons that a person must correct come last. For each reason it
    starts with 1, 10 and 100 users, and waits for the outcomes of each step. If too many fail again, it goes
    on with the next reason. Ctrl-C stops it after the current batch; the other dead letters stay. Users that
    a newer run takes care of are skipped. If a run could not read a page of users, the replay resumes it.
    """
    needs = tuple(Requirement) if dry_run else (Requirement.DATABASE, Requirement.BROKER, Requirement.KEYS)
    services = current_services(*needs)
    wanted = filter_from(options, now=dt.datetime.now(dt.UTC))
    for tenant in wanted.tenants:
        # Raises if there is no such tenant: of a mistyped key there would seem to be no dead letters.
        services.store.tenants.outline(tenant)
    if dry_run:
        show_dry_run(
            wanted,
            limit=limit,
            original_payload=original_payload,
            services=services,
            wants_json=wants_json,
        )
    plan = plan_replay(wanted, limit=limit, store=services.store, broker=services.broker)
    counts = plan.counts
    _print_plan(plan)
    if not counts.replayable:
        if not counts.blocked:
            check_known_ids(wanted, store=services.store)
        if wants_json:
            print_json({"operation": None, "counts": {}})
        else:
            echo("None of these can be replayed." if counts.blocked else none_found(wanted))
        raise click.exceptions.Exit(1 if counts.blocked else 0)
    confirm(f"Replay these {counts.replayable} dead letters?", yes=yes)
    request = ReplayRequest(
        selection=wanted,
        expected=counts.expected,
        reasons=counts.reasons,
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
    raise click.exceptions.Exit(0 if has_succeeded(operation) and not counts.blocked else 1)


def _print_plan(plan: ReplayPlan) -> None:
    for name, dead_letters in plan.groups.counts().items():
        echo(f"  {dead_letters:>7}  {name}", err=True)
    for obstacle, dead_letters in sorted(plan.counts.blocked.items()):
        echo(f"  {dead_letters:>7}  cannot be replayed: {obstacle.text}", err=True)


@contextmanager
def _interruptible() -> Iterator[Event]:
    """Give an event that the first Ctrl-C (or SIGTERM) sets; the second one ends the process at once."""
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
