"""`update-sync runs`: what became of whom."""

from __future__ import annotations

import click

from cli.context import current_services
from cli.output import choices, json_option, print_json, print_result, print_table
from cli.runs.details import details_of
from cli.runs.report import exit_with, mode_in_words, show_run, wait_for_end
from cli.runs.undo import undo
from producers.resume import resume_run
from schemas.errors import UsageError
from schemas.outcomes import Outcome, Reason, Status
from schemas.settings import Requirement
from schemas.timestamps import timestamp

run_argument = click.argument("run", type=click.IntRange(min=1))


@click.group()
def runs() -> None:
    """Look at runs, their sums, and the receipt of every user; cancel, resume or undo one."""


runs.add_command(undo)


@runs.command("list")
@click.option("--tenant", help="Only this tenant's.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000))
@json_option
def list_runs(*, tenant: str | None, limit: int, wants_json: bool) -> None:
    """List runs, the newest first."""
    summaries = current_services(Requirement.DATABASE).store.runs.list(tenant, limit)
    if wants_json:
        print_json([summary.as_json() for summary in summaries])
        return
    rows = [
        (
            summary.run.id,
            summary.run.tenant,
            f"{mode_in_words(summary.run)}{' (dry)' if summary.run.dry_run else ''}",
            f"{summary.run.status}{f': {summary.run.cause}' if summary.run.cause else ''}",
            timestamp(summary.run.started),
            summary.published,
            summary.pending,
            summary.counts.get(Outcome.UPDATED, 0) + summary.counts.get(Outcome.WOULD_UPDATE, 0),
            summary.counts.get(Outcome.DEAD_LETTERED, 0),
        )
        for summary in summaries
    ]
    headings = ("run", "tenant", "mode", "status", "started", "published", "pending", "updated", "dead")
    print_table(headings, rows)


@runs.command()
@run_argument
@click.option("--users", is_flag=True, help="List the users' receipts as well (ids, no values).")
@click.option("--outcome", type=click.Choice(choices(Outcome)), help="With --users.")
@click.option("--reason", type=click.Choice(choices(Reason)), help="With --users.")
@click.option(
    "--limit", default=100, show_default=True, type=click.IntRange(1, 100_000), help="With --users."
)
@json_option
def show(  # noqa: PLR0913 - one for each option
    *, run: int, users: bool, outcome: str | None, reason: str | None, limit: int, wants_json: bool
) -> None:
    """Show a run with its sums."""
    store = current_services(Requirement.DATABASE).store
    summary = store.runs.summary(run)
    details = details_of(run, store)
    if not users:
        show_run(summary, wants_json=wants_json, details=details)
        return
    receipts = store.receipts.list(
        run,
        outcome=Outcome(outcome) if outcome else None,
        reason=Reason(reason) if reason else None,
        limit=limit,
    )
    if wants_json:
        print_json(
            {**summary.as_json(), **details.as_json(), "users": [receipt.as_json() for receipt in receipts]}
        )
        return
    show_run(summary, wants_json=False, details=details)
    rows = [
        (each.entra_id, each.outcome, each.reason, ", ".join(each.changed), each.detail) for each in receipts
    ]
    print_table(("user", "outcome", "reason", "changed", "detail"), rows)


@runs.command()
@run_argument
@json_option
def watch(*, run: int, wants_json: bool) -> None:
    """Wait until a run has ended, and show it."""
    store = current_services(Requirement.DATABASE).store
    summary = wait_for_end(store.runs, run, quiet=wants_json, lines=not wants_json)
    show_run(summary, wants_json=wants_json, details=details_of(run, store))
    exit_with(summary)


@runs.command()
@run_argument
@json_option
def cancel(*, run: int, wants_json: bool) -> None:
    """Cancel a run that is open or halted. What is pending stays as it is."""
    store = current_services(Requirement.DATABASE).store
    status = store.runs.get(run).status
    if not store.runs.cancel(run):
        raise UsageError(f"Run {run} has ended already: {status}.")
    print_result(f"Run {run} is cancelled.", store.runs.summary(run).as_json(), wants_json=wants_json)


@runs.command()
@run_argument
@click.option(
    "--override-guard", is_flag=True, help="Let it go on although the guard halted it, unwatched from now on."
)
@json_option
def resume(*, run: int, override_guard: bool, wants_json: bool) -> None:
    """Take a halted run up again: whoever is pending is read afresh and published again."""
    services = current_services(Requirement.DATABASE, Requirement.BROKER, Requirement.KEYS)
    services.broker.check()
    resumed, published = resume_run(
        run, store=services.store, publisher=services.broker, accept=override_guard
    )
    text = f"Run {run} goes on with {published} users that were pending."
    if resumed.status is Status.READING:
        text += " It reads the list of users from its beginning as well."
    print_result(text, services.store.runs.summary(run).as_json(), wants_json=wants_json)
