"""Turns errors of Entra's token endpoint into plain words, by one table.

`error` decides (RFC 6749 section 5.2, and Microsoft's own words beside it). The numbers in
`error_codes` may change their meaning, says Microsoft: they are used for hints only.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from clients.http.redaction import safe_code, safe_request_id
from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind
from schemas.errors import Dependency, FailureKind, HaltError, TransientError
from schemas.outcomes import Cause

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: `error` values that say "not now" whatever the status.
_FOR_NOW: Final = frozenset(
    {"temporarily_unavailable", "server_error", "request_throttled", "service_unavailable", "slow_down"}
)

#: Of Entra's numbers, the one that pasting the wrong column leads to.
_WRONG_SECRET: Final = 7000215

_HINTS: Final[Mapping[int, DetailKind]] = {
    _WRONG_SECRET: DetailKind.WRONG_SECRET,
    700027: DetailKind.WRONG_CERTIFICATE,
    7000222: DetailKind.EXPIRED_SECRET,
    700016: DetailKind.UNKNOWN_APPLICATION,
    90002: DetailKind.NO_SUCH_DIRECTORY,
    900023: DetailKind.NO_SUCH_DIRECTORY,
    7000218: DetailKind.SECRET_MISSING,
    7000112: DetailKind.APPLICATION_DISABLED,
    53003: DetailKind.BLOCKED_BY_POLICY,
}

_BY_ERROR: Final[Mapping[str, DetailKind]] = {
    "invalid_client": DetailKind.CLIENT_REFUSED,
    "unauthorized_client": DetailKind.SIGN_IN_FORBIDDEN,
    "invalid_tenant": DetailKind.NO_SUCH_DIRECTORY,
    "invalid_scope": DetailKind.UNKNOWN_SCOPE,
    "invalid_resource": DetailKind.UNKNOWN_GRAPH,
    "access_denied": DetailKind.APPLICATION_REFUSED,
    "invalid_grant": DetailKind.APPLICATION_REFUSED,
    "interaction_required": DetailKind.POLICIES_REFUSE,
}

_WORD: Final = re.compile(r"[A-Za-z0-9_.-]{1,80}\Z", re.ASCII)
_GUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z", re.ASCII)


def token_error(response: Mapping[str, Any], *, client_secret: str) -> HaltError | TransientError:
    """Turn an error of the token endpoint into one of ours; the secret is looked at and never shown."""
    named = _word(response.get("error"))
    if named in _FOR_NOW:
        detail = Detail(DetailKind.TOKEN_ENDPOINT_BUSY, error=named or "")
        return TransientError(Dependency.ENTRA, detail, kind=FailureKind.REFUSED)
    codes = response.get("error_codes")
    numbers = [code for code in codes if isinstance(code, int)] if isinstance(codes, list) else []
    hints = [_HINTS[number] for number in numbers if number in _HINTS]
    hint = hints[0] if hints else _BY_ERROR.get(named or "", DetailKind.TOKEN_NOT_GIVEN)
    is_secret_id = _GUID.match(client_secret) and (_WRONG_SECRET in numbers or not hints)
    detail = Detail(
        DetailKind.TOKEN_REFUSED_FOR_SECRET_ID if is_secret_id else DetailKind.TOKEN_REFUSED,
        hint=Detail(hint),
        facts=_facts(named, numbers, safe_request_id(response.get("trace_id"))),
    )
    return HaltError(Cause.ENTRA_CREDENTIALS, detail)


def _facts(error: str | None, numbers: Sequence[int], trace: str | None) -> tuple[str, ...]:
    """Return what Entra's support asks for: the error, its numbers, and the id of the trace."""
    words = [Detail(DetailKind.NO_ERROR_NAMED) if error is None else safe_code(error)]
    words += [f"AADSTS{number}" for number in numbers[:3]]
    if trace is not None:
        words.append(Detail(DetailKind.TRACE_ID, id=trace))
    return tuple(words)


def _word(value: object) -> str | None:
    return value if isinstance(value, str) and _WORD.match(value) else None
