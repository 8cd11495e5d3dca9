"""`update-sync database` and `update-sync new-key`."""

from __future__ import annotations

import datetime as dt
from typing import Final

import click

from cli.context import current_services
from cli.output import echo, json_option, print_json, print_result
from cli.progress import new_progress_bar
from schemas.crypto.encryption import new_key
from schemas.reports.pruning import PruningCounts
from schemas.settings import Requirement
from schemas.timestamps import timestamp
from store.maintenance.pruning import Limits

#: For how long runs stay at the least, with the ids of the events that led to them: a message that a broker
#: or an operator brings once more within that time is the same run.
EVENT_DAYS: Final = 30


@click.group()
def database() -> None:
    """Make and change the database's tables, and remove what is old."""


@database.command()
@json_option
def upgrade(*, wants_json: bool) -> None:
    """Bring the tables to what this version needs; does nothing when they are."""
    current_services(Requirement.DATABASE).store.upgrade()
    print_result("The database is up to date.", {"upgraded": True}, wants_json=wants_json)


@database.command()
@click.option(
    "--keep-days",
    required=True,
    type=click.IntRange(1, 36_500),
    help="How many days back receipts and runs are kept.",
)
@click.option("--dry-run", is_flag=True, help="Count what would be removed, and remove nothing.")
@json_option
def prune(*, keep_days: int, dry_run: bool, wants_json: bool) -> None:
    """Remove receipts and runs that are older than some days.

    Whatever their age, these stay: the newest receipt that tells what became of a person, and the newest one
    that says that the person is right; runs that are open or halted; each tenant's last complete full run. A
    run's sums stay as they were, and the run itself for 30 days. Without its receipts a run cannot be undone.

    Workers are not in the way, and it may be interrupted at any time: the next one goes on.
    """
    pruning = current_services(Requirement.DATABASE).store.pruning
    now = dt.datetime.now(dt.UTC)
    limits = Limits(
        receipts=now - dt.timedelta(days=keep_days),
        runs=now - dt.timedelta(days=max(keep_days, EVENT_DAYS)),
    )
    removed, complete = PruningCounts(), False
    try:
        with new_progress_bar(quiet=wants_json) as bar:
            task = bar.add_task("runs", total=pruning.runs_to_look_at(limits))
            for more in pruning.prune(limits, dry_run=dry_run):
                removed += more
                bar.update(task, completed=removed.runs_examined)
        complete = True
    finally:
        # Also of one that was interrupted: what is removed is removed.
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
            echo(_in_words(removed, limits, dry_run=dry_run))


def _in_words(removed: PruningCounts, limits: Limits, *, dry_run: bool) -> str:
    done = "Would remove" if dry_run else "Removed"
    return (
        f"{done} {removed.receipts} receipts and {removed.runs} runs "
        f"(of {removed.runs_examined} that ended before {timestamp(limits.receipts)})."
    )


@click.command("new-key")
@json_option
def new_key_command(*, wants_json: bool) -> None:
    """Print a fresh key for UPDATE_SYNC_SECRET_KEYS."""
    key = new_key()
    print_result(key, {"key": key}, wants_json=wants_json)
