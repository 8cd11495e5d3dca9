"""The start page: each tenant at a glance."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from flask import Blueprint, g, render_template
from flask_babel import lazy_gettext as _

from administration.tenants.status import tenant_statuses
from hub.language import current_language
from hub.presentation.outcome_bar import user_bar
from hub.presentation.problems import describe_problem
from hub.services import hub_services
from schemas.hub.member import Role
from schemas.outcomes import OPEN_STATUSES, QUESTION_CAUSES
from schemas.reports.pending_match import MATCH_REASONS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask_babel.speaklater import LazyString

    from hub.presentation.outcome_bar import Share
    from schemas.tenants.tenant_status import Problem, TenantStatus

blueprint = Blueprint("syncs", __name__)

#: The state of a tenant in two words, and Designsystemet's colour for it.
_NEEDS_ATTENTION: Final = (_("Needs attention"), "warning")
_STATES: Final[Mapping[str, tuple[LazyString, str]]] = {
    "disabled": (_("Switched off"), "neutral"),
    "running": (_("Running now"), "info"),
    "never": (_("Not synced yet"), "neutral"),
    "well": (_("All is well"), "success"),
}


@dataclass(frozen=True, kw_only=True)
class _Sync:
    """A tenant as the page shows it: its problems each with a sentence.

    `question` is the halted run that waits for an answer, if there is one. `uncertain` users have a match
    that a person must decide.
    """

    status: TenantStatus
    state: LazyString
    colour: str
    bar: tuple[Share, ...]
    problems: tuple[tuple[Problem, str], ...]
    question: int | None
    uncertain: int


@blueprint.get("/")
def overview() -> str:
    """Show the tenants that the member may see; those that need a person come first."""
    services, language = hub_services(), current_language()
    statuses = tenant_statuses(
        None if g.member.role is Role.OPERATOR else g.member.tenants,
        store=services.store,
        now=dt.datetime.now(dt.UTC),
        idle=services.idle,
    )
    syncs = []
    for status in sorted(statuses, key=lambda each: (not each.problems, each.tenant)):
        state, colour = _state(status)
        syncs.append(
            _Sync(
                status=status,
                state=state,
                colour=colour,
                bar=user_bar(status.users),
                problems=tuple((each, describe_problem(each, language)) for each in status.problems),
                question=next((each.run for each in status.problems if each.cause in QUESTION_CAUSES), None),
                uncertain=sum(status.users.failed.get(reason, 0) for reason in MATCH_REASONS),
            )
        )
    return render_template("syncs.html", syncs=syncs, in_need=sum(bool(each.problems) for each in statuses))


def _state(status: TenantStatus) -> tuple[LazyString, str]:
    if not status.enabled:
        return _STATES["disabled"]
    if status.problems:
        return _NEEDS_ATTENTION
    if status.last_run is not None and status.last_run.status in OPEN_STATUSES:
        return _STATES["running"]
    return _STATES["never" if status.never_synced else "well"]
