"""What keeps pages safe in a browser: headers, and a token in every form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit, urlunsplit

from flask import request
from flask.sessions import SecureCookieSessionInterface
from flask_wtf.csrf import CSRFProtect
from werkzeug.routing import RequestRedirect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask import Flask, Response

#: Bytes of a request: forms here have a few short fields.
_MAX_REQUEST: Final = 64 * 1024

#: All comes from here; nothing is written into a page but text.
#: Designsystemet draws the marks of its fields with images in the style sheet itself.
_CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)

_HEADERS: Final = {
    "Content-Security-Policy": _CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # The address of the sign-in page has a secret in it. Forms behind TLS need their own origin's.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

#: Behind TLS, a year (RFC 6797).
_STRICT_TRANSPORT_SECURITY: Final = "max-age=31536000"


class _FormCookie(SecureCookieSessionInterface):
    """The cookie that forms belong to; behind TLS it goes over TLS alone."""

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002 - Flask's signature
        return request.is_secure


def install_security(app: Flask, cookie_keys: Sequence[bytes]) -> None:
    """Have an app sign its cookies, refuse forms that it did not make, and send the headers."""
    app.config.update(
        SECRET_KEY=cookie_keys[0],
        SECRET_KEY_FALLBACKS=list(cookie_keys[1:]),
        SESSION_COOKIE_NAME="update_sync_form",
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_HTTPONLY=True,
        MAX_CONTENT_LENGTH=_MAX_REQUEST,
        MAX_FORM_MEMORY_SIZE=_MAX_REQUEST,
        # A form is good for as long as the session that it belongs to.
        WTF_CSRF_TIME_LIMIT=None,
    )
    app.session_interface = _FormCookie()
    CSRFProtect(app)
    app.after_request(_add_headers)
    app.after_request(_leave_host_out)


def _add_headers(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = _STRICT_TRANSPORT_SECURITY
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def _leave_host_out(response: Response) -> Response:
    """Make Flask's own redirects relative, which are to the same page: it takes the request's host."""
    if isinstance(request.routing_exception, RequestRedirect) and response.location:
        parts = urlsplit(response.location)
        response.location = urlunsplit(("", "", f"/{parts.path.lstrip('/')}", parts.query, ""))
    return response
