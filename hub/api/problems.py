"""Problem details (RFC 9457): what the API answers in place of an error page."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, NoReturn

from flask import abort, request
from marshmallow import Schema, fields
from werkzeug.exceptions import HTTPException

from hub.request_log import incident_id

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Every address of the API begins so, and so do those that are none of it.
PREFIX: Final = "/api/"

CONTENT_TYPE: Final = "application/problem+json"

_DETAILS: Final[Mapping[int, str]] = {
    401: "Send a token of the tenant: Authorization: Bearer TOKEN. It is made in the Data Hub.",
    400: "The body is not JSON.",
    403: "The token reads, and may not act. One that may is made in the Data Hub.",
    404: "There is no such thing, or it belongs to a tenant that the token does not read.",
    405: "The resource does not take this method.",
    409: "It cannot be done as things stand: `errors` says why.",
    412: "It was changed since it was read: read it again.",
    413: "That is too much.",
    422: "A parameter is wrong: `errors` says which.",
    503: "A service that is needed is away. Ask again in a moment.",
}


class ProblemSchema(Schema):
    """Problem details."""

    type = fields.String(required=True, metadata={"description": "Always about:blank: the status says it."})
    title = fields.String(required=True, metadata={"description": "The status in words."})
    status = fields.Integer(required=True)
    detail = fields.String(metadata={"description": "What to do, in English."})
    incident = fields.String(required=True, metadata={"description": "Stands in the server's log, too."})
    errors = fields.Dict(
        keys=fields.String(), metadata={"description": "What is wrong, by where it was sent and its name."}
    )


def asks_api() -> bool:
    """Whether the current request is one of the API."""
    return request.path.startswith(PREFIX)


def refuse(status: int, **reasons: str) -> NoReturn:
    """End the request with a problem; `reasons` are its errors by name."""
    try:
        abort(status)
    except HTTPException as error:
        error.data = {"messages": {name: [str(text)] for name, text in reasons.items()}}  # type: ignore[attr-defined] # as webargs leaves it
        raise


def problem(
    status: int, headers: Mapping[str, str] | None = None, *, errors: Any = None
) -> tuple[str, int, dict[str, str]]:
    """Return the answer for an error status."""
    try:
        title = HTTPStatus(status).phrase
    except ValueError:
        title = "Error"
    body: dict[str, Any] = {"type": "about:blank", "title": title, "status": status}
    if status in _DETAILS:
        body["detail"] = _DETAILS[status]
    body["incident"] = incident_id()
    if errors:
        body["errors"] = errors
    extra = {"WWW-Authenticate": "Bearer"} if status == HTTPStatus.UNAUTHORIZED else {}
    return json.dumps(body), status, {"Content-Type": CONTENT_TYPE, **extra, **(headers or {})}
