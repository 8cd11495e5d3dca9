"""`update-sync status`: all tenants on one screen."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

import click

from administration.dead_letters.refused_requests import refused_requests
from administration.runs.idle import describe_requests, waiting_requests
from administration.tenants.status import tenant_statuses
from cli.context import current_services
from cli.durations import format_age
from cli.output import echo, echo_texts, json_option, print_json, print_table
from cli.runs.wait_progress import idle_check
from cli.tenants.options import optional_key_argument
from schemas.details.detail import texts_from
from schemas.details.template import Template
from schemas.outcomes import Status
from schemas.reports.remedies import remedy_for
from schemas.reports.remedy import Owner
from schemas.settings import Requirement
from schemas.tenants.tenant_status import ProblemKind
from schemas.timestamps import timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from schemas.reports.remedy import Language
    from schemas.tenants.tenant_status import Problem, TenantStatus

#: What each problem is, and the command that says more or mends it.
_PROBLEMS: Final[Mapping[ProblemKind, tuple[Template, str]]] = {
    ProblemKind.NEVER_SYNCED: (
        Template(
            "har aldrig synkats, och inga körtider är inställda", "never synced, and no schedule starts a run"
        ),
        "update-sync trigger {tenant}",
    ),
    ProblemKind.NO_USERS: (
        Template(
            "ingen användare hålls uppdaterad sedan körning {run}: {users:# användare|# användare} är "
            "utelämnade eller finns inte i Skolon",
            "no user is kept in sync since run {run}: {users:# user is|# users are} out of scope or not in "
            "Skolon",
        ),
        "update-sync runs show {run}",
    ),
    ProblemKind.NO_PRODUCER: (
        Template(
            "körning {run} står stilla: ingen producer är igång", "run {run} has stopped: no producer runs"
        ),
        "update-sync producer",
    ),
    ProblemKind.NO_WORKER: (
        Template("körning {run} står stilla: ingen worker är igång", "run {run} has stopped: no worker runs"),
        "update-sync worker",
    ),
    ProblemKind.BROKER_AWAY: (
        Template(
            "körning {run} står stilla: RabbitMQ går inte att nå, eller godtar inte UPDATE_SYNC_AMQP_URL",
            "run {run} has stopped: RabbitMQ is away, or refuses what UPDATE_SYNC_AMQP_URL says",
        ),
        "update-sync runs show {run}",
    ),
    ProblemKind.RUN_HALTED: (
        Template(
            "körning {run} är stoppad sedan {since} ({cause})", "run {run} is halted since {since} ({cause})"
        ),
        "update-sync runs show {run}",
    ),
    ProblemKind.RUN_OVERDUE: (
        Template(
            "körningen som skulle ske {since} har inte begärts: ingen scheduler är igång",
            "the run due at {since} has not been requested: no scheduler runs",
        ),
        "update-sync scheduler",
    ),
    ProblemKind.RUN_NOT_STARTED: (
        Template(
            "körningen som skulle ske {since} har inte startat: ingen producer är igång, eller så "
            "misslyckades begäran",
            "the run due at {since} has not been started: no producer runs, or its request failed",
        ),
        "update-sync dead-letters list --tenant {tenant}",
    ),
    ProblemKind.REQUESTS_REFUSED: (
        Template(
            "{requests:# begäran om en körning|# begäranden om körningar} avvisades medan en stoppad "
            "körning väntade på svar (guard_unanswered)",
            "{requests:# request for a run was|# requests for runs were} refused while a halted run waited "
            "for an answer (guard_unanswered)",
        ),
        "update-sync dead-letters list --tenant {tenant} --reason guard_unanswered",
    ),
    ProblemKind.SCHEDULE_INVALID: (
        Template("körtiderna går inte att tolka", "the schedule cannot be read"),
        "update-sync tenants set {tenant} --schedule …",
    ),
    ProblemKind.USERS_FAILED: (
        Template(
            "{users:# användare|# användare} kunde inte uppdateras: {reason}",
            "{users:# user|# users} failed: {reason}",
        ),
        "update-sync dead-letters list --users --tenant {tenant} --reason {reason}",
    ),
    ProblemKind.SECRET_EXPIRED: (
        Template(
            "klienthemligheten gick ut {expires}, enligt det datum som är angivet",
            "the client secret expired on {expires}, by the date that was entered",
        ),
        "update-sync tenants check {tenant}",
    ),
    ProblemKind.SECRET_EXPIRES: (
        Template("klienthemligheten går ut {expires}", "the client secret expires on {expires}"),
        "update-sync tenants check {tenant}",
    ),
}


#: Of users that fail in such numbers that the settings are at fault.
_WRONG_SOURCE: Final = (
    Template(
        "{users:# användare|# användare}, de flesta av alla, kunde inte uppdateras: {reason}; troligen är en "
        "källa i inställningarna fel",
        "{users:# user|# users} failed, most of all: {reason}; a source in the settings is probably wrong",
    ),
    "update-sync tenants show {tenant}",
)


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
    - tenants that were never synced, or of which no user is in scope
    - client secrets that have expired, or expire within 30 days

    It exits with 1 if there is any of these, or if requests for runs wait and no producer runs. A note tells
    when fewer users are in scope than in the previous run of all users.

    "In sync" counts the users that Skolon has right, by the last complete run of all users and later runs. It
    is a share of the users that are in scope and in Skolon.
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
            texts, command = _described(each.tenant, problem)
            echo("", f"{each.tenant} (who must act: {problem.owner}): {command}")
            echo_texts(texts)
        if each.scope_change is not None and each.scope_change.text is not None:
            echo(f"{each.tenant}: {each.scope_change.text}")
    if any(each.problems for each in shown):
        echo()


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


def _described(tenant: str, problem: Problem) -> tuple[dict[Language, str], str]:
    """Return what a problem is, in each language, and the command that says more or mends it."""
    facts: dict[str, str | int] = {
        "tenant": tenant,
        "run": problem.run or 0,
        "cause": str(problem.cause),
        "reason": str(problem.reason),
        "users": problem.users or 0,
        "since": timestamp(problem.since) if problem.since else "",
        "expires": str(problem.expires),
        "requests": problem.requests or 0,
    }
    what, command = _PROBLEMS[problem.kind]
    if (
        problem.reason is not None
        and problem.owner is Owner.ADMINISTRATOR is not remedy_for(problem.reason).owner
    ):
        what, command = _WRONG_SOURCE
    return texts_from(what, **facts), command.format(**facts)


def _summary(found: Sequence[TenantStatus], in_need: Sequence[TenantStatus]) -> str:
    tenants = "1 tenant" if len(found) == 1 else f"{len(found)} tenants"
    in_sync = sum(each.users.in_sync for each in found)
    expected = sum(each.users.expected for each in found)
    need = "none needs a person" if not in_need else f"{len(in_need)} with a problem"
    never = sum(each.enabled and each.never_synced for each in found)
    never_synced = f", {never} never synced" if never else ""
    users = f"{in_sync} of {expected} users in sync" if expected else "No user is in sync"
    return f"{tenants}, {need}{never_synced}. {users}."
