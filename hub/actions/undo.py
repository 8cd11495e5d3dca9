"""Undoing a run: what would be restored and what would not, a preview of it, and the button."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext

from administration.runs.actions.undo import offer_undo, undo_run_once
from hub.actions.acting import broker_or_refuse, may_act, new_key, submission
from hub.addresses import run_summary_of, tenant_of
from hub.language import current_language
from hub.presentation.actions.refusals import REFUSALS
from hub.presentation.changes import change_rows
from hub.presentation.details import page_detail
from hub.presentation.outcome_bar import outcome_bar
from hub.services import hub_services
from schemas.hub.action import ActionRefusedError

if TYPE_CHECKING:
    from flask_babel.speaklater import LazyString
    from werkzeug.wrappers import Response

blueprint = Blueprint("undo", __name__, url_prefix="/tenants/<tenant>/runs/<run>/undo")

#: What can be chosen, and whether it is a preview.
_KINDS: Final = {"preview": True, "undo": False}


@blueprint.get("/")
def ask(tenant: str, run: str) -> str:
    """Show what an undo of a run would restore, for how many users, and what it leaves as it is."""
    return _page(tenant, run)


@blueprint.post("/")
def undo(tenant: str, run: str) -> str | tuple[str, int] | Response:
    """Start an undo or its preview, once for each form, and show the wait for it."""
    sent, summary = submission(), run_summary_of(tenant, run)
    kind = request.form.get("kind", "")
    if kind not in _KINDS:
        return _page(tenant, run, fault=gettext("Choose what the run does.")), 422
    broker = broker_or_refuse()
    try:
        undo_run_once(summary.run, sent, dry_run=_KINDS[kind], store=hub_services().store, publisher=broker)
    except ActionRefusedError as error:
        return _page(tenant, run, chosen=kind, fault=REFUSALS[error.why]), 422
    return redirect(url_for("start.requested", tenant=tenant, key=sent.key), 303)


def _page(tenant: str, run: str, *, chosen: str = "", fault: LazyString | str = "") -> str:
    found, summary, store = tenant_of(tenant), run_summary_of(tenant, run), hub_services().store
    offer = offer_undo(summary, store=store)
    preview = offer.last_preview
    return render_template(
        "undo.html",
        tenant=found,
        run=summary.run,
        offer=offer,
        refused="" if offer.refusal is None else REFUSALS[offer.refusal],
        changes=change_rows(offer.changes),
        would_halt=[page_detail(each, current_language()) for each in offer.guard.would_halt],
        preview=preview,
        preview_bar=() if preview is None else outcome_bar(preview.counts),
        # Who has seen what would be restored comes back to have it done.
        chosen=chosen or ("preview" if preview is None else "undo"),
        may_act=may_act(tenant),
        fault=fault,
        key=new_key(),
    )
