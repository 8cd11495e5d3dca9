"""`update-sync status`: all tenants on one screen."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import click

from administration.dead_letters.refused_requests import refused_requests
from administration.runs.idle import describe_requests, waiting_requests
from administration.tenants.status import tenant_statuses
from cli.context import current_services
from cli.durations import format_age
from cli.output import echo, echo_texts, json_option, print_json, print_table
from cli.runs.wait_progress import idle_check
from cli.status.problems import describe_problem, describe_undone
from cli.tenants.options import optional_key_argument
from schemas.outcomes import Status
from schemas.settings import Requirement
from schemas.timestamps import timestamp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.tenants.schedule_state import SchedulePause
    from schemas.tenants.tenant_status import TenantStatus


@click.command()
@optional_key_argument
@click.option("--problems", is_flag=True, help="Show only the tenants that need a person.")
@json_option
def status(*, key: str | None, problems: bool, wants_json: bool) -> None:
    """Show all tenants: last run, failures, what needs a person. With TENANT, only that one.

    Below the table stands what needs a person, who must act, and the command that says more:

    \b
    - halted runs, and failed users by reason
    - scheduled runs that did not start, and open runs without a producer or worker
    - runs that have waited for Entra or Skolon for more than an hour
    - tenants that were never synced, or of which no user is in scope
    - tenants of which no user was confirmed as right for some days (see 'notifications set')
    - client secrets that have expired, or expire within 30 days

    It exits with 1 if there is any of these, or if requests for runs wait and no producer runs. Notes tell
    of users whose values an undo has restored, of fewer users in scope than in the previous run of all users,
    and of a schedule that is paused.

    "In sync" counts the users that Skolon has right, by the last complete run of all users and later runs. It
    is a share of the users that are in scope and in Skolon; users that an undo restored are not in sync until
    a run looks at them.
    """  # noqa: D301 - the sign keeps the lines of a list apart in click's help
    now = dt.datetime.now(dt.UTC)
    services = current_services(Requirement.DATABASE)
    has_broker = bool(services.settings.amqp_url)
    found = tenant_statuses(
        None if key is None else [key],
        store=services.store,
        now=now,
        idle=idle_check(services),
        refused=refused_requests(services.broker, store=services.store) if has_broker else {},
    )
    requests = waiting_requests(services.broker) if has_broker else None
    in_need = [each for each in found if each.problems]
    shown = in_need if problems else found
    if wants_json:
        print_json(
            {
                "tenants": [each.as_json() for each in shown],
                "with_problems": len(in_need),
                "waiting_requests": requests and requests.as_json(),
            }
        )
    else:
        _print(shown, now)
        if has_broker and (text := describe_requests(requests)) is not None:
            echo(text)
        echo(_summary(found, in_need))
    if in_need or (requests is not None and requests.need_producer):
        raise click.exceptions.Exit(1)


def _print(shown: Sequence[TenantStatus], now: dt.datetime) -> None:
    if not shown:
        return
    headings = ("tenant", "last run", "ended", "in sync", "failed", "next due")
    print_table(headings, [_row(each, now) for each in shown])
    for each in shown:
        for problem in each.problems:
            texts, command = describe_problem(each.tenant, problem)
            echo("", f"{each.tenant} (who must act: {problem.owner}): {command}")
            echo_texts(texts)
        if each.users.reverted:
            texts, command = describe_undone(each.tenant, each.users.reverted)
            echo("", f"{each.tenant} (after an undo): {command}")
            echo_texts(texts)
        if each.pause is not None:
            echo(f"{each.tenant}: {_pause_text(each.pause)}")
        if each.scope_change is not None and each.scope_change.text is not None:
            echo(f"{each.tenant}: {each.scope_change.text}")
    if any(each.problems for each in shown):
        echo()


def _pause_text(pause: SchedulePause) -> str:
    why = f": {pause.reason}" if pause.reason else ""
    return f"no scheduled run starts until {timestamp(pause.until)}{why}"


def _row(each: TenantStatus, now: dt.datetime) -> tuple[object, ...]:
    run, users = each.last_run, each.users
    ended = run and run.finished
    return (
        each.tenant if each.enabled else f"{each.tenant} (disabled)",
        ("never synced" if each.never_synced else "none") if run is None else f"{run.id} {_progress(each)}",
        ended and f"{format_age(ended, now)} ago",
        f"{users.in_sync} of {users.expected}",
        users.failures,
        # As an age of what is to come: seen from there, it is now that long ago.
        each.next_due and f"in {format_age(now, each.next_due)}",
    )


def _progress(each: TenantStatus) -> str:
    run, summary = each.last_run, each.open_run
    if run is None or summary is None or run.status is Status.HALTED:
        return "" if run is None else str(run.status)
    services = sorted({str(waiting.service or "other runs") for waiting in summary.waiting})
    waits = f", waits for {', '.join(services)}" if services else ""
    return f"{run.status}, {summary.pending} of {summary.published} pending{waits}"


def _summary(found: Sequence[TenantStatus], in_need: Sequence[TenantStatus]) -> str:
    tenants = "1 tenant" if len(found) == 1 else f"{len(found)} tenants"
    in_sync = sum(each.users.in_sync for each in found)
    expected = sum(each.users.expected for each in found)
    need = "none needs a person" if not in_need else f"{len(in_need)} with a problem"
    never = sum(each.enabled and each.never_synced for each in found)
    never_synced = f", {never} never synced" if never else ""
    users = f"{in_sync} of {expected} users in sync" if expected else "No user is in sync"
    return f"{tenants}, {need}{never_synced}. {users}."
