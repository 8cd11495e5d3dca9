"""A draft of the mapping: changed by buttons, with its effect beside it, tried on all users, made active."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, abort, g, make_response, redirect, render_template, request, url_for
from flask_babel import gettext

from administration.tenants.mapping.approval import approval_fault, approve_draft
from administration.tenants.mapping.drafts import (
    activate_draft,
    discard_draft,
    edit_draft,
    forecast_of,
    renew_draft,
    try_draft,
)
from administration.tenants.mapping.effect import SAMPLE, effects_of, sample_users
from administration.tenants.mapping.proposals import proposals
from administration.users.lookup import MAX_FOUND, find_users
from administration.users.view import reveal
from hub.actions.acting import broker_or_refuse, may_act, new_key, submission
from hub.addresses import tenant_of
from hub.language import current_language
from hub.pages.mapping.forms import Authors, draft_of, number_of
from hub.pages.mapping.overview import mapping_file
from hub.presentation import settings_texts
from hub.presentation.actions.refusals import REFUSALS
from hub.presentation.changes import change_rows
from hub.presentation.details import page_detail
from hub.presentation.mapping.losses import losses
from hub.presentation.mapping.texts import SOURCES
from hub.presentation.outcome_bar import outcome_bar
from hub.services import hub_services
from schemas.details.names import ATTRIBUTE_NAMES
from schemas.errors import HaltError, TransientError
from schemas.fields import is_object_id
from schemas.hub.action import ActionRefusal, ActionRefusedError
from schemas.safe_text import is_storable, one_line
from schemas.tenants.mapping.sources import read_edit
from schemas.users.attributes import ATTRIBUTE_TABLE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from flask_babel.speaklater import LazyString
    from werkzeug.wrappers import Response as AnyResponse

    from administration.tenants.mapping.drafts import DraftView
    from schemas.users.attributes import Attribute

blueprint = Blueprint("drafts", __name__, url_prefix="/tenants/<tenant>/mapping/drafts/<draft>")

#: What the button sends by which a draft keeps what was changed in the active mapping meanwhile.
_RENEW = "renew"

#: Characters of what is looked up.
_MAX_WHO = 320


@blueprint.get("/")
def show(tenant: str, draft: str) -> str:
    """Show a draft beside the active mapping, and what it would do."""
    return _page(tenant, draft_of(tenant, draft))


@blueprint.get("/mapping.json")
def export(tenant: str, draft: str) -> Response:
    """Return a draft as a file."""
    return mapping_file(tenant, draft_of(tenant, draft).draft.sources)


@blueprint.post("/")
def edit(tenant: str, draft: str) -> tuple[str, int] | AnyResponse:
    """Change one source of the draft, and come back to its attribute."""
    view, sent, store = draft_of(tenant, draft), submission(), hub_services().store
    pressed = request.form.get("edit", "")
    change = read_edit(pressed)
    if change is None and pressed != _RENEW:
        abort(400)
    try:
        if change is None:
            renew_draft(view, _seen(), sent, store=store)
        else:
            edit_draft(view.draft, change, _seen(), sent, store=store)
    except ActionRefusedError as error:
        return _refused(tenant, draft, error)
    anchor = "differences" if change is None else str(change.attribute)
    return redirect(
        url_for("drafts.show", tenant=tenant, draft=draft, user=_user(tenant), _anchor=anchor), 303
    )


@blueprint.post("/try")
def try_all(tenant: str, draft: str) -> tuple[str, int] | AnyResponse:
    """Try the draft on all users: a dry run, which is kept."""
    view, sent = draft_of(tenant, draft), submission()
    broker = broker_or_refuse()
    if view.draft.version != _seen():
        changed = ActionRefusedError(ActionRefusal.CHANGED_MEANWHILE, "")
        return _refused(tenant, draft, changed)
    try:
        try_draft(view.draft, sent, store=hub_services().store, publisher=broker)
    except ActionRefusedError as error:
        return _refused(tenant, draft, error)
    return redirect(url_for("drafts.show", tenant=tenant, draft=draft, _anchor="forecast"), 303)


@blueprint.get("/forecast")
def forecast(tenant: str, draft: str) -> AnyResponse:
    """Return the part of the page about the dry run; nothing new is 304."""
    view = draft_of(tenant, draft)
    facts = {**_forecast(view), "tenant": tenant_of(tenant)}
    answer = make_response(render_template("mapping/forecast.html", **facts))
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.add_etag()
    return answer.make_conditional(request)


@blueprint.post("/user")
def find(tenant: str, draft: str) -> tuple[str, int] | AnyResponse:
    """Look a user up, whom the draft's effect is shown for as well."""
    view, services = draft_of(tenant, draft), hub_services()
    who = request.form.get("who", "").strip()
    fault, ids = "", list[str]()
    if not who or len(who) > _MAX_WHO or not who.isprintable() or not is_storable(who):
        fault = gettext("Write a name, an address or an id.")
    elif services.gateways is None:
        abort(409)
    else:
        try:
            ids = find_users(
                tenant, who, store=services.store, gateways=services.gateways, keys=services.secret_keys
            )
        except (HaltError, TransientError):
            fault = gettext("Entra does not answer just now. Try again in a minute.")
    if not fault and len(ids) != 1:
        fault = (
            gettext("No user was found. Look at the spelling, or try the address in place of the name.")
            if not ids
            else gettext("That finds too many users: give an address or an id.")
            if len(ids) > MAX_FOUND
            else gettext("That finds several users: give an address or an id.")
        )
    if fault:
        return _page(tenant, view, who=one_line(who)[:_MAX_WHO], who_fault=fault), 422
    return redirect(url_for("drafts.show", tenant=tenant, draft=draft, user=ids[0], _anchor="effect"), 303)


