"""Syncing one user now: what it will do, the button, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for

from administration.users.side_by_side import Agreement
from administration.users.sync_now import sync_now_progress, sync_user_now
from administration.users.view import view_user
from hub.actions.acting import broker_or_refuse, may_act, new_key, submission, waits_for
from hub.addresses import tenant_of
from hub.language import current_language
from hub.presentation.actions.refusals import REFUSALS
from hub.presentation.users.answers import AGREEMENTS, answer_of
from hub.services import hub_services
from schemas.fields import is_object_id
from schemas.hub.action import ActionRefusal, ActionRefusedError, is_action_key
from schemas.outcomes import Outcome
from schemas.users.attributes import Attribute

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask_babel.speaklater import LazyString
    from werkzeug.wrappers import Response

    from administration.users.view import UserView

blueprint = Blueprint("sync_user", __name__, url_prefix="/tenants/<tenant>/users/<user>/sync")


@blueprint.get("/")
def ask(tenant: str, user: str) -> str:
    """Show what the sync would do to the user now."""
    return _ask(tenant, user)


@blueprint.post("/")
def begin(tenant: str, user: str) -> tuple[str, int] | Response:
    """Sync the user, once for each form, and show what comes of it."""
    tenant_of(tenant)
    user, sent = _object_id(user), submission()
    broker = broker_or_refuse()
    try:
        sync_user_now(tenant, user, sent, store=hub_services().store, publisher=broker)
    except ActionRefusedError as error:
        return _ask(tenant, user, refusal=error.why), 422
    return redirect(url_for("sync_user.watch", tenant=tenant, user=user, key=sent.key), 303)


@blueprint.get("/<key>")
def watch(tenant: str, user: str, key: str) -> str:
    """Show how far it is, and what came of it."""
    return render_template("sync_user/watch.html", **_progress(tenant, user, key))


@blueprint.get("/<key>/progress")
def progress(tenant: str, user: str, key: str) -> Response:
    """Return how far it is; the page asks again and again."""
    return make_response(render_template("sync_user/progress.html", **_progress(tenant, user, key)))


def _ask(tenant: str, user: str, *, refusal: ActionRefusal | None = None) -> str:
    found, services = tenant_of(tenant), hub_services()
    user = _object_id(user)
    view = view_user(tenant, user, values=False, store=services.store, gateways=services.gateways)
    if view is None:
        abort(404)
    return render_template(
        "sync_user/ask.html",
        tenant=found,
        user=user,
        answer=answer_of(view, tenant, current_language()),
        is_known=view.now is not None and not view.now.is_unknown,
        is_unchanged=view.now is not None and view.now.outcome is Outcome.UNCHANGED,
        writes=_writes(view),
        fails=view.now is not None and view.now.outcome is Outcome.DEAD_LETTERED,
        unanswered=services.store.runs.unanswered_guard(tenant),
        fault=None if refusal is None else REFUSALS[refusal],
        key=request.form.get("key") if refusal is ActionRefusal.UNDER_WAY else new_key(),
        may_act=may_act(tenant),
    )


def _writes(view: UserView) -> Sequence[tuple[Attribute, LazyString]]:
    """Return the attributes that would be written, each with what happens to it."""
    kinds = {} if view.now is None else view.now.writes
    return [
        (attribute, AGREEMENTS[Agreement(kinds[attribute])][0])
        for attribute in Attribute
        if attribute in kinds
    ]


def _progress(tenant: str, user: str, key: str) -> dict[str, Any]:
    found, store = tenant_of(tenant), hub_services().store
    user = _object_id(user)
    known = sync_now_progress(tenant, user, key, store=store) if is_action_key(key) else None
    if known is None:
        abort(404)
    waits = waits_for(tenant, is_quick=True) if known.run is None else None
    return {"tenant": found, "user": user, "key": key, "progress": known, "waits": waits}


def _object_id(user: str) -> str:
    if not is_object_id(user):
        abort(404)
    return user.lower()
