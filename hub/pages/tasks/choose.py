"""What can be done with users that fail: whom it is about, what each choice means, and its button."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext

from administration.dead_letters.set_aside import groups_aside, have_back_once, set_aside_once
from administration.dead_letters.tasks.requests import MAX_NOTE, chosen_users, request_task_once
from hub.actions.acting import new_key, submission
from hub.addresses import reason_of, tenant_of
from hub.pages.tasks.selection import requested_selection
from hub.presentation.actions.refusals import REFUSALS
from hub.services import hub_services
from schemas.dead_letters.task import FEW, TaskKind
from schemas.errors import UsageError
from schemas.hub.action import ActionRefusedError

if TYPE_CHECKING:
    from flask_babel.speaklater import LazyString
    from werkzeug.wrappers import Response

blueprint = Blueprint("choose", __name__, url_prefix="/tenants/<tenant>/attention/<reason>/choose")

_KINDS: Final = {str(kind): kind for kind in TaskKind}


@blueprint.get("/")
def show(tenant: str, reason: str) -> str | tuple[str, int] | Response:
    """Show whom it is about, and what can be done with them; if none was ticked, that some have to be."""
    if request.args.get("ticked") and not request.args.getlist("user"):
        return redirect(url_for("attention.users", tenant=tenant, reason=reason, ticked="none"), 303)
    return _page(tenant, reason)


@blueprint.post("/")
def begin(tenant: str, reason: str) -> str | tuple[str, int] | Response:
    """Have something done with the users, once for each form, and show how it goes."""
    tenant_of(tenant)
    sent, chosen = submission(), requested_selection(tenant, reason_of(reason))
    kind = _KINDS.get(request.form.get("kind", ""))
    note = " ".join(request.form.get("note", "").split())
    if kind is None or chosen.selection is None:
        return _page(tenant, reason, fault=gettext("Choose what shall be done."))
    if kind is TaskKind.DISCARD and not (0 < len(note) <= MAX_NOTE and note.isprintable()):
        return _page(
            tenant,
            reason,
            note=note,
            note_fault=_note_fault(),
        )
    try:
        task = request_task_once(
            tenant,
            kind,
            chosen.selection,
            sent,
            store=hub_services().store,
            note=note if kind is TaskKind.DISCARD else None,
        )
    except ActionRefusedError as error:
        return _page(tenant, reason, fault=REFUSALS[error.why], note=note)
    return redirect(url_for("tasks.show", tenant=tenant, task=task), 303)


@blueprint.post("/aside")
def aside(tenant: str, reason: str) -> str | tuple[str, int] | Response:
    """Set the whole group aside until a day, once for each form."""
    tenant_of(tenant)
    sent, group = submission(), reason_of(reason)
    day, note = request.form.get("until", "").strip(), " ".join(request.form.get("aside_note", "").split())
    if len(note) > MAX_NOTE or not note.isprintable():
        return _page(tenant, reason, day=day, day_fault=_note_fault())
    try:
        set_aside_once(
            tenant, group, dt.date.fromisoformat(day), sent, note=note or None, store=hub_services().store
        )
    except ActionRefusedError as error:
        return _page(tenant, reason, day=day, fault=REFUSALS[error.why])
    except (ValueError, UsageError):
        return _page(
            tenant, reason, day=day, day_fault=gettext("Choose a day after today, at most a year ahead.")
        )
    return redirect(url_for("attention.overview", tenant=tenant), 303)


@blueprint.post("/back")
def back(tenant: str, reason: str) -> str | tuple[str, int] | Response:
    """Have a group back that was set aside, once for each form."""
    tenant_of(tenant)
    try:
        have_back_once(tenant, reason_of(reason), submission(), store=hub_services().store)
    except ActionRefusedError as error:
        return _page(tenant, reason, fault=REFUSALS[error.why])
    return redirect(url_for("attention.overview", tenant=tenant), 303)


def _note_fault() -> str:
    return str(gettext("Write why, in at most %(most)s characters.", most=MAX_NOTE))


def _page(  # noqa: PLR0913 - what was wrong, and what was written
    tenant: str,
    reason: str,
    *,
    fault: LazyString | str = "",
    note: str = "",
    note_fault: str = "",
    day: str = "",
    day_fault: str = "",
) -> str | tuple[str, int]:
    found, group, store = tenant_of(tenant), reason_of(reason), hub_services().store
    asked = requested_selection(tenant, group)
    chosen = None if asked.selection is None else chosen_users(tenant, asked.selection, store=store)
    page = render_template(
        "choose.html",
        tenant=found,
        reason=group,
        chosen=chosen,
        selection=asked.selection,
        fields=asked.fields,
        open_tasks=store.dead_letter_tasks.list(tenant, only_open=True),
        few=FEW,
        fault=fault,
        note=note,
        note_fault=note_fault,
        most=MAX_NOTE,
        day=day,
        day_fault=day_fault,
        said=groups_aside([tenant], store=store, now=dt.datetime.now(dt.UTC)).get(tenant, {}).get(group),
        keys={name: new_key() for name in (*_KINDS, "aside")},
    )
    return (page, 422) if fault or note_fault or day_fault or chosen is None else page
