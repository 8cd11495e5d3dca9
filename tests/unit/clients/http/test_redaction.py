"""What is quoted of others' answers: known forms alone."""

from __future__ import annotations

import pytest

from clients.http.redaction import REDACTED, safe_code, safe_request_id, safe_scim_type


@pytest.mark.parametrize(
    "code",
    [
        "Request_ResourceNotFound",
        "Directory_ExpiredPageToken",
        "InvalidAuthenticationToken",
        "syncStateNotFound",
        "invalid_client",
        "MailboxNotEnabledForRESTAPI",
    ],
)
def test_codes_of_known_form_are_shown(code: str) -> None:
    """A word that Microsoft documents is quoted as it is."""
    assert safe_code(code) == code


@pytest.mark.parametrize(
    "code", ["199001019802", "19900101-9802", "anna.andersson", "anna@example.com", "a" * 65, "X\x1b[2J", ""]
)
def test_codes_of_other_forms_are_not(code: str) -> None:
    """P6: possible numbers, names and addresses are mentioned, and not quoted."""
    assert safe_code(code) == REDACTED
    assert safe_request_id(code) is None
    assert safe_scim_type(code) == REDACTED


def test_ids_of_requests_are_guids() -> None:
    """A request is named by a GUID, with hyphens or without; scimType by a word of RFC 7644's table."""
    for request_id in ("6a1c0c3e-0000-4000-8000-00000000aaaa", "6a1c0c3e00004000800000000000aaaa"):
        assert safe_request_id(request_id) == request_id
    assert safe_request_id(None) is None
    assert safe_scim_type("uniqueness") == "uniqueness"
    assert safe_scim_type("Andersson") == REDACTED
    assert safe_scim_type(None) is None
