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
from schemas.outcomes import OPEN_STATUSES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask_babel.speaklater import LazyString

    from hub.presentation.outcome_bar import Share
    from schemas.reports.remedy import Owner
    from schemas.tenants.tenant_status import TenantStatus

blueprint = Blueprint("syncs", __name__)

#: The state of a tenant in two words, and Designsystemet's colour for it.
_NEEDS_PERSON: Final = (_("Needs a person"), "warning")
_STATES: Final[Mapping[str, tuple[LazyString, str]]] = {
    "disabled": (_("Switched off"), "neutral"),
    "running": (_("Running now"), "info"),
    "never": (_("Not synced yet"), "neutral"),
    "well": (_("All is well"), "success"),
}


@dataclass(frozen=True, kw_only=True)
class _Sync:
    """A tenant as the page shows it: its problems each as a sentence, with who must act."""

    status: TenantStatus
    state: LazyString
    colour: str
    bar: tuple[Share, ...]
    problems: tuple[tuple[str, Owner], ...]


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
                problems=tuple((describe_problem(each, language), each.owner) for each in status.problems),
            )
        )
    return render_template("syncs.html", syncs=syncs, in_need=sum(bool(each.problems) for each in statuses))


def _state(status: TenantStatus) -> tuple[LazyString, str]:
    if not status.enabled:
        return _STATES["disabled"]
    if status.problems:
        return _NEEDS_PERSON
    if status.last_run is not None and status.last_run.status in OPEN_STATUSES:
        return _STATES["running"]
    return _STATES["never" if status.never_synced else "well"]
