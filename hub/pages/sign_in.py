"""Signing in by a link, and signing out."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Final

from flask import Blueprint, g, redirect, render_template, request, session, url_for
from flask_babel import lazy_gettext as _

from hub.access import SESSION_COOKIE
from hub.services import hub_services
from schemas.hub.session import SESSION_LIFETIME, LinkFault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask_babel.speaklater import LazyString
    from werkzeug.wrappers import Response

blueprint = Blueprint("sign_in", __name__)

#: What is wrong with a link, and what to do.
_FAULTS: Final[Mapping[LinkFault, tuple[LazyString, LazyString]]] = {
    LinkFault.UNKNOWN: (
        _("This link does not work"),
        _("It may not be complete. Copy the whole link, or ask for a new one."),
    ),
    LinkFault.USED: (
        _("This link has been used"),
        _("Each link works once. Ask for a new one. If it was not you who used it, say so."),
    ),
    LinkFault.TOO_OLD: (
        _("This link is too old"),
        _("A link works for ten minutes. Ask for a new one."),
    ),
    LinkFault.TOO_MANY: (
        _("Too many links did not work"),
        _("Wait ten minutes, and then try again."),
    ),
}


@blueprint.get("/sign-in")
def show() -> str:
    """Show how to sign in; with a link, a button that uses it: programs that preview links press none."""
    return render_template("sign_in.html", token=request.args.get("link", ""))


@blueprint.post("/sign-in")
def use() -> tuple[str, int] | Response:
    """Use a link up and start a session, or say why the link does not work."""
    result = hub_services().sign_in.use_link(request.form.get("link", ""), _address())
    if isinstance(result, LinkFault):
        heading, advice = _FAULTS[result]
        status = 429 if result is LinkFault.TOO_MANY else 403
        return render_template("sign_in.html", token="", heading=heading, advice=advice), status
    # A form that was made before belongs to another user of the browser.
    session.clear()
    answer = redirect(url_for("syncs.overview"), 303)
    answer.set_cookie(
        SESSION_COOKIE,
        result,
        max_age=SESSION_LIFETIME,
        samesite="Lax",
        httponly=True,
        secure=request.is_secure,
    )
    return answer


@blueprint.post("/sign-out")
def sign_out() -> Response:
    """End this session."""
    hub_services().sign_in.sign_out(request.cookies[SESSION_COOKIE], g.member)
    return _signed_out()


@blueprint.post("/sign-out-everywhere")
def sign_out_everywhere() -> Response:
    """End all sessions of the member."""
    hub_services().sign_in.sign_out_everywhere(g.member)
    return _signed_out()


def _signed_out() -> Response:
    session.clear()
    answer = redirect(url_for("sign_in.show"), 303)
    answer.delete_cookie(SESSION_COOKIE, samesite="Lax", httponly=True, secure=request.is_secure)
    return answer


def _address() -> str:
    """Return the browser's address: what a proxy on this machine says of it, or who is connected."""
    address = request.remote_addr or ""
    named = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    try:
        if named and ipaddress.ip_address(address).is_loopback:
            return str(ipaddress.ip_address(named))
    except ValueError:
        pass
    return address
