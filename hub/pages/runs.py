"""The runs of a tenant, and a run while it goes on and after it has ended."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from flask import Blueprint, abort, make_response, render_template, request

from administration.runs.details import details_of
from administration.runs.tenant_runs import run_of_tenant, runs_page
from hub.language import current_language
from hub.presentation.outcome_bar import outcome_bar
from hub.services import hub_services
from schemas.details.detail import texts_of
from schemas.details.names import ATTRIBUTE_NAMES
from schemas.errors import UsageError
from schemas.outcomes import OPEN_STATUSES
from schemas.reports.remedies import remedy_for

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from schemas.runs.run import RunSummary
    from schemas.tenants.tenant import Tenant

blueprint = Blueprint("runs", __name__, url_prefix="/tenants/<tenant>/runs")

#: Runs of a page.
_PAGE_SIZE: Final = 20


@blueprint.get("/")
def overview(tenant: str) -> str:
    """Show the tenant's runs, the newest first; `before` is the last run of the page before."""
    found = _tenant(tenant)
    before = request.args.get("before")
    if before is not None and not (before.isascii() and before.isdigit()):
        abort(404)
    page = runs_page(tenant, store=hub_services().store, before=before, limit=_PAGE_SIZE)
    bars = {summary.run.id: outcome_bar(summary.counts) for summary in page.runs}
    return render_template("runs.html", tenant=found, page=page, bars=bars, is_first=before is None)


@blueprint.get("/<run>")
def show(tenant: str, run: str) -> str:
    """Show a run."""
    found, summary = _tenant(tenant), _summary(tenant, run)
    return render_template("run.html", tenant=found, **_facts(summary))


@blueprint.get("/<run>/progress")
def progress(tenant: str, run: str) -> Response:
    """Return the part of the page that changes while the run goes on; nothing new is 304."""
    summary = _summary(tenant, run)
    answer = make_response(render_template("run_progress.html", tenant=_tenant(tenant), **_facts(summary)))
    # It may be kept for the next question, and by the browser alone.
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.add_etag()
    return answer.make_conditional(request)


def _tenant(key: str) -> Tenant:
    try:
        return hub_services().store.tenants.outline(key)
    except UsageError:
        abort(404)


def _summary(tenant: str, run: str) -> RunSummary:
    summary = run_of_tenant(tenant, run, store=hub_services().store)
    if summary is None:
        abort(404)
    return summary


def _facts(summary: RunSummary) -> dict[str, Any]:
    """Return what the page shows of a run."""
    language, run = current_language(), summary.run
    services = hub_services()
    is_open = run.status in OPEN_STATUSES
    # They read all of the run's results, and are not final before its end: too much for each look at it.
    details = None if is_open else details_of(summary, services.store)
    return {
        "summary": summary,
        "run": run,
        "is_open": is_open,
        "bar_shares": outcome_bar(summary.counts),
        "attributes": [
            (ATTRIBUTE_NAMES[language][attribute], sum(kinds.values()))
            for attribute, kinds in (details.changes.attributes.items() if details else ())
        ],
        "reasons": [
            (reason, users, remedy_for(reason).texts[language], remedy_for(reason).owner)
            for reason, users in sorted(summary.reasons.items(), key=lambda each: -each[1])
        ],
        "settled_later": details.settled_later if details else 0,
        "halt": None
        if run.cause is None
        else (remedy_for(run.cause).texts[language], remedy_for(run.cause).owner),
        "halt_detail": None if run.cause is None or not run.detail else texts_of(run.detail)[language],
        "warnings": [
            (remedy_for(warning.kind).texts[language], texts_of(warning.detail)[language])
            for warning in summary.warnings
        ],
        "idle": services.idle.of_run(summary) if is_open and services.idle is not None else (),
        "took": None if run.finished is None else _seconds(run.finished - run.started),
    }


def _seconds(duration: dt.timedelta) -> dt.timedelta:
    return dt.timedelta(seconds=max(1, round(duration.total_seconds())))
