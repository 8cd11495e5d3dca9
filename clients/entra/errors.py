"""Turns errors of Entra's token endpoint into plain words, by one table.

`error` decides (RFC 6749 section 5.2, and Microsoft's own words beside it). The numbers in
`error_codes` may change their meaning, says Microsoft: they are used for hints only.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from clients.http.redaction import safe_code, safe_request_id
from schemas.errors import Dependency, FailureKind, HaltError, TransientError
from schemas.outcomes import Cause

if TYPE_CHECKING:
    from collections.abc import Mapping

#: `error` values that say "not now" whatever the status.
_FOR_NOW: Final = frozenset(
    {"temporarily_unavailable", "server_error", "request_throttled", "service_unavailable", "slow_down"}
)

_GUID_HINT: Final = "What was given looks like a GUID, and so is the Secret ID: the secret's Value is wanted."

#: Of Entra's numbers, the one that pasting the wrong column leads to.
_WRONG_SECRET: Final = 7000215

_HINTS: Final[Mapping[int, str]] = {
    _WRONG_SECRET: (
        "The client secret is wrong. Often the Secret ID has been pasted in place of the Value; the Value is "
        "shown only when a secret is made, so make a new one if it is lost."
    ),
    7000222: "The client secret has expired: make a new one in Entra and set it here.",
    700016: (
        "The application (client id) is not known in that directory: check the client id, the directory "
        "(tenant) id, and that the application has been consented to there."
    ),
    90002: "There is no such directory: check the directory (tenant) id.",
    900023: "There is no such directory: check the directory (tenant) id.",
    7000218: "The client secret is missing.",
    7000112: "The application is disabled in that directory.",
    53003: "A conditional access policy of the directory blocks the application.",
}

_BY_ERROR: Final[Mapping[str, str]] = {
    "invalid_client": "Entra does not take the client id and secret.",
    "unauthorized_client": "The application may not sign in to that directory.",
    "invalid_tenant": "There is no such directory: check the directory (tenant) id.",
    "invalid_scope": "Entra does not know the scope that is asked for: check UPDATE_SYNC_GRAPH_URL.",
    "invalid_resource": "Entra does not know the Graph that is asked for: check UPDATE_SYNC_GRAPH_URL.",
    "access_denied": "The directory refuses the application.",
    "invalid_grant": "The directory refuses the application.",
    "interaction_required": "The directory's policies refuse the application.",
}

_WORD: Final = re.compile(r"[A-Za-z0-9_.-]{1,80}\Z", re.ASCII)
_GUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z", re.ASCII)


def token_error(response: Mapping[str, Any], *, client_secret: str) -> HaltError | TransientError:
    """Turn an error of the token endpoint into one of ours; the secret is looked at and never shown."""
    named = _word(response.get("error"))
    error = named or "no error named"
    if error in _FOR_NOW:
        return TransientError(Dependency.ENTRA, f"the token endpoint says {error}", kind=FailureKind.REFUSED)
    codes = response.get("error_codes")
    numbers = [code for code in codes if isinstance(code, int)] if isinstance(codes, list) else []
    hints = [_HINTS[number] for number in numbers if number in _HINTS]
    message = hints[:1] or [_BY_ERROR.get(error, "Entra refuses to give a token.")]
    if _GUID.match(client_secret) and (_WRONG_SECRET in numbers or not hints):
        message.append(_GUID_HINT)
    facts = [safe_code(error) if named else error, *(f"AADSTS{number}" for number in numbers[:3])]
    trace = safe_request_id(response.get("trace_id"))
    if trace:
        facts.append(f"trace id {trace}")
    return HaltError(Cause.ENTRA_CREDENTIALS, f"{' '.join(message)} ({', '.join(facts)})")


def _word(value: object) -> str | None:
    return value if isinstance(value, str) and _WORD.match(value) else None
