"""Turns Graph's responses into errors: by status and `code`, never by `message`, which is not shown (P6)."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from clients.http.errors import FailureCategory, TransportFailure
from clients.http.redaction import safe_code, safe_request_id
from clients.http.retry_after import retry_after
from clients.http.session import is_client_error, json_object
from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind
from schemas.errors import (
    DeltaLinkExpiredError,
    Dependency,
    FailureKind,
    HaltError,
    PageTokenExpiredError,
    TransientError,
    UpdateSyncError,
)
from schemas.outcomes import Cause

if TYPE_CHECKING:
    from clients.http.session import Response

_EXPIRED_PAGE: Final = frozenset({"Directory_ExpiredPageToken", "DirectoryPageTokenNotFoundException"})
_LOST_STATE: Final = frozenset(range(400, 410)) - {401, 403}
_NO_SYNC_STATE: Final = "syncstatenotfound"
#: With these Graph refuses a delta link that it has forgotten, under several codes.
_REFUSED_LINK: Final = frozenset({400, 404, 409, 410})
#: With these Graph now and then refuses a page in the middle of a list, and gives it when asked again.
_STRAY: Final = frozenset({400, 403, 404})
_TRY_LATER: Final = frozenset({404, 403, 408, 425, 429})

#: The form of Graph's codes.
_WORD: Final = re.compile(r"[A-Za-z0-9_.-]{1,80}\Z", re.ASCII)
_CLAIMS: Final = re.compile(r'claims="([A-Za-z0-9+/=_-]+)"', re.ASCII)


def transport_error(failure: TransportFailure) -> HaltError | TransientError:
    """Turn the lack of an answer into an error of ours."""
    if failure.category is FailureCategory.ADDRESS:
        detail = Detail(
            DetailKind.ADDRESS_IN_SETTING, setting="UPDATE_SYNC_GRAPH_URL", problem=failure.message
        )
        return HaltError(Cause.GRAPH_QUERY, detail)
    return TransientError(Dependency.GRAPH, failure.message, kind=failure.kind)


def unreadable(response: Response, why: Detail) -> TransientError:
    """Return the error for an answer of success that is not what Graph promises."""
    return TransientError(
        Dependency.GRAPH,
        _said(response, Detail(DetailKind.HTTP_STATUS_BUT, status=response.status_code, why=why)),
        status=response.status_code,
        kind=FailureKind.UNREADABLE,
    )


def error_code(response: Response) -> str | None:
    """Return `error.code` of Graph's error object, None when there is none: then it may not be Graph's.

    To decide by, and not to be shown: `safe_code` says what may be.
    """
    body = json_object(response) or {}
    error = body.get("error")
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, str) and _WORD.match(code) else None


def response_error(response: Response, *, is_next_page: bool = False) -> UpdateSyncError:
    """Turn an answer that is no success into an error of ours.

    403 and 404 count only in Graph's own form: in another's they come from something on the way. A refusal of
    a list's next page may pass: the pages before it were given.
    """
    status, code = response.status_code, error_code(response)
    may_pass = is_next_page and status in _STRAY
    said = _said(response, _in_words(status, code))
    if status == HTTPStatus.UNAUTHORIZED:
        return HaltError(Cause.ENTRA_CREDENTIALS, Detail(DetailKind.GRAPH_TOKEN_REFUSED, answer=said))
    if status == HTTPStatus.GONE or (status == HTTPStatus.BAD_REQUEST and code in _EXPIRED_PAGE):
        return PageTokenExpiredError(said)
    if status == HTTPStatus.FORBIDDEN and code is not None:
        return HaltError(
            Cause.ENTRA_PERMISSION,
            Detail(DetailKind.GRAPH_PERMISSION_MISSING, answer=said),
            status=status,
            may_pass=may_pass,
        )
    # 501 in Graph's form means that it will never do this (RFC 9110 section 15.6.2).
    refused = is_client_error(status) or (status == HTTPStatus.NOT_IMPLEMENTED and code is not None)
    if not refused or (status in _TRY_LATER and (status != HTTPStatus.NOT_FOUND or code is None)):
        wait = retry_after(response.headers.get("Retry-After"), now=dt.datetime.now(dt.UTC))
        return TransientError(Dependency.GRAPH, said, retry_after=wait, status=status)
    return HaltError(
        Cause.GRAPH_QUERY,
        Detail(DetailKind.GRAPH_QUERY_REFUSED, answer=said),
        status=status,
        may_pass=may_pass,
    )


def delta_error(response: Response, *, is_delta_link: bool) -> UpdateSyncError:
    """Turn a delta's answer that is no success into an error of ours.

    `is_delta_link` says that a delta link was asked, and not a link to its next page. That the link has
    expired is told by 410, by 40x `syncStateNotFound`, and for a kept link by any 400, 404 or 409, since the
    link was good when it was given. A 404 that is not in Graph's form comes from something on the way.
    Nothing else tells it, for the whole directory would be read: no 401, 403, 429 or 5xx.
    """
    status, code = response.status_code, error_code(response)
    error = response_error(response, is_next_page=not is_delta_link)
    expired = (
        status == HTTPStatus.GONE
        or (status in _LOST_STATE and (code or "").lower() == _NO_SYNC_STATE)
        or (is_delta_link and status in _REFUSED_LINK and not isinstance(error, TransientError))
    )
    return DeltaLinkExpiredError(_said(response, _in_words(status, code))) if expired else error


def claims_challenge(header: str | None) -> str | None:
    """Return the claims that a `WWW-Authenticate` header asks for, as JSON text for msal.

    https://learn.microsoft.com/entra/identity-platform/claims-challenge has the form: base64 in
    `claims="…"` beside `error="insufficient_claims"`.
    """
    if header is None or "insufficient_claims" not in header:
        return None
    match = _CLAIMS.search(header)
    if match is None:
        return None
    url_encoded = match[1].rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(url_encoded + "=" * (-len(url_encoded) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None


def _in_words(status: int, code: str | None) -> Detail:
    if code is None:
        return Detail(DetailKind.HTTP_STATUS, status=status)
    return Detail(DetailKind.HTTP_STATUS_AND_CODE, status=status, code=safe_code(code))


def _said(response: Response, answer: Detail) -> Detail:
    request_id = safe_request_id(response.headers.get("request-id"))
    if request_id is None:
        return answer
    return Detail(DetailKind.WITH_REQUEST_ID, answer=answer, request_id=request_id)
