"""Error pages: what happened, what to do, and an id that the log has too."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import structlog
from flask import render_template
from flask_babel import lazy_gettext as _
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from hub.api.problems import asks_api, problem
from hub.request_log import incident_id
from schemas.errors import Dependency, TransientError, error_location

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Flask
    from flask_babel.speaklater import LazyString

_log = structlog.get_logger(__name__)

#: Seconds after which a browser may ask again while a service is away.
_RETRY_AFTER: Final = "10"

#: A heading and what to do, by status.
_TEXTS: Final[Mapping[int, tuple[LazyString, LazyString]]] = {
    400: (
        _("The page could not take what was sent"),
        _("The form may be too old. Go back, load the page again, and try once more."),
    ),
    403: (
        _("You may not see this page"),
        _("Ask the person who invited you to give you the right."),
    ),
    404: (
        _("There is no such page"),
        _("The address may be mistyped, or it belongs to an organisation that you do not see."),
    ),
    405: (
        _("This page cannot be used in that way"),
        _("Go to the start page and follow the links from there."),
    ),
    409: (
        _("That cannot be done here"),
        _("This Data Hub is not connected to the rest of the sync."),
    ),
    413: (
        _("That is too much for this page"),
        _("Send less, and try again."),
    ),
    500: (
        _("Something went wrong here"),
        _("It is our fault. Go back, and try again in a minute."),
    ),
    503: (
        _("A service that this page needs is away"),
        _("Nothing is lost: the sync goes on by itself. Load the page again in a minute."),
    ),
}

#: What more is known if it is one of these.
_AWAY: Final[Mapping[Dependency, tuple[LazyString, LazyString]]] = {
    Dependency.DATABASE: (_("The database is away"), _TEXTS[503][1]),
    Dependency.BROKER: (
        _("A part of the sync is away"),
        _("Go back and press the button again in a minute. What was done already is not done twice."),
    ),
}

_CLIENT_ERROR: Final = 400
_SERVER_ERROR: Final = 500
_UNAVAILABLE: Final = 503

Answer = tuple[str, int, dict[str, str]]


def install_errors(app: Flask) -> None:
    """Give an app its error pages."""
    app.register_error_handler(CSRFError, _refused_form)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(TransientError, _service_away)
    app.register_error_handler(Exception, _bug)


def _refused_form(_error: CSRFError) -> Answer:
    return error_page(_CLIENT_ERROR)


def _http_error(error: HTTPException) -> HTTPException | Answer:
    status = error.code or _SERVER_ERROR
    if status < _CLIENT_ERROR:
        # A redirect is no error: Flask raises some of them.
        return error
    if asks_api():
        # What is wrong with a parameter: marshmallow's messages repeat no value.
        methods = sorted(getattr(error, "valid_methods", None) or ())
        allow = {"Allow": ", ".join(methods)} if status == HTTPStatus.METHOD_NOT_ALLOWED else {}
        return problem(status, allow, errors=getattr(error, "data", {}).get("messages"))
    return error_page(status)


def _service_away(error: TransientError) -> Answer:
    # The detail is ours, and names no value (`store/database_errors.py`).
    _log.error("page_failed", incident=incident_id(), dependency=error.dependency, detail=error.detail)
    return error_page(_UNAVAILABLE, {"Retry-After": _RETRY_AFTER}, texts=_AWAY.get(error.dependency))


def _bug(error: Exception) -> Answer:
    # Without its text, which may hold a personal value (P6).
    _log.error("page_failed", incident=incident_id(), error=type(error).__name__, place=error_location(error))
    return error_page(_SERVER_ERROR)


def error_page(
    status: HTTPStatus | int,
    headers: Mapping[str, str] | None = None,
    *,
    texts: tuple[LazyString, LazyString] | None = None,
) -> Answer:
    """Return the page for an error status, which is that of 400 or 500 if it has no own one.

    `texts` are the heading and what to do, if the status does not say enough.

    Programs get a problem detail in its place.
    """
    if asks_api():
        return problem(int(status), headers)
    known = int(status)
    if known not in _TEXTS:
        known = _CLIENT_ERROR if known < _SERVER_ERROR else _SERVER_ERROR
    heading, advice = texts or _TEXTS[known]
    page = render_template(
        "error.html",
        heading=heading,
        advice=advice,
        needs_help=known >= _SERVER_ERROR or known == HTTPStatus.CONFLICT,
        incident=incident_id(),
    )
    return page, int(status), dict(headers or {})
