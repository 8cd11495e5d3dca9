"""`update-sync database`."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import click

from administration.pruning import pruning_limits
from cli.context import current_services
from cli.numbers import WholeNumber
from cli.output import echo, json_option, print_json, print_result
from cli.progress import progress_bar
from schemas.reports.pruning import PruningCounts
from schemas.settings import Requirement
from schemas.timestamps import timestamp

if TYPE_CHECKING:
    from store.maintenance.pruning import Limits


@click.group()
def database() -> None:
    """Upgrade the database schema, and remove old data."""


@database.command()
@json_option
def upgrade(*, wants_json: bool) -> None:
    """Upgrade the database schema, if needed."""
    current_services(Requirement.DATABASE).store.upgrade()
    print_result("The database is up to date.", {"upgraded": True}, wants_json=wants_json)


@database.command()
@click.option(
    "--keep-days",
    required=True,
    type=WholeNumber(1, 36_500),
    metavar="DAYS",
    help="Keep the runs and users' results of this many days.",
)
@click.option("--dry-run", is_flag=True, help="Count what would be removed; remove nothing.")
@json_option
def prune(*, keep_days: int, dry_run: bool, wants_json: bool) -> None:
    """Remove runs and users' results that are older than --keep-days.

    Whatever their age, these stay: each user's newest result, and the newest one that verified the user;
    open and halted runs; each tenant's last complete full run. A run's totals do not change, and the run
    itself stays for at least 30 days. Without its results a run cannot be undone.

    Safe while workers run. If interrupted, the next run continues.
    """
    pruning = current_services(Requirement.DATABASE).store.pruning
    limits = pruning_limits(keep_days, dt.datetime.now(dt.UTC))
    removed, complete = PruningCounts(), False
    try:
        with progress_bar(quiet=wants_json) as show:
            total = pruning.count_prunable_runs(limits)
            for more in pruning.prune(limits, dry_run=dry_run):
                removed += more
                show("prune", "runs", completed=removed.runs_examined, total=total)
        complete = True
    finally:
        # Also if interrupted: some data was removed by then.
        if wants_json:
            print_json(
                {
                    "dry_run": dry_run,
                    "complete": complete,
                    "before": timestamp(limits.receipts),
                    **removed.as_json(),
                }
            )
        else:
            echo(_summary(removed, limits, dry_run=dry_run))


def _summary(removed: PruningCounts, limits: Limits, *, dry_run: bool) -> str:
    done = "Would remove" if dry_run else "Removed"
    return (
        f"{done} {removed.receipts} results of users and {removed.runs} runs "
        f"(of {removed.runs_examined} that ended before {timestamp(limits.receipts)})."
    )
