"""The active mapping, the drafts beside it, and its history."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from flask import Blueprint, Response, abort, g, redirect, render_template, request, url_for

from administration.tenants.mapping.approval import set_approvals, to_approve
from administration.tenants.mapping.drafts import make_draft, restore_mapping, state_of, try_draft
from administration.tenants.mapping.proposals import proposals
from hub.actions.acting import may_act, new_key, submission
from hub.addresses import tenant_of
from hub.language import current_language
from hub.pages.mapping.forms import Authors, number_of
from hub.presentation import settings_texts
from hub.presentation.actions.refusals import REFUSALS
from hub.presentation.mapping.texts import SOURCES, fault_text
from hub.services import hub_services
from schemas.hub.action import ActionRefusal, ActionRefusedError, Actor
from schemas.tenants.mapping.sources import (
    MEMBER,
    InvalidMappingError,
    differing,
    dump_sources,
    read_edit,
    read_mapping,
    with_first,
)
from schemas.users.attributes import APPROVABLE_ATTRIBUTES, ATTRIBUTE_TABLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask_babel.speaklater import LazyString
    from werkzeug.wrappers import Response as AnyResponse

    from schemas.tenants.mapping.sources import Sources

blueprint = Blueprint("mapping", __name__, url_prefix="/tenants/<tenant>/mapping")

#: Bytes of a file: a mapping has one KiB.
_LARGEST_FILE: Final = 32 * 1024


@blueprint.get("/")
def show(tenant: str) -> str:
    """Show the active mapping, its drafts, and its history."""
    return _page(tenant)


@blueprint.get("/mapping.json")
def export(tenant: str) -> Response:
    """Return the active mapping as a file."""
    return mapping_file(tenant, tenant_of(tenant).sources)


@blueprint.post("/drafts")
def make(tenant: str) -> tuple[str, int] | AnyResponse:
    """Make a draft of the active mapping; with a source that is to come first, it is tried at once."""
    found, first = tenant_of(tenant), read_edit(request.form.get("first", ""))
    if first is None:
        return abort(400) if request.form.get("first") else _made(tenant, None)
    sources = with_first(found.sources, first.attribute, first.source)
    return _made(tenant, sources or abort(400), tries=True)


@blueprint.post("/import")
def from_file(tenant: str) -> tuple[str, int] | AnyResponse:
    """Make a draft of a file; nothing becomes active by that."""
    found = tenant_of(tenant)
    file = request.files.get("file")
    text = b"" if file is None else file.read(_LARGEST_FILE)
    try:
        sources = read_mapping(text, found.sources)
    except InvalidMappingError as error:
        language = current_language()
        return _page(tenant, faults=[fault_text(each, language) for each in error.faults]), 422
    return _made(tenant, sources)


@blueprint.post("/history/<change>/restore")
def restore(tenant: str, change: str) -> tuple[str, int] | AnyResponse:
    """Make the mapping active again as it was before, or after, a change."""
    tenant_of(tenant)
    sent, store = submission(), hub_services().store
    found = store.mapping_changes.get(tenant, number_of(change)) or abort(404)
    side = request.form.get("side", "")
    if side not in {"before", "after"}:
        abort(400)
    sources = found.before if side == "before" else found.after
    if to_approve(tenant_of(tenant), sources):
        # It needs a second person: so it is drafted.
        return _made(tenant, sources)
    try:
        restore_mapping(tenant, sources, request.form.get("active", ""), sent, store=store)
    except ActionRefusedError as error:
        status = 412 if error.why is ActionRefusal.CHANGED_MEANWHILE else 422
        return _page(tenant, refusal=REFUSALS[error.why]), status
    return redirect(url_for("mapping.show", tenant=tenant, done="restored"), 303)


@blueprint.post("/approvals")
def approvals(tenant: str) -> tuple[str, int] | AnyResponse:
    """Set which attributes need a second person's approval."""
    tenant_of(tenant)
    chosen = [each for each in APPROVABLE_ATTRIBUTES if each in request.form.getlist("attribute")]
    seen = [each for each in APPROVABLE_ATTRIBUTES if each in request.form.get("seen", "").split(" ")]
    try:
        draft = set_approvals(
            tenant, chosen, submission(), role=g.member.role, seen=seen, store=hub_services().store
        )
    except ActionRefusedError as error:
        status = 412 if error.why is ActionRefusal.CHANGED_MEANWHILE else 422
        return _page(tenant, refusal=REFUSALS[error.why]), status
    if draft is not None:
        return redirect(url_for("drafts.show", tenant=tenant, draft=draft), 303)
    return redirect(url_for("mapping.show", tenant=tenant, done="approvals", _anchor="approvals"), 303)


def mapping_file(tenant: str, sources: Sources) -> Response:
    """Return a mapping as a file that `from_file` takes."""
    text = json.dumps({MEMBER: dump_sources(sources)}, indent=2)
    answer = Response(f"{text}\n", mimetype="application/json")
    answer.headers["Content-Disposition"] = f'attachment; filename="{tenant}-mapping.json"'
    return answer


def _made(tenant: str, sources: Sources | None, *, tries: bool = False) -> tuple[str, int] | AnyResponse:
    """Make a draft once, and lead to it; `tries` it on all users if that can be done from here."""
    services, sent = hub_services(), submission()
    try:
        draft = make_draft(tenant, sources, sent, store=services.store)
        made = services.store.mapping_drafts.get(tenant, draft)
        if tries and made is not None and services.broker is not None:
            trial = replace(sent, key=f"{sent.key[:90]}-trial")
            try_draft(made, trial, store=services.store, publisher=services.broker)
    except ActionRefusedError as error:
        return _page(tenant, refusal=REFUSALS[error.why]), 422
    anchor = "forecast" if tries else None
    return redirect(url_for("drafts.show", tenant=tenant, draft=draft, _anchor=anchor), 303)


def _page(tenant: str, *, faults: Sequence[str] = (), refusal: LazyString | str = "") -> str:
    found, store = tenant_of(tenant), hub_services().store
    authors, facts = Authors(tenant), store.source_facts.latest(tenant)
    changes = store.mapping_changes.list(tenant)
    return render_template(
        "mapping/overview.html",
        tenant=found,
        attributes=settings_texts.attribute_settings(found),
        sources=SOURCES,
        table=ATTRIBUTE_TABLE,
        facts=facts,
        proposals={} if facts is None else proposals(facts, found.sources),
        drafts=[
            (draft, differing(found.sources, draft.sources), authors.name(draft.updated_by))
            for draft in store.mapping_drafts.list(tenant)
        ],
        changes=[
            (
                change,
                differing(change.before, change.after),
                authors.name(change.by, change.operator),
                "" if change.approved_by is None else authors.name(Actor(member=change.approved_by)),
            )
            for change in changes
        ],
        may_try=may_act(tenant),
        approvable=APPROVABLE_ATTRIBUTES,
        to_approve=lambda sources: to_approve(found, sources),
        active=state_of(found.sources),
        can_go_back=bool(changes) and changes[0].after == found.sources,
        faults=faults,
        refusal=refusal,
        done=request.args.get("done", "") if request.method == "GET" else "",
        key=new_key(),
    )
