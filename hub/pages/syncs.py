"""The start page: each tenant at a glance."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from flask_babel import lazy_gettext as _

from administration.tenants.status import tenant_statuses
from hub.addresses import tenant_of
from hub.language import current_language
from hub.presentation.outcome_bar import user_bar
from hub.presentation.problems import describe_problem
from hub.recent_order import in_order
from hub.services import hub_services
from schemas.hub.member import Role
from schemas.outcomes import OPEN_STATUSES, QUESTION_CAUSES
from schemas.reports.pending_match import MATCH_REASONS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from flask_babel.speaklater import LazyString
    from werkzeug.wrappers import Response

    from hub.presentation.outcome_bar import Share
    from hub.recent_order import TenantEntry
    from schemas.tenants.tenant_status import Problem, TenantStatus

blueprint = Blueprint("syncs", __name__)

#: Tenants of a page, and the digits that the number of a page has at most.
PAGE_SIZE: Final = 10
_MAX_DIGITS: Final = 6

#: The state of a tenant in two words, and Designsystemet's colour for it.
_NEEDS_ATTENTION: Final = (_("Needs attention"), "warning")
_STATES: Final[Mapping[str, tuple[LazyString, str]]] = {
    "disabled": (_("Switched off"), "neutral"),
    "running": (_("Running now"), "info"),
    "never": (_("Not synced yet"), "neutral"),
    "paused": (_("Paused"), "info"),
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
    """Show the tenants that the member may see, page by page; those that need a person come first."""
    wanted = request.args.get("name", "").strip().casefold()
    every, statuses = _entries()
    entries = [each for each in every if wanted in f"{each.name} {each.tenant}".casefold()]
    number, pages = _page_number(), max(1, math.ceil(len(entries) / PAGE_SIZE))
    if number > pages:
        abort(404)
    shown = [each.tenant for each in entries[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]]
    if statuses is None:
        statuses = {each.tenant: each for each in _statuses(shown)}
    return render_template(
        "syncs.html",
        syncs=[_sync(statuses[tenant]) for tenant in shown],
        in_need=sum(each.needs_attention for each in every),
        count=len(every),
        found=len(entries),
        page_size=PAGE_SIZE,
        number=number,
        pages=pages,
    )


@blueprint.get("/tenants/<tenant>/")
def of_tenant(tenant: str) -> Response:
    """Lead to the first page of a tenant, for an address that was cut short."""
    return redirect(url_for("attention.overview", tenant=tenant_of(tenant).key))


def _entries() -> tuple[Sequence[TenantEntry], Mapping[str, TenantStatus] | None]:
    """Return the tenants that the member may see, in order, and their statuses.

    If they are many, the order is that of some seconds ago, and there are no statuses.
    """
    services = hub_services()
    every = services.store.tenants.keys()
    keys = every if g.member.role is Role.OPERATOR else every & set(g.member.tenants)
    if len(keys) <= PAGE_SIZE:
        statuses = _statuses(keys)
        return in_order(statuses), {each.tenant: each for each in statuses}
    entries = services.order.find(every, lambda: _statuses(None))
    return [each for each in entries if each.tenant in keys], None


def _statuses(keys: Collection[str] | None) -> Sequence[TenantStatus]:
    services = hub_services()
    return tenant_statuses(keys, store=services.store, now=dt.datetime.now(dt.UTC), idle=services.idle)


def _page_number() -> int:
    text = request.args.get("page", "1")
    if not (text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS and int(text)):
        abort(404)
    return int(text)


def _sync(status: TenantStatus) -> _Sync:
    language = current_language()
    state, colour = _state(status)
    return _Sync(
        status=status,
        state=state,
        colour=colour,
        bar=user_bar(status.users),
        problems=tuple((each, describe_problem(each, language)) for each in status.problems),
        question=next((each.run for each in status.problems if each.cause in QUESTION_CAUSES), None),
        uncertain=sum(status.users.failed.get(reason, 0) for reason in MATCH_REASONS),
    )


def _state(status: TenantStatus) -> tuple[LazyString, str]:
    if not status.enabled:
        return _STATES["disabled"]
    if status.problems:
        return _NEEDS_ATTENTION
    if status.last_run is not None and status.last_run.status in OPEN_STATUSES:
        return _STATES["running"]
    if status.pause is not None:
        return _STATES["paused"]
    return _STATES["never" if status.never_synced else "well"]
