"""Signing in by a link, and signing out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import Blueprint, g, redirect, render_template, request, session, url_for
from flask_babel import lazy_gettext as _
from flask_wtf.csrf import CSRFError

from hub.access import SESSION_COOKIE
from hub.client_address import client_network
from hub.errors import error_page
from hub.services import hub_services
from schemas.hub.session import SESSION_LIFETIME, LinkFault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask_babel.speaklater import LazyString
    from werkzeug.wrappers import Response

    from hub.errors import Answer

blueprint = Blueprint("sign_in", __name__)

#: What is wrong with a link, and what to do.
LINK_FAULTS: Final[Mapping[LinkFault, tuple[LazyString, LazyString]]] = {
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
        _("Ask for a new link and copy the whole of it. A link that is right works at once."),
    ),
}


@blueprint.get("/sign-in")
def show() -> tuple[str, int] | str | Response:
    """Show how to sign in; with a link, a button that uses it: programs that preview links press none."""
    link = request.args.get("link", "")
    if (g.member is not None and not link) or _is_used_here(link):
        return redirect(url_for("syncs.overview"), 303)
    fault = hub_services().sign_in.link_fault(link) if link else None
    invited = hub_services().sign_in.member_of_link(link) if link else None
    if fault is None and link and invited is None:
        # Removed in the same moment.
        fault = LinkFault.UNKNOWN
    if fault is not None:
        return _refused(fault)
    return render_template("sign_in.html", link=link, invited=invited)


@blueprint.post("/sign-in")
def use() -> tuple[str, int] | Response:
    """Use a link up and start a session, or say why the link does not work."""
    link = request.form.get("link", "")
    if _is_used_here(link):
        return redirect(url_for("syncs.overview"), 303)
    # The form's own secret, which the check of the form has found: it tells this browser from others.
    result = hub_services().sign_in.use_link(
        link, browser=str(session.get("csrf_token", "")), address=client_address()
    )
    return _refused(result) if isinstance(result, LinkFault) else signed_in(result)


@blueprint.errorhandler(CSRFError)
def refuse_form(_error: CSRFError) -> Answer | Response:
    """Refuse a form that is not ours, but not the second click on one whose first click has signed in."""
    if request.endpoint == "sign_in.use" and _is_used_here(request.form.get("link", "")):
        return redirect(url_for("syncs.overview"), 303)
    return error_page(400)


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


def client_address() -> str:
    """Return where the browser of the current request is."""
    return client_network(
        request.remote_addr or "", request.headers.get("X-Forwarded-For", ""), hub_services().proxies
    )


def signed_in(token: str, page: str = "/") -> Response:
    """Return the answer that starts a session in the browser and leads to a page of ours."""
    # A form that was made before belongs to another user of the browser.
    session.clear()
    answer = redirect(page, 303)
    answer.set_cookie(
        SESSION_COOKIE,
        token,
        max_age=SESSION_LIFETIME,
        samesite="Lax",
        httponly=True,
        secure=request.is_secure,
    )
    return answer


def _refused(fault: LinkFault) -> tuple[str, int]:
    heading, advice = LINK_FAULTS[fault]
    status = 429 if fault is LinkFault.TOO_MANY else 403
    return render_template("sign_in.html", link="", heading=heading, advice=advice), status


def _is_used_here(link: str) -> bool:
    """Say whether a link has signed in who is signed in here: a second click needs no answer but the page."""
    sign_in = hub_services().sign_in
    if g.member is None or sign_in.link_fault(link) is not LinkFault.USED:
        return False
    invited = sign_in.member_of_link(link)
    return invited is not None and invited.id == g.member.id


def _signed_out() -> Response:
    session.clear()
    answer = redirect(url_for("sign_in.show"), 303)
    answer.delete_cookie(SESSION_COOKIE, samesite="Lax", httponly=True, secure=request.is_secure)
    return answer
