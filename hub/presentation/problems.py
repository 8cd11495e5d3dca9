"""What needs a person at a tenant, in a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask_babel import gettext, ngettext

from hub.presentation.advice import advice_on
from hub.presentation.times import day, moment
from hub.presentation.words import REASONS, SERVICES
from schemas.tenants.tenant_status import ProblemKind

if TYPE_CHECKING:
    from schemas.reports.remedy import Language
    from schemas.tenants.tenant_status import Problem


def describe_problem(problem: Problem, language: Language) -> str:
    """Return what is wrong, in the language of the current request."""
    return str(_sentence(problem, language))


def _sentence(problem: Problem, language: Language) -> Any:  # noqa: C901, PLR0911, PLR0912 - one table
    since, expires = moment(problem.since), day(problem.expires)
    users = problem.users or 0
    match problem.kind:
        case ProblemKind.NEVER_SYNCED:
            return gettext("No run has been made, and no schedule will start one.")
        case ProblemKind.NO_USERS:
            return gettext("The last run left all users out: check which users your settings include.")
        case ProblemKind.NO_VALUES:
            return ngettext(
                "%(num)d user, most of all, has no value in Entra for something that is kept up to date: a "
                "source in your settings is probably wrong.",
                "%(num)d users, most of all, have no value in Entra for something that is kept up to date: a "
                "source in your settings is probably wrong.",
                users,
            )
        case ProblemKind.NO_PRODUCER | ProblemKind.NO_WORKER | ProblemKind.BROKER_AWAY:
            return gettext("A run has stopped moving: a part of the sync is not running.")
        case ProblemKind.RUN_HALTED:
            why = ""
            if problem.cause is not None:
                advice = advice_on(problem.cause, language, of_undo=problem.of_undo)
                why = str(advice.what_happened)
            halted = gettext("A run was halted %(since)s.", since=since)
            return f"{halted} {why}".rstrip()
        case ProblemKind.SERVICE_AWAY:
            return gettext(
                "A run has waited for %(service)s since %(since)s, and goes on by itself afterwards.",
                service=SERVICES[problem.service],
                since=since,
            )
        case ProblemKind.RUN_OVERDUE:
            return gettext("The run that was due %(since)s has not been requested.", since=since)
        case ProblemKind.RUN_NOT_STARTED:
            return gettext("The run that was due %(since)s has not started.", since=since)
        case ProblemKind.REQUESTS_REFUSED:
            return gettext("Requests for runs were refused while a halted run waited for an answer.")
        case ProblemKind.SCHEDULE_INVALID:
            return gettext("The schedule cannot be read: no run starts by itself.")
        case ProblemKind.USERS_FAILED:
            # The cause first: several of these stand below each other.
            why = "" if problem.reason is None else str(REASONS[problem.reason])
            return ngettext(
                "%(why)s: %(num)d user could not be updated.",
                "%(why)s: %(num)d users could not be updated.",
                users,
                why=why,
            )
        case ProblemKind.NOT_CONFIRMED:
            return gettext("No user was confirmed as right since %(since)s.", since=since)
        case ProblemKind.SECRET_EXPIRED:
            return gettext("The client secret expired on %(date)s.", date=expires)
        case ProblemKind.SECRET_EXPIRES:
            return gettext("The client secret expires on %(date)s.", date=expires)
