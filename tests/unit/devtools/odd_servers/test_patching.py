"""The odd servers change users as RFC 7644 section 3.5.2 says, so that what they do else is odd alone."""

from __future__ import annotations

from typing import Any

import pytest

from devtools.odd_servers.patching import RefusedPatchError, apply, targets

URN = "urn:ietf:params:scim:schemas:extension:skolon:2.0:User"


def user() -> dict[str, Any]:
    return {
        "userName": "a",
        "name": {"givenName": "A", "familyName": "B"},
        "emails": [{"type": "work", "value": "a"}, {"type": "home", "value": "h"}],
        URN: {"eppn": "a"},
    }


@pytest.mark.parametrize(
    ("operation", "changed"),
    [
        ({"op": "replace", "path": "username", "value": "b"}, {"userName": "b"}),
        (
            {"op": "replace", "path": "name.givenName", "value": "C"},
            {"name": {"givenName": "C", "familyName": "B"}},
        ),
        ({"op": "replace", "path": f"{URN}:eppn", "value": "b"}, {URN: {"eppn": "b"}}),
        ({"op": "add", "path": URN, "value": {"ssn": "1"}}, {URN: {"eppn": "a", "ssn": "1"}}),
        (
            {"op": "replace", "path": 'emails[type eq "WORK"].value', "value": "b"},
            {"emails": [{"type": "work", "value": "b"}, {"type": "home", "value": "h"}]},
        ),
        ({"op": "remove", "path": 'emails[type eq "work"]'}, {"emails": [{"type": "home", "value": "h"}]}),
        ({"op": "replace", "path": "emails", "value": [{"value": "b"}]}, {"emails": [{"value": "b"}]}),
        (
            {"op": "add", "path": "addresses", "value": [{"type": "home"}]},
            {"addresses": [{"type": "home"}]},
        ),
        (
            {"op": "replace", "value": {"userName": "b", "name": {"familyName": "C"}, URN: {"eppn": "b"}}},
            {"userName": "b", "name": {"givenName": "A", "familyName": "C"}, URN: {"eppn": "b"}},
        ),
    ],
)
def test_an_operation_changes_what_it_names(operation: dict[str, Any], changed: dict[str, Any]) -> None:
    """What the operation does not name stays as it is."""
    patched = user()
    for target in targets(operation):
        apply(patched, target)
    assert patched == user() | changed


@pytest.mark.parametrize(
    ("operation", "scim_type"),
    [
        ({"op": "replace", "path": 'emails[type eq "other"].value', "value": "b"}, "noTarget"),
        ({"op": "replace", "path": 'emails[value co "b"]', "value": "b"}, "invalidPath"),
        ({"op": "replace", "value": "b"}, "invalidValue"),
    ],
)
def test_an_operation_that_cannot_be_done_is_refused(operation: dict[str, Any], scim_type: str) -> None:
    """The refusal says why, in the words of RFC 7644 section 3.12."""
    patched = user()
    with pytest.raises(RefusedPatchError, match=scim_type):
        apply(patched, next(iter(targets(operation))))
