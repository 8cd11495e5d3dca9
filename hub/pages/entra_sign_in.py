"""Signing in by Microsoft Entra: to Entra, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import Blueprint, abort, redirect, render_template, request
from flask_babel import lazy_gettext as _

from administration.hub.entra_sign_in import ATTEMPT_LIFETIME, EntraSignIn, SignedIn
from hub.language import local_address
from hub.pages.sign_in import LINK_FAULTS, client_address, signed_in
from hub.services import hub_services
from schemas.hub.entra import EntraFault
from schemas.hub.session import LinkFault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask_babel.speaklater import LazyString
    from werkzeug.wrappers import Response

blueprint = Blueprint("entra_sign_in", __name__)

#: What a browser keeps between the way to Entra and the way back, encrypted.
_ATTEMPT_COOKIE: Final = "update_sync_entra"
_COOKIE_PATH: Final = "/sign-in/entra"

#: Characters of what Entra sends back: its codes have about 1,500.
_MAX_FIELD: Final = 8_000

#: What was wrong, what to do, and the status.
_FAULTS: Final[Mapping[EntraFault, tuple[LazyString, LazyString, int]]] = {
    EntraFault.NOT_BEGUN: (
        _("This sign-in was begun elsewhere, or too long ago"),
        _("Go to the start page and sign in again, in one browser and within ten minutes."),
        400,
    ),
    EntraFault.REFUSED: (
        _("Microsoft Entra has not signed you in"),
        _("Try again. If Entra says that you need an approval, ask the administrator of Entra."),
        403,
    ),
    EntraFault.AWAY: (
        _("Microsoft Entra does not answer"),
        _("Try again in a few minutes."),
        503,
    ),
    EntraFault.MISCONFIGURED: (
        _("Signing in by Microsoft Entra is not set up right"),
        _("Tell the person who invited you. Skolon's operators find in their log what is wrong."),
        502,
    ),
    EntraFault.NO_ROLE: (
        _("Your account has no role in the Data Hub"),
        _("Ask the administrator of Entra to give you one of the roles of the application."),
        403,
    ),
    EntraFault.NO_MEMBER: (
        _("Your account is not invited yet"),
        _(
            "Ask an organisation administrator of your organisation for a link, or Skolon if there is none"
            " yet, and choose Microsoft Entra on its page."
        ),
        403,
    ),
}


@blueprint.get("/sign-in/entra")
def begin() -> tuple[str, int] | Response:
    """Send the browser to Entra; it comes back to `page`, and `link` is an invitation to accept."""
    page = local_address(request.args.get("page", ""))
    begun = _entra().begin(page=page, link=request.args.get("link", "")[:_MAX_FIELD])
    if isinstance(begun, EntraFault):
        return _refused(begun)
    answer = redirect(begun.address, 303)
    answer.set_cookie(
        _ATTEMPT_COOKIE,
        begun.attempt,
        max_age=ATTEMPT_LIFETIME,
        path=_COOKIE_PATH,
        # Entra's page leads back here: a stricter cookie would stay behind.
        samesite="Lax",
        httponly=True,
        secure=request.is_secure,
    )
    return answer


@blueprint.get("/sign-in/entra/done")
def finish() -> tuple[str, int] | Response:
    """Start a session for the account that Entra vouches for, or say why there is none."""
    entra = _entra()
    response = {name: value[:_MAX_FIELD] for name, value in request.args.items()}
    result = entra.finish(request.cookies.get(_ATTEMPT_COOKIE, ""), response, address=client_address())
    if not isinstance(result, SignedIn):
        return _refused(result)
    answer = signed_in(result.token, local_address(result.page))
    answer.delete_cookie(
        _ATTEMPT_COOKIE, path=_COOKIE_PATH, samesite="Lax", httponly=True, secure=request.is_secure
    )
    return answer


def _entra() -> EntraSignIn:
    entra = hub_services().entra
    if entra is None:
        abort(404)
    return entra


def _refused(fault: EntraFault | LinkFault) -> tuple[str, int]:
    heading, advice, status = (*LINK_FAULTS[fault], 403) if isinstance(fault, LinkFault) else _FAULTS[fault]
    return render_template("sign_in.html", link="", heading=heading, advice=advice), status
