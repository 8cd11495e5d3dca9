"""Cancelling a run: what becomes of its users, and the button."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, redirect, render_template, url_for

from administration.runs.actions.cancel import cancel_run_once
from hub.actions.acting import new_key, submission
from hub.addresses import run_summary_of, tenant_of
from hub.presentation.actions.refusals import REFUSALS
from hub.services import hub_services
from schemas.hub.action import ActionRefusedError
from schemas.outcomes import ENDED_STATUSES, Outcome

if TYPE_CHECKING:
    from flask_babel.speaklater import LazyString
    from werkzeug.wrappers import Response

blueprint = Blueprint("cancel", __name__, url_prefix="/tenants/<tenant>/runs/<run>/cancel")


@blueprint.get("/")
def ask(tenant: str, run: str) -> str:
    """Show what cancelling a run leaves as it is; of one that has ended, that there is nothing to cancel."""
    return _page(tenant, run)


@blueprint.post("/")
def cancel(tenant: str, run: str) -> str | tuple[str, int] | Response:
    """Cancel a run, once for each form, and show it."""
    sent, summary = submission(), run_summary_of(tenant, run)
    try:
        cancel_run_once(summary.run, sent, store=hub_services().store)
    except ActionRefusedError as error:
        return _page(tenant, run, fault=REFUSALS[error.why]), 422
    return redirect(url_for("runs.show", tenant=tenant, run=run), 303)


def _page(tenant: str, run: str, *, fault: LazyString | None = None) -> str:
    found, summary = tenant_of(tenant), run_summary_of(tenant, run)
    return render_template(
        "cancel.html",
        tenant=found,
        run=summary.run,
        has_ended=summary.run.status in ENDED_STATUSES,
        updated=summary.counts.get(Outcome.UPDATED, 0),
        pending=summary.pending,
        fault=fault,
        key=new_key(),
    )
