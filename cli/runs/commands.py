"""`update-sync runs`: runs and the receipts of their users."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from administration.runs.actions.cancel import cancel_run
from administration.runs.details import details_of
from administration.runs.event import run_of_event
from administration.runs.idle import describe_requests, waiting_requests
from administration.runs.wait_for_run import wait_for_end
from cli.context import current_services
from cli.exits import INTERRUPTED
from cli.lazy_group import LazyCommand
from cli.numbers import WholeNumber
from cli.output import choices, echo, json_option, print_json, print_result, print_table
from cli.runs.group import RunsGroup
from cli.runs.options import run_argument
from cli.runs.report import describe_kind, exit_with, run_json, show_run
from cli.runs.request import interruptible, say_goes_on
from cli.runs.wait_progress import idle_check, wait_report
from cli.tenants.completion import complete_tenants
from schemas.dead_letter_reasons import Reason
from schemas.outcomes import OPEN_STATUSES, Outcome, RunKind, Status
from schemas.settings import Requirement
from schemas.timestamps import timestamp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bootstrap.services import Services
    from schemas.runs.run import Run, RunSummary

#: A choice of `--kind`: previews too.
_ALL_KINDS: Final = "all"
_NO_RUN: Final = "No run so far: 'update-sync trigger' requests one."
_NO_RUN_FITS: Final = "No run fits these options."

_LAZY: Final = {
    "resume": LazyCommand(
        "cli.runs.resume:resume",
        "Resume RUN, which is halted: it reads again the users without an outcome.",
    ),
    "undo": LazyCommand("cli.runs.undo:undo", "Restore the values that RUN overwrote, unless changed since."),
}


@click.group(cls=RunsGroup, lazy=_LAZY)
def runs() -> None:
    """Show, cancel, resume or undo runs.

    A run has totals, and a result for each of its users. RUN is the number that 'runs list' shows.
    """


@runs.command("list")
@click.option("--tenant", metavar="KEY", shell_complete=complete_tenants, help="Only runs of this tenant.")
@click.option(
    "--status",
    "statuses",
    multiple=True,
    type=click.Choice(choices(Status)),
    help="Only runs with this status. May be repeated.",
)
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    type=click.Choice([*choices(RunKind), _ALL_KINDS]),
    help="Only runs of this kind; by default all kinds but previews. May be repeated.",
)
@click.option(
    "--event", metavar="EVENT_ID", help="Only the run that the trigger with this event id asked for."
)
@click.option(
    "--limit",
    default=20,
    show_default=True,
    type=WholeNumber(1, 1000),
    metavar="N",
    help="Runs to list, the newest first.",
)
@json_option
def list_runs(  # noqa: PLR0913 - one for each option
    *,
    tenant: str | None,
    statuses: tuple[str, ...],
    kinds: tuple[str, ...],
    event: str | None,
    limit: int,
    wants_json: bool,
) -> None:
    """List runs, the newest first: full and delta runs, runs of named users, and undos.

    Previews and dry runs are listed only with --kind preview or --kind all. If requests for runs wait in
    RabbitMQ, a last line says how many.
    """
    services = current_services(Requirement.DATABASE)
    store = services.store
    if tenant is not None:
        store.tenants.outline(tenant)
    if event is not None:
        if tenant or statuses or kinds:
            raise click.UsageError("--event goes without --tenant, --status and --kind: it has one run.")
        summaries = [run_of_event(event, store)]
    else:
        summaries = store.runs.list(
            tenant, limit, statuses=[Status(each) for each in statuses], kinds=_kinds(kinds)
        )
    if wants_json:
        print_json([summary.as_json() for summary in summaries])
        return
    _print_runs(summaries, is_filtered=bool(tenant or statuses or kinds))
    if event is None:
        if not kinds:
            since = summaries[-1].run.id if len(summaries) == limit else 0
            states = [Status(each) for each in statuses]
            _say_previews(store.runs.count(tenant, statuses=states, kinds=[RunKind.PREVIEW], since=since))
        _say_requests(services)


def _kinds(kinds: tuple[str, ...]) -> tuple[RunKind, ...]:
    """Return the kinds of runs that are listed; none stands for all."""
    if _ALL_KINDS in kinds:
        return ()
    return tuple(map(RunKind, kinds)) or tuple(kind for kind in RunKind if kind is not RunKind.PREVIEW)


def _say_previews(count: int) -> None:
    if count:
        previews = "1 preview is" if count == 1 else f"{count} previews are"
        echo(f"{previews} not listed: --kind preview lists previews and dry runs.")


def _say_requests(services: Services) -> None:
    if services.settings.amqp_url and (text := describe_requests(waiting_requests(services.broker))):
        echo(text)


def _print_runs(summaries: Sequence[RunSummary], *, is_filtered: bool) -> None:
    with_previews = any(summary.run.kind is RunKind.PREVIEW for summary in summaries)
    rows = [
        (
            summary.run.id,
            summary.run.tenant,
            describe_kind(summary.run),
            f"{summary.run.status}{f': {summary.run.cause}' if summary.run.cause else ''}",
            timestamp(summary.run.started),
            summary.published,
            summary.pending,
            summary.counts.get(Outcome.UPDATED, 0),
            *_would_update(summary, with_previews=with_previews),
            summary.counts.get(Outcome.DEAD_LETTERED, 0),
        )
        for summary in summaries
    ]
    headings = ("run", "tenant", "kind", "status", "started", "published", "pending", "updated")
    print_table(
        (*headings, *(("would update",) if with_previews else ()), "failed"),
        rows,
        nothing=_NO_RUN_FITS if is_filtered else _NO_RUN,
    )


def _would_update(summary: RunSummary, *, with_previews: bool) -> tuple[object, ...]:
    """Return the column of previews, if any is listed."""
    if not with_previews:
        return ()
    return (summary.counts.get(Outcome.WOULD_UPDATE, 0) if summary.run.dry_run else "",)


@runs.command()
@run_argument
@click.option("--users", is_flag=True, help="Also list what became of each user: ids, no values.")
@click.option(
    "--outcome", type=click.Choice(choices(Outcome)), help="With --users: only those with this outcome."
)
@click.option(
    "--reason",
    type=click.Choice(choices(Reason)),
    help="With --users: only those that failed for this reason.",
)
@click.option(
    "--limit",
    default=100,
    show_default=True,
    type=WholeNumber(1, 100_000),
    metavar="N",
    help="With --users: users to list.",
)
@json_option
def show(  # noqa: PLR0913 - one for each option
    *, run: int, users: bool, outcome: str | None, reason: str | None, limit: int, wants_json: bool
) -> None:
    """Show RUN with its totals, and what it waits for. RUN is the number that 'runs list' shows."""
    if not users and (outcome or reason):
        raise click.UsageError("--outcome and --reason go with --users.")
    services = current_services(Requirement.DATABASE)
    store = services.store
    summary = store.runs.summary(run)
    details = details_of(summary, store)
    check = idle_check(services) if summary.run.status in OPEN_STATUSES else None
    idle = check.of_run(summary) if check is not None else ()
    if not users:
        show_run(summary, wants_json=wants_json, details=details, idle=idle)
        return
    receipts = store.receipts.list(
        run,
        outcome=Outcome(outcome) if outcome else None,
        reason=Reason(reason) if reason else None,
        limit=limit,
    )
    if wants_json:
        print_json(
            {
                **run_json(summary, details, idle),
                "users": [receipt.as_json() for receipt in receipts],
            }
        )
        return
    show_run(summary, wants_json=False, details=details, idle=idle)
    rows = [
        (each.entra_id, each.outcome, each.reason, ", ".join(each.changed), each.detail) for each in receipts
    ]
    print_table(("user", "outcome", "reason", "changed", "detail"), rows)


@runs.command()
@run_argument
@json_option
def watch(*, run: int, wants_json: bool) -> None:
    """Wait until RUN has ended, and show it. Ctrl-C ends the waiting; the run goes on."""
    services = current_services(Requirement.DATABASE)
    store, idle = services.store, idle_check(services)
    try:
        with interruptible(), wait_report(quiet=wants_json, lines=not wants_json, idle=idle) as report:
            summary = wait_for_end(run, runs=store.runs, listener=report)
    except KeyboardInterrupt:
        say_goes_on(run)
        raise click.exceptions.Exit(INTERRUPTED) from None
    details = details_of(summary, store)
    show_run(summary, wants_json=wants_json, details=details)
    exit_with(summary, details)


@runs.command()
@run_argument
@json_option
def cancel(*, run: int, wants_json: bool) -> None:
    """Cancel RUN, which is open or halted.

    Users without an outcome stay as they are. Users that the run has changed stay changed; 'runs undo'
    restores their former values.
    """
    store = current_services(Requirement.DATABASE).store
    cancel_run(run, store=store)
    print_result(
        f"Cancelled run {run}. {_kept_text(store.runs.get(run), store.undo_records.count_claimed(run))}",
        store.runs.summary(run).as_json(),
        wants_json=wants_json,
    )


def _kept_text(run: Run, changed: int) -> str:
    """Return what a cancelled run leaves as it has changed it, and how to restore that."""
    if run.dry_run:
        return "It was a dry run, which changes no user."
    if not changed:
        return "It has changed no user."
    users = "1 user, which stays" if changed == 1 else f"{changed} users, which stay"
    return f"It has changed {users} so. To restore the former values: update-sync runs undo {run.id}"
