"""A user: looked up by name, address or id, asked of Entra and Skolon at that moment, and not stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from flask_babel import gettext

from administration.users.lookup import (
    MAX_FOUND,
    decision_about,
    find_user_ids,
    find_users,
    users_with_skolon_id,
)
from administration.users.side_by_side import side_by_side
from administration.users.status import user_report
from administration.users.view import not_protected, reveal, reveal_scope, telling_properties, view_user
from hub.addresses import tenant_of
from hub.language import current_language
from hub.presentation.users import answers, steps
from hub.services import hub_services
from schemas.dead_letter_reasons import Reason
from schemas.details.names import ATTRIBUTE_NAMES
from schemas.errors import HaltError, TransientError
from schemas.fields import is_object_id
from schemas.reports.pending_match import MATCH_REASONS
from schemas.safe_text import is_storable, one_line

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from administration.users.view import UserView
    from schemas.tenants.tenant import Tenant

blueprint = Blueprint("users", __name__, url_prefix="/tenants/<tenant>/users")

#: Characters of what is looked up: an address has 254 at most (RFC 5321), a name in Entra 256.
MAX_WHO: Final = 320


@blueprint.get("/")
def search(tenant: str) -> str:
    """Show the form."""
    return _form(tenant_of(tenant), "")


@blueprint.post("/")
def find(tenant: str) -> str | tuple[str, int] | Response:
    """Look a user up: one is shown, of several the member chooses one, and none is said beside the field."""
    found = tenant_of(tenant)
    who = request.form.get("who", "").strip()
    fault = _fault(who)
    if fault:
        return _form(found, who, fault=fault), 422
    services = hub_services()
    ids: list[str] = []
    away = False
    try:
        if services.gateways is None:
            ids = find_user_ids(tenant, who, store=services.store, keys=services.secret_keys)
        else:
            ids = find_users(
                tenant, who, store=services.store, gateways=services.gateways, keys=services.secret_keys
            )
    except (HaltError, TransientError):
        away = True
    if len(ids) > MAX_FOUND:
        return _form(found, who, fault=gettext("That finds too many users: give an address or an id.")), 422
    ids = _shown(tenant, ids, is_id=is_object_id(who))
    if len(ids) == 1:
        return redirect(url_for("users.show", tenant=tenant, user=ids[0]), 303)
    if len(ids) > 1:
        return _choice(found, ids)
    return _form(found, who, fault=_none_found(tenant, who, is_away=away)), 422


@blueprint.post("/names")
def names(tenant: str) -> str:
    """Show what Entra calls the users that were found, so that the member can choose; that is recorded."""
    found, services = tenant_of(tenant), hub_services()
    ids = list(dict.fromkeys(each.lower() for each in request.form.getlist("user") if is_object_id(each)))
    if not ids or len(ids) > MAX_FOUND or services.gateways is None:
        abort(400)
    told = telling_properties(tenant, ids, store=services.store, gateways=services.gateways)
    known = _shown(tenant, [each for each in ids if each in told or _has_history(tenant, each)])
    if not known:
        abort(404)
    reveal(tenant, list(told), g.member, store=services.store)
    return _choice(found, known, told)


@blueprint.get("/<user>")
def show(tenant: str, user: str) -> str | Response:
    """Show a user by the id in Entra, with values masked; an id in Skolon leads to the user that it is."""
    tenant_of(tenant)
    view = _view(tenant, user, values=False)
    if view is not None:
        return _page(tenant, view, values=False)
    services = hub_services()
    ids = users_with_skolon_id(tenant, user, store=services.store, gateways=services.gateways)
    ids = _shown(tenant, list(dict.fromkeys(each for each in ids if each != user.lower())))
    if not ids or len(ids) > MAX_FOUND:
        abort(404)
    if len(ids) > 1:
        return _choice(tenant_of(tenant), ids)
    return redirect(url_for("users.show", tenant=tenant, user=ids[0]), 303)


@blueprint.post("/<user>")
def show_values(tenant: str, user: str) -> str:
    """Show a user with values; that the member looked at this user is recorded."""
    tenant_of(tenant)
    view = _view(tenant, user, values=True)
    if view is None:
        abort(404)
    record = reveal_scope if view.may_be_protected else reveal
    record(tenant, [user], g.member, store=hub_services().store)
    return _page(tenant, view, values=True)


def _page(tenant: str, view: UserView, *, values: bool) -> str:
    language = current_language()
    is_asked = view.now is not None and not view.now.is_unknown
    can_sync = g.member.administers(tenant) and is_object_id(view.recorded.user)
    return render_template(
        "user.html",
        tenant=tenant_of(tenant),
        view=view,
        values=values,
        answer=answers.answer_of(view, tenant, language, can_sync=can_sync),
        steps=steps.step_texts(view.now, language) if view.now else (),
        unwritten=steps.unwritten_texts(view.now.explanation, language) if view.now else {},
        comparisons=side_by_side(view.now) if view.now is not None and is_asked else (),
        agreements=answers.AGREEMENTS,
        hints=answers.HINTS,
        can_sync=can_sync,
        decides=g.member.administers(tenant) and _waits_for_decision(view),
        names=ATTRIBUTE_NAMES[language],
    )


def _waits_for_decision(view: UserView) -> bool:
    """Say whether a person decides who the user is in Skolon, or has decided it."""
    latest = view.recorded.standing.latest
    reason = None if latest is None else latest.reason
    if view.now is not None and not view.now.is_unknown:
        if view.now.decisions:
            return True
        reason = view.now.explanation.as_json()["reason"]
    return reason in (*MATCH_REASONS, Reason.UNDO_FAILED)


def _choice(tenant: Tenant, ids: list[str], told: dict[str, tuple[str, ...]] | None = None) -> str:
    """Show users to choose from; `told` is what Entra calls them, None if it was not asked."""
    services = hub_services()
    people: list[Any] = []
    for user in ids:
        report = user_report(tenant.key, user, store=services.store, limit=1)
        people.append((report, answers.STATES[report.standing.state], (told or {}).get(user, ())))
    return render_template(
        "user_choice.html",
        tenant=tenant,
        people=people,
        can_name=not told and services.gateways is not None and all(map(is_object_id, ids)),
        was_asked=told is not None,
        unnamed=0 if not told else sum(user not in told for user in ids),
    )


def _form(tenant: Tenant, who: str, *, fault: str = "") -> str:
    # A text that turns the direction of writing, or moves a cursor, is shown as what it is.
    shown = one_line(who)[:MAX_WHO]
    can_ask = hub_services().gateways is not None
    return render_template("users.html", tenant=tenant, who=shown, fault=fault, can_ask=can_ask)


def _fault(who: str) -> str:
    if not who:
        return str(gettext("Write a name, an address or an id."))
    if len(who) > MAX_WHO:
        return str(gettext("That is longer than any name or address."))
    if not who.isprintable() or not is_storable(who):
        return str(gettext("That has characters that no name or address has."))
    return ""


def _none_found(tenant: str, who: str, *, is_away: bool) -> str:
    decision = decision_about(tenant, who, store=hub_services().store)
    if decision is not None:
        return str(
            gettext("It was decided that this user in Skolon is left alone. No user in Entra belongs to it.")
        )
    if hub_services().gateways is None:
        return str(
            gettext("This Data Hub cannot ask Entra and Skolon. Ids and EPPNs that a run has seen are found.")
        )
    if is_away:
        return str(
            gettext(
                "Entra or Skolon does not answer just now. Until then only ids and EPPNs that a run has seen "
                "are found. Try again in a few minutes."
            )
        )
    return str(gettext("No user was found. Look at the spelling, or try the address in place of the name."))


def _view(tenant: str, user: str, *, values: bool) -> UserView | None:
    """Return a user as the member may see it: for a reader, one that a rule leaves out is not there."""
    if not _is_id(user):
        abort(404)
    services = hub_services()
    view = view_user(tenant, user, values=values, store=services.store, gateways=services.gateways)
    if view is not None and view.may_be_protected and not g.member.administers(tenant):
        return None
    return view


def _shown(tenant: str, ids: list[str], *, is_id: bool = False) -> list[str]:
    """Return those of the users found that the member may see.

    An id that was typed is taken for a user's until Entra is asked.
    """
    services, sees_all = hub_services(), g.member.administers(tenant)
    if len(ids) == 1 and (is_id or not sees_all):
        return ids if _view(tenant, ids[0], values=False) is not None else []
    if not ids or sees_all:
        return ids
    return not_protected(tenant, ids, store=services.store, gateways=services.gateways)


def _has_history(tenant: str, user: str) -> bool:
    """Say whether a run has reached the user."""
    return bool(user_report(tenant, user, store=hub_services().store, limit=1).history)


def _is_id(user: str) -> bool:
    return len(user) <= MAX_WHO and user.isprintable() and is_storable(user)