@blueprint.post("/values")
def values(tenant: str, draft: str) -> str:
    """Show the users of the sample with values; that the member looked is recorded."""
    view = draft_of(tenant, draft)
    users = [each.lower() for each in request.form.getlist("user") if is_object_id(each)]
    if not users or len(users) > SAMPLE + 1:
        abort(400)
    reveal(tenant, list(dict.fromkeys(users)), g.member, store=hub_services().store)
    return _page(tenant, view, revealed=list(dict.fromkeys(users)))


@blueprint.post("/activate")
def activate(tenant: str, draft: str) -> tuple[str, int] | AnyResponse:
    """Make the draft the active mapping, once."""
    view, sent = draft_of(tenant, draft), submission()
    try:
        activate_draft(view.draft, _seen(), request.form.get("active", ""), sent, store=hub_services().store)
    except ActionRefusedError as error:
        return _refused(tenant, draft, error)
    return redirect(url_for("mapping.show", tenant=tenant, done="activated"), 303)


@blueprint.post("/approve")
def approve(tenant: str, draft: str) -> tuple[str, int] | AnyResponse:
    """Approve a draft as a second person, once."""
    view, sent, seen = draft_of(tenant, draft), submission(), request.form.get("active", "")
    try:
        if seen != view.active_state:
            raise ActionRefusedError(ActionRefusal.CHANGED_MEANWHILE, "The mapping was changed.")  # noqa: TRY301
        approve_draft(view.draft, seen, _seen(), sent, store=hub_services().store)
    except ActionRefusedError as error:
        return _refused(tenant, draft, error)
    return redirect(url_for("drafts.show", tenant=tenant, draft=draft, _anchor="activate"), 303)


@blueprint.post("/discard")
def discard(tenant: str, draft: str) -> tuple[str, int] | AnyResponse:
    """Remove the draft as it was seen; a second click finds it gone."""
    tenant_of(tenant)
    sent, store = submission(), hub_services().store
    found = store.mapping_drafts.get(tenant, number_of(draft))
    if found is not None and found.version != _seen():
        why = ActionRefusal.CHANGED_MEANWHILE
        return _refused(tenant, draft, ActionRefusedError(why, "The draft was changed in the meantime."))
    if found is not None:
        discard_draft(found, sent, store=store)
    return redirect(url_for("mapping.show", tenant=tenant, done="discarded"), 303)


