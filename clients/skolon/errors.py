"""Turns Skolon's responses into errors: one table from status and operation.

Of an error's body only `scimType` is looked at (RFC 7644 section 3.12, a closed list of words);
`detail` may hold personal values and is not used (promise P6).
"""

from __future__ import annotations

import datetime as dt
from enum import Enum, auto
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from clients.http.errors import FailureCategory, TransportFailure
from clients.http.redaction import safe_scim_type
from clients.http.retry_after import retry_after
from clients.http.session import is_client_error, json_object
from schemas.dead_letter_reasons import Reason
from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind
from schemas.errors import (
    Dependency,
    FailureKind,
    HaltError,
    PermanentError,
    TransientError,
    UnreachableError,
    UpdateSyncError,
    VersionConflictError,
)
from schemas.outcomes import Cause, Stage
from schemas.users.scim import ERROR_RESPONSE

if TYPE_CHECKING:
    import requests


class UserNotFoundError(UpdateSyncError):
    """The Skolon user to update no longer exists (HTTP 404)."""


class RejectedError(PermanentError):
    """Skolon refuses a request about one user.

    `concerns_values` says that one of the sent values may be why: then the others may be taken without it.
    `is_taken` says that another Skolon user has the value, and `is_read_only` that the server never changes
    one of the attributes. `concerns_form` says that it may not know this form of a PATCH.
    """

    def __init__(self, stage: Stage, detail: str, *, status: int, scim_type: str | None = None) -> None:
        super().__init__(Reason.REJECTED_BY_SKOLON, stage, detail)
        self.is_read_only = scim_type == "mutability"
        self.concerns_values = status in _ABOUT_VALUES or self.is_read_only
        self.is_taken = status == HTTPStatus.CONFLICT
        self.concerns_form = status in _ABOUT_FORMS and scim_type not in _SCIM_TYPES_OF_VALUES


class NoResponseError(TransientError):
    """The request was sent, and no complete response came."""


class UnreadableUserError(TransientError):
    """A user that Skolon has found is no valid SCIM user; the others in the response may be valid."""


class Operation(Enum):
    """What was asked for; the same status means different things."""

    SEARCH = auto()
    READ = auto()
    UPDATE = auto()

    @property
    def stage(self) -> Stage:
        """The stage of the pipeline that sends the request."""
        return Stage.UPDATE if self is Operation.UPDATE else Stage.MATCH

    @property
    def cause(self) -> Cause:
        """What halts the run if the server cannot do this."""
        return Cause.SKOLON_UPDATE if self is Operation.UPDATE else Cause.SKOLON_SEARCH


#: Statuses by which servers refuse a value (RFC 7644 section 3.12 has 400 and 409, RFC 9110 has 422).
_ABOUT_VALUES: Final = frozenset({400, 409, 422})

#: Statuses by which servers refuse a form of PATCH, and words that say that it is not the form.
_ABOUT_FORMS: Final = frozenset({400, 422})
_SCIM_TYPES_OF_VALUES: Final = frozenset({"invalidValue", "uniqueness", "mutability", "sensitive"})

_TRY_LATER: Final = frozenset({408, 425, 429})


def transport_error(failure: TransportFailure, stage: Stage | None) -> HaltError | TransientError:
    """Turn the lack of an answer into an error of ours; `stage` of a request for one single user."""
    if failure.category is FailureCategory.ADDRESS:
        return HaltError(Cause.SKOLON_CREDENTIALS, Detail(DetailKind.SKOLON_ADDRESS, problem=failure.message))
    if not failure.reached:
        return UnreachableError(Dependency.SKOLON, failure.message, kind=failure.kind)
    return NoResponseError(Dependency.SKOLON, failure.message, kind=failure.kind, stage=stage)


def unreadable(response: requests.Response, why: Detail, operation: Operation) -> TransientError:
    """Return the error for an answer of success that is not what SCIM promises."""
    return TransientError(
        Dependency.SKOLON,
        Detail(DetailKind.HTTP_STATUS_BUT, status=response.status_code, why=why),
        status=response.status_code,
        kind=FailureKind.UNREADABLE,
        stage=operation.stage,
        repeated_cause=operation.cause,
    )


def response_error(  # noqa: PLR0911 - one table
    response: requests.Response, operation: Operation, *, update_has_worked: bool
) -> UpdateSyncError:
    """Turn an answer that is no success into an error of ours.

    `update_has_worked` says whether this process has changed a user of that organisation before:
    then a 403 is about this user, and otherwise about our rights (promise P7).
    """
    status = response.status_code
    wait = retry_after(response.headers.get("Retry-After"), now=dt.datetime.now(dt.UTC))
    match status, operation:
        case 401, _:
            return HaltError(
                Cause.SKOLON_CREDENTIALS,
                Detail(DetailKind.SKOLON_TOKEN_REFUSED),
                status=status,
                stage=operation.stage,
            )
        case 403, Operation.UPDATE if update_has_worked:
            return _rejected(response, Stage.UPDATE)
        case 403, _:
            is_update = operation is Operation.UPDATE
            return HaltError(
                Cause.SKOLON_PERMISSION,
                Detail(DetailKind.SKOLON_CHANGE_FORBIDDEN if is_update else DetailKind.SKOLON_READ_FORBIDDEN),
                status=status,
                stage=operation.stage,
            )
        case 404, _ if _is_scim(response):
            return _not_found(operation)
        case 412, _:
            return VersionConflictError("the Skolon user has changed since it was read (HTTP 412)")
        case _ if status in _TRY_LATER or not is_client_error(status) or status == HTTPStatus.NOT_FOUND:
            return TransientError(
                Dependency.SKOLON,
                _said(response),
                retry_after=wait,
                status=status,
                # A requested pause concerns all users.
                stage=None if status in _TRY_LATER or wait is not None else operation.stage,
                repeated_cause=operation.cause if _is_unsupported(status) else None,
            )
    return _rejected(response, operation.stage)


def _is_unsupported(status: int) -> bool:
    """Say whether a status is no outage: the server does not do it (501), or it has moved (3xx)."""
    return (
        status == HTTPStatus.NOT_IMPLEMENTED or HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST
    )


def is_missing(response: requests.Response) -> bool:
    """Say whether Skolon says that there is no such user, rather than something on the way to it."""
    return response.status_code == HTTPStatus.NOT_FOUND and _is_scim(response)


def _not_found(operation: Operation) -> UpdateSyncError:
    if operation is Operation.UPDATE:
        return UserNotFoundError("the Skolon user is no longer there (HTTP 404)")
    return HaltError(
        Cause.SKOLON_CREDENTIALS,
        Detail(DetailKind.SKOLON_KNOWS_NO_USERS),
        status=404,
        stage=operation.stage,
    )


def _is_scim(response: requests.Response) -> bool:
    """Say whether the answer comes from a SCIM server: a gateway whose server is away sends pages."""
    if not response.content:
        return True
    body = json_object(response)
    schemas = None if body is None else body.get("schemas")
    return isinstance(schemas, list) and ERROR_RESPONSE in schemas


def _rejected(response: requests.Response, stage: Stage) -> RejectedError:
    return RejectedError(stage, _said(response), status=response.status_code, scim_type=_scim_type(response))


def _scim_type(response: requests.Response) -> str | None:
    return safe_scim_type((json_object(response) or {}).get("scimType"))


def _said(response: requests.Response) -> Detail:
    scim_type = _scim_type(response)
    if scim_type is None:
        return Detail(DetailKind.HTTP_STATUS, status=response.status_code)
    return Detail(DetailKind.HTTP_STATUS_AND_CODE, status=response.status_code, code=scim_type)
