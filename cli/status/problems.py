"""What needs a person at a tenant, in a sentence of each language, and the command that says more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from administration.runs.wait_descriptions import service_names
from schemas.details.detail import texts_from
from schemas.details.template import Template
from schemas.reports.remedies import remedy_for
from schemas.reports.remedy import Language, Owner
from schemas.tenants.tenant_status import ProblemKind
from schemas.timestamps import timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.tenants.tenant_status import Problem

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
    ProblemKind.NO_VALUES: (
        Template(
            "i körning {run} saknade {users:# användare|# användare}, de flesta av alla, ett värde i Entra, "
            "som därför inte synkas för dem; troligen är en källa i inställningarna fel",
            "in run {run}, {users:# user|# users}, most of all, had no value in Entra for an attribute, "
            "which is not synced for them; a source in the settings is probably wrong",
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
    ProblemKind.SERVICE_AWAY: (
        Template(
            "körning {run} har väntat på {service} sedan {since}: den fortsätter av sig själv efteråt",
            "run {run} has waited for {service} since {since}: it goes on by itself afterwards",
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
    ProblemKind.NOT_CONFIRMED: (
        Template(
            "ingen användare har bekräftats vara rätt sedan {since}",
            "no user was confirmed as right since {since}",
        ),
        "update-sync tenants freshness {tenant}",
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


#: Of users that count as neither in sync nor failed, which is no problem by itself.
_UNDONE: Final = Template(
    "{users:# användare|# användare} har sina tidigare värden sedan en körning ångrades, och räknas inte som "
    "uppdaterade. Nästa fullständiga körning skriver på nytt det som inställningarna säger. Var en "
    "inställning fel, rätta den först: update-sync tenants set {tenant} …",
    "{users:# user has|# users have} former values since a run was undone, and are not counted as in sync. "
    "The next full run writes again what the settings say. If a setting was wrong, correct it first: "
    "update-sync tenants set {tenant} …",
)


def describe_undone(tenant: str, users: int) -> tuple[dict[Language, str], str]:
    """Return that an undo has restored so many users, in each language, and what sets them right."""
    return texts_from(_UNDONE, tenant=tenant, users=users), f"update-sync trigger {tenant}"


def describe_problem(tenant: str, problem: Problem) -> tuple[dict[Language, str], str]:
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
    services = dict.fromkeys(Language, "")
    if problem.service is not None:
        services = service_names(problem.service)
    texts = {
        language: texts_from(what, **facts, service=service)[language]
        for language, service in services.items()
    }
    return texts, command.format(**facts)
