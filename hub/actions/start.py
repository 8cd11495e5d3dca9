"""Starting a run: what it will do, the button, and the wait until it has begun."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from flask_babel import gettext

from administration.runs.actions.start import StartKind, event_of, plan_start, start_run
from hub.actions.acting import broker_or_refuse, may_act, new_key, submission, waits_for
from hub.addresses import tenant_of
from hub.presentation.actions.refusals import REFUSALS
from hub.services import hub_services
from schemas.hub.action import ActionRefusedError, is_action_key

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

blueprint = Blueprint("start", __name__, url_prefix="/tenants/<tenant>/start")


@blueprint.get("/")
def show(tenant: str) -> str:
    """Show what can be started, and what each would do."""
    return _form(tenant)


@blueprint.post("/")
def begin(tenant: str) -> str | tuple[str, int] | Response:
    """Start what was chosen, once for each form, and show the wait for it."""
    tenant_of(tenant)
    sent = submission()
    try:
        kind = StartKind(request.form.get("kind", ""))
    except ValueError:
        return _form(tenant, fault=gettext("Choose what the run does.")), 422
    broker = broker_or_refuse()
    try:
        start_run(tenant, kind, sent, store=hub_services().store, publisher=broker)
    except ActionRefusedError as error:
        return _form(tenant, chosen=kind, fault=str(REFUSALS[error.why])), 422
    return redirect(url_for("start.requested", tenant=tenant, key=sent.key), 303)


@blueprint.get("/<key>")
def requested(tenant: str, key: str) -> str | Response:
    """Show that a run is about to begin; once it has, show the run."""
    found = tenant_of(tenant)
    run = _run(tenant, key)
    if run is not None:
        return redirect(url_for("runs.show", tenant=tenant, run=run), 303)
    return render_template("start_requested.html", tenant=found, key=key, **waits_for(tenant))


@blueprint.get("/<key>/progress")
def progress(tenant: str, key: str) -> Response:
    """Return what the run waits for, or lead to it; the page asks again and again."""
    run = _run(tenant, key)
    found = tenant_of(tenant)
    answer = make_response(render_template("start_progress.html", tenant=found, key=key, **waits_for(tenant)))
    if run is not None:
        answer.headers["HX-Redirect"] = url_for("runs.show", tenant=tenant, run=run)
    return answer


def _form(tenant: str, *, chosen: StartKind = StartKind.DRY_RUN, fault: str = "") -> str:
    return render_template(
        "start.html",
        tenant=tenant_of(tenant),
        plan=plan_start(tenant, store=hub_services().store),
        kinds=StartKind,
        chosen=chosen,
        fault=fault,
        key=new_key(),
        may_act=may_act(tenant),
    )


def _run(tenant: str, key: str) -> int | None:
    """Return the run that was requested with a key, None if it has not begun."""
    store = hub_services().store
    if not is_action_key(key) or not store.hub_actions.is_known(tenant, key):
        abort(404)
    run = store.triggers.find_run(event_of(tenant, key))
    return None if run is None else run.id
