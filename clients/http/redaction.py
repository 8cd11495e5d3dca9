"""Quotes only values of known forms from responses.

A server or proxy can put personal data into an error code or a request id. What is quoted ends in logs,
receipts and dead letters (promise P6).
"""

from __future__ import annotations

import re
from typing import Final

#: Stands for what is of no known form.
REDACTED: Final = "(not shown)"

#: Codes are identifiers of a few words; five digits in a row may be a personal number.
_CODE: Final = re.compile(r"(?!.*\d{5})[A-Za-z][A-Za-z0-9_]{1,63}\Z", re.ASCII)

#: A GUID, with or without its hyphens (32 digits), as request ids and trace ids are.
_REQUEST_ID: Final = re.compile(r"[0-9A-Fa-f]{8}-?(?:[0-9A-Fa-f]{4}-?){3}[0-9A-Fa-f]{12}\Z", re.ASCII)

#: RFC 7644 section 3.12, table 9.
_SCIM_TYPES: Final = frozenset(
    {
        "invalidFilter",
        "tooMany",
        "uniqueness",
        "mutability",
        "invalidSyntax",
        "invalidPath",
        "noTarget",
        "invalidValue",
        "invalidVers",
        "sensitive",
    }
)


def safe_code(code: str) -> str:
    """Return a code of an error, or what stands for one that is not to be shown."""
    return code if _CODE.match(code) else REDACTED


def safe_request_id(request_id: object) -> str | None:
    """Return the id of a request, None for what has not the form of one."""
    return request_id if isinstance(request_id, str) and _REQUEST_ID.match(request_id) else None


def safe_scim_type(scim_type: object) -> str | None:
    """Return SCIM's word for an error; None if there is none."""
    if not isinstance(scim_type, str):
        return None
    return scim_type if scim_type in _SCIM_TYPES else REDACTED
