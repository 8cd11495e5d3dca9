"""What Skolon's answers mean: one table from status and request to what happens next.

Of an error's body only `scimType` is looked at (RFC 7644 section 3.12, a closed list of words);
`detail` may hold somebody's values and goes nowhere (promise P6).
"""

from __future__ import annotations

import datetime as dt
import re
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from clients.faults import Fault, Trouble
from clients.http import json_object
from clients.retry_after import retry_after
from schemas.errors import (
    Dependency,
    FailureKind,
    HaltError,
    PermanentError,
    TransientError,
    UpdateSyncError,
    VersionConflictError,
)
from schemas.outcomes import Cause, Reason, Stage
from schemas.scim import ERROR_RESPONSE

if TYPE_CHECKING:
    import requests


class SkolonUserGoneError(UpdateSyncError):
    """The Skolon user that was to be changed is no longer there (HTTP 404)."""


class NoAnswerError(TransientError):
    """Nothing answered at all: that says nothing about what was asked for."""


class Step(Enum):
    """What was asked for; the same status means different things."""

    FIND = auto()
    READ = auto()
    UPDATE = auto()


_TRY_LATER: Final = frozenset({408, 425, 429})
_SCIM_TYPE: Final = re.compile(r"[A-Za-z]{1,40}\Z", re.ASCII)

_ADDRESS_ADVICE: Final = "check the tenant's organisation and UPDATE_SYNC_SKOLON_SCIM_URL"


def fault_error(fault: Fault) -> HaltError | TransientError:
    """Turn the lack of an answer into an error of ours."""
    if fault.trouble is Trouble.ADDRESS:
        return HaltError(Cause.SKOLON_CREDENTIALS, f"Skolon: {fault.words}; {_ADDRESS_ADVICE}")
    return NoAnswerError(Dependency.SKOLON, fault.words, kind=fault.kind)


def unreadable(response: requests.Response, why: str) -> TransientError:
    """Return the error for an answer of success that is not what SCIM promises."""
    return TransientError(
        Dependency.SKOLON,
        f"HTTP {response.status_code}, but {why}",
        status=response.status_code,
        kind=FailureKind.UNREADABLE,
    )


def answer_error(response: requests.Response, step: Step, *, update_has_worked: bool) -> UpdateSyncError:  # noqa: PLR0911 - one table
    """Turn an answer that is no success into an error of ours.

    `update_has_worked` says whether this process has changed a user of that organisation before:
    then a 403 is about this user, and otherwise about our rights (promise P7).
    """
    status = response.status_code
    match status, step:
        case 401, _:
            return HaltError(
                Cause.SKOLON_CREDENTIALS,
                "Skolon does not take the token (HTTP 401); check UPDATE_SYNC_SKOLON_TOKEN, or client id and "
                "secret",
            )
        case 403, Step.UPDATE if update_has_worked:
            return _rejected(response, Stage.UPDATE)
        case 403, _:
            what = "change" if step is Step.UPDATE else "read"
            return HaltError(
                Cause.SKOLON_PERMISSION,
                f"Skolon does not let us {what} users of this organisation (HTTP 403); the credentials need "
                "the right to",
            )
        case 404, _ if _is_scim(response):
            return _not_found(step)
        case 412, _:
            return VersionConflictError("the Skolon user has changed since it was read (HTTP 412)")
        case _ if status in _TRY_LATER or not 400 <= status < 500 or status == 404:  # noqa: PLR2004 - statuses
            return TransientError(
                Dependency.SKOLON,
                f"HTTP {status}",
                retry_after=retry_after(response.headers.get("Retry-After"), now=dt.datetime.now(dt.UTC)),
                status=status,
            )
    return _rejected(response, Stage.UPDATE if step is Step.UPDATE else Stage.MATCH)


def is_missing(response: requests.Response) -> bool:
    """Say whether Skolon says that there is no such user, rather than something on the way to it."""
    return response.status_code == 404 and _is_scim(response)  # noqa: PLR2004 - a status


def _not_found(step: Step) -> UpdateSyncError:
    if step is Step.UPDATE:
        return SkolonUserGoneError("the Skolon user is no longer there (HTTP 404)")
    return HaltError(
        Cause.SKOLON_CREDENTIALS, f"Skolon knows no users at this address (HTTP 404); {_ADDRESS_ADVICE}"
    )


def _is_scim(response: requests.Response) -> bool:
    """Say whether the answer comes from a SCIM server: a gateway whose server is away sends pages."""
    if not response.content:
        return True
    body = json_object(response)
    schemas = None if body is None else body.get("schemas")
    return isinstance(schemas, list) and ERROR_RESPONSE in schemas


def _rejected(response: requests.Response, stage: Stage) -> PermanentError:
    body = json_object(response) or {}
    scim_type = body.get("scimType")
    told = isinstance(scim_type, str) and _SCIM_TYPE.match(scim_type)
    detail = f"HTTP {response.status_code} {scim_type}" if told else f"HTTP {response.status_code}"
    return PermanentError(Reason.REJECTED_BY_SKOLON, stage, detail)
