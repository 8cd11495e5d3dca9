"""The runs of a tenant, and a run while it goes on and after it has ended."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from flask import Blueprint, abort, make_response, render_template, request

from administration.remedies import FailureOwners
from administration.runs.details import details_of
from administration.runs.tenant_runs import runs_page
from hub.actions.acting import may_act
from hub.addresses import run_summary_of, tenant_of
from hub.language import current_language
from hub.presentation import words
from hub.presentation.advice import advice_on
from hub.presentation.changes import change_rows
from hub.presentation.details import page_detail
from hub.presentation.mapping.losses import losses
from hub.presentation.outcome_bar import outcome_bar
from hub.services import hub_services
from schemas.dead_letter_reasons import Reason
from schemas.outcomes import OPEN_STATUSES, QUESTION_CAUSES, Cause, Mode, Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from werkzeug.wrappers import Response

    from administration.runs.details import RunDetails
    from hub.presentation.advice import Advice
    from schemas.runs.run import Run, RunSummary

blueprint = Blueprint("runs", __name__, url_prefix="/tenants/<tenant>/runs")

#: Runs of a page.
_PAGE_SIZE: Final = 20


@blueprint.get("/")
def overview(tenant: str) -> str:
    """Show the tenant's runs, the newest first; `before` is the last run of the page before."""
    found = tenant_of(tenant)
    before = request.args.get("before")
    if before is not None and not (before.isascii() and before.isdigit()):
        abort(404)
    page = runs_page(tenant, store=hub_services().store, before=before, limit=_PAGE_SIZE)
    bars = {summary.run.id: outcome_bar(summary.counts) for summary in page.runs}
    return render_template(
        "runs.html",
        tenant=found,
        page=page,
        bars=bars,
        is_first=before is None,
        may_act=may_act(tenant),
    )


@blueprint.get("/<run>")
def show(tenant: str, run: str) -> str:
    """Show a run."""
    found, summary = tenant_of(tenant), run_summary_of(tenant, run)
    return render_template("run.html", tenant=found, **_facts(summary))


@blueprint.get("/<run>/progress")
def progress(tenant: str, run: str) -> Response:
    """Return the part of the page that changes while the run goes on; nothing new is 304."""
    summary = run_summary_of(tenant, run)
    answer = make_response(render_template("run_progress.html", tenant=tenant_of(tenant), **_facts(summary)))
    # It may be kept for the next question, and by the browser alone.
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.add_etag()
    return answer.make_conditional(request)


def _facts(summary: RunSummary) -> dict[str, Any]:
    """Return what the page shows of a run."""
    language, run = current_language(), summary.run
    services = hub_services()
    is_open = run.status in OPEN_STATUSES
    # They read all of the run's results, and are not final before its end: too much for each look at it.
    details = None if is_open else details_of(summary, services.store)
    halt = None if run.cause is None else advice_on(run.cause, language, of_undo=run.mode is Mode.UNDO)
    prospect = details.prospect if details else None
    return {
        "summary": summary,
        "run": run,
        "is_open": is_open,
        "may_act": may_act(run.tenant),
        "is_question": run.cause in QUESTION_CAUSES,
        "bar_shares": outcome_bar(summary.counts),
        "changes": change_rows(details.changes) if details else (),
        "reasons": [
            (reason, users, _advice_on(run, reason))
            for reason, users in sorted(summary.reasons.items(), key=lambda each: (-each[1], each[0]))
        ],
        "settled_later": details.settled_later if details else 0,
        "undos": details.undos if details else (),
        "can_be_undone": bool(details and details.can_be_undone(run)),
        "undoes_now": _undoes_now(run),
        "halt": halt,
        # What the guard counted is what an administrator decides by.
        "halt_detail": "" if halt is None else halt.detail_text(run.detail),
        "is_guarded": run.cause is Cause.GUARD_EXCEEDED,
        "scope_exits": [
            (page_detail(each.rule, language), each.users)
            for each in (details.scope_exits if details else ())
        ],
        "prospect": prospect,
        "prospect_shares": outcome_bar(prospect.outcomes) if prospect else (),
        "prospect_changes": change_rows(prospect.changes) if prospect else (),
        "would_halt": _would_halt(details),
        "warnings": [
            (advice, advice.detail_text(warning.detail))
            for warning in summary.warnings
            for advice in (advice_on(warning.kind, language),)
        ],
        "idle": services.idle.of_run(summary) if is_open and services.idle is not None else (),
        # Of a preview with settings of its own.
        "losses": losses(services.store.mapping_comparisons.for_run(run.id)) if _tries_settings(run) else (),
        "names": words.of_run(run),
        "took": None if run.finished is None else _seconds(run.finished - run.started),
    }


def _undoes_now(run: Run) -> int | None:
    """Return the run that a preview of an undo is about, None if it is none or that one was undone since."""
    if not run.dry_run or run.reverts_run_id is None or run.status is not Status.COMPLETED:
        return None
    undos = hub_services().store.undo_records.undos_of(run.reverts_run_id)
    return None if any(each.is_complete for each in undos) else run.reverts_run_id


def _tries_settings(run: Run) -> bool:
    return bool(run.settings_override) and run.status not in OPEN_STATUSES


def _advice_on(run: Run, reason: Reason) -> Advice:
    store = hub_services().store
    held = reason is Reason.VALUE_TAKEN and store.receipts.is_held_in_entra(run.id, reason)
    owner = FailureOwners(store).of_group(run.tenant, reason, is_held_in_entra=held)
    return advice_on(reason, current_language(), owner=owner)


def _would_halt(details: RunDetails | None) -> Sequence[str] | None:
    """Return which limits the real run of a preview would exceed; None for a run that is no preview."""
    if details is None or details.guard is None:
        return None
    return [page_detail(each, current_language()) for each in details.guard.would_halt]


def _seconds(duration: dt.timedelta) -> dt.timedelta:
    return dt.timedelta(seconds=max(1, round(duration.total_seconds())))
