"""The answers that do not come from the SCIM server itself: JSON, SCIM errors, and broken ones."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.skolon.faults import Fault

SCIM_MEDIA_TYPE = "application/scim+json"
ERROR_SCHEMA = "urn:ietf:params:scim:api:messages:2.0:Error"

_ERROR_PAGE = (
    "<!doctype html><html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>\n"
)


def json_response(
    body: object,
    *,
    status: int = 200,
    media_type: str = "application/json",
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return ``body`` as JSON."""
    return Response(json.dumps(body), status=status, mimetype=media_type, headers=dict(headers or {}))


def scim_error(
    status: int, detail: str, *, scim_type: str | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """Return an error as RFC 7644 section 3.12 has it; ``status`` is a string in its body."""
    body: dict[str, Any] = {"schemas": [ERROR_SCHEMA], "status": str(status), "detail": detail}
    if scim_type is not None:
        body["scimType"] = scim_type
    return json_response(body, status=status, media_type=SCIM_MEDIA_TYPE, headers=headers)


def faulty_response(fault: Fault) -> Response:
    """Return what a fault of kind ``status``, ``html`` or ``not_json`` answers with."""
    headers = {} if fault.retry_after is None else {"Retry-After": fault.retry_after}
    if fault.kind == "html":
        page = _ERROR_PAGE.format(status=fault.status)
        return Response(page, status=fault.status, mimetype="text/html", headers=headers)
    if fault.kind == "not_json":
        return Response("All is well.\n", status=200, mimetype=SCIM_MEDIA_TYPE, headers=headers)
    if fault.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="SCIM", error="invalid_token"'
    return scim_error(fault.status, fault.detail, scim_type=fault.scim_type, headers=headers)
