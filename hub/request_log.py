"""The log of requests: which route answered what, and how fast; no address, no query, no value (P6)."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING

import structlog
from flask import g, request

if TYPE_CHECKING:
    from flask import Flask, Response

_log = structlog.get_logger(__name__)


def install_request_log(app: Flask) -> None:
    """Log each request of an app, with an id that its error page shows."""
    app.before_request(_begin)
    app.after_request(_log_request)


def incident_id() -> str:
    """Return the id of the current request, which the log and an error page have in common."""
    if "incident" not in g:
        g.incident = secrets.token_hex(6)
    return str(g.incident)


def _begin() -> None:
    g.began = time.monotonic()


def _log_request(response: Response) -> Response:
    if request.endpoint == "static":
        return response
    began = g.get("began")
    member, token = g.get("member"), g.get("api_token")
    _log.info(
        "page_served",
        # The route and not the address: whatever a browser asks for would stand in the log.
        route=request.endpoint or "none",
        method=request.method if request.endpoint else "none",
        status=response.status_code,
        seconds=None if began is None else round(time.monotonic() - began, 3),
        member=None if member is None else member.id,
        **({} if token is None else {"api_token": token.id}),
        incident=g.get("incident"),
    )
    return response
