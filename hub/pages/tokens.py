"""Tokens for programs that ask the API: made and ended by those who act for the tenant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from flask_babel import gettext

from administration.hub.api_tokens import MAX_LABEL, end_token, make_token
from hub.addresses import tenant_of
from hub.services import hub_services
from schemas.errors import UsageError
from schemas.safe_text import one_line

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from administration.hub.api_tokens import NewToken

blueprint = Blueprint("tokens", __name__, url_prefix="/tenants/<tenant>/tokens")


@blueprint.get("/")
def overview(tenant: str) -> str:
    """Show the tenant's tokens, without their secrets."""
    return _page(tenant)


@blueprint.post("/")
def make(tenant: str) -> str | tuple[str, int]:
    """Make a token and show its secret, this once."""
    label = request.form.get("label", "")
    try:
        made = make_token(
            tenant, label, g.member, may_act="may_act" in request.form, store=hub_services().store
        )
    except UsageError:
        fault = gettext(
            "Write what it is for, in at most %(count)s characters, and not the same as for another token. "
            "At most 50 can be there.",
            count=MAX_LABEL,
        )
        return _page(tenant, label=one_line(label)[:MAX_LABEL], fault=fault), 422
    return _page(tenant, made=made)


@blueprint.post("/<token>/end")
def end(tenant: str, token: str) -> Response:
    """End a token at once."""
    number = int(token) if token.isascii() and token.isdigit() and len(token) < 10 else 0  # noqa: PLR2004 - an id
    if not end_token(tenant, number, g.member, store=hub_services().store):
        abort(404)
    return redirect(url_for("tokens.overview", tenant=tenant), 303)


def _page(tenant: str, *, made: NewToken | None = None, label: str = "", fault: str = "") -> str:
    found, store = tenant_of(tenant), hub_services().store
    names = {member.id: member.name for member in store.hub_members.list()}
    return render_template(
        "tokens.html",
        tenant=found,
        tokens=store.hub_api_tokens.list(tenant),
        names=names,
        made=made,
        label=label,
        fault=fault,
        longest=MAX_LABEL,
    )