def _refused(tenant: str, draft: str, error: ActionRefusedError) -> tuple[str, int]:
    status = 412 if error.why is ActionRefusal.CHANGED_MEANWHILE else 422
    # As it is now: what the other person has changed is in it.
    return _page(tenant, draft_of(tenant, draft), refusal=REFUSALS[error.why]), status


def _seen() -> int:
    """Return the version that the form was made for; none of ours is 0."""
    text = request.form.get("seen", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0  # noqa: PLR2004 - a version


def _user(tenant: str) -> str | None:
    """Return the user that was looked up, by the id in the address, for those who may look any user up."""
    user = request.values.get("user", "").lower()
    return user if is_object_id(user) and g.member.administers(tenant) else None


def _page(  # noqa: PLR0913 - what was sent, and what came of it
    tenant: str,
    view: DraftView,
    *,
    refusal: LazyString | str = "",
    who: str = "",
    who_fault: str = "",
    revealed: Sequence[str] = (),
) -> str:
    found, services = tenant_of(tenant), hub_services()
    store, user = services.store, _user(tenant) if request.method == "GET" else None
    effects = []
    if services.gateways is not None and view.draft.is_open:
        users = list(revealed) or list(
            dict.fromkeys([*([user] if user else []), *sample_users(view, store=store)])
        )
        effects = effects_of(view, users, values=bool(revealed), store=store, gateways=services.gateways)
    authors, facts = Authors(tenant), store.source_facts.latest(tenant)
    activated_by = view.draft.activated_by
    return render_template(
        "mapping/draft.html",
        tenant=found,
        view=view,
        table=ATTRIBUTE_TABLE,
        texts=settings_texts.ATTRIBUTES,
        facts=facts,
        proposals={} if facts is None else proposals(facts, view.draft.sources),
        sources=SOURCES,
        lost_keys=_names(view.lost_keys),
        to_approve=_names(view.to_approve),
        approved_by="" if view.draft.approved_by is None else authors.name(view.draft.approved_by),
        fault=approval_fault(view.draft, g.member.id, store=store),
        releases=_names([each for each in ATTRIBUTE_TABLE if each in view.draft.releases]),
        taken_back=_names(view.taken_back),
        outdated=_names(view.outdated),
        renew=_RENEW,
        created_by=authors.name(view.draft.created_by),
        updated_by=authors.name(view.draft.updated_by),
        activated_by="" if activated_by is None else authors.name(activated_by),
        effects=effects,
        shows_values=bool(revealed),
        chosen_user=user,
        who=who,
        who_fault=who_fault,
        has_gateways=services.gateways is not None,
        acts=g.member.administers(tenant),
        may_try=may_act(tenant),
        refusal=refusal,
        key=new_key(),
        **_forecast(view),
    )


def _names(attributes: Sequence[Attribute]) -> str:
    names = ATTRIBUTE_NAMES[current_language()]
    return ", ".join(names[each] for each in attributes)


def _forecast(view: DraftView) -> dict[str, Any]:
    """Return what the page shows of the draft's dry run."""
    found, language = forecast_of(view.draft, store=hub_services().store), current_language()
    preview = None if found is None else found.preview
    guard = None if preview is None else preview.details.guard
    return {
        "draft": view.draft,
        # Of a draft that was made active nothing differs any more.
        "view_differences": view.differences or view.draft.sources,
        "forecast": found,
        "summary": None if found is None else found.summary,
        "preview": preview,
        "bar_shares": () if preview is None else outcome_bar(preview.summary.counts),
        "losses": () if preview is None else losses(preview.mapping),
        "changes": () if preview is None else change_rows(preview.details.changes),
        "would_halt": () if guard is None else [page_detail(each, language) for each in guard.would_halt],
        "is_request_idle": _is_request_idle(view.draft.tenant) if found and found.summary is None else False,
    }


def _is_request_idle(tenant: str) -> bool:
    """Say whether no part of the sync takes requests."""
    idle = hub_services().idle
    return idle is not None and bool(idle.of_request(tenant))
