"""Whether a value that belongs to one user may be written, from the facts about who has it."""

from __future__ import annotations

import pytest

from schemas.users.attributes import Attribute
from tests.unit.workers.factories import skolon_user
from workers.rules.uniqueness import (
    Availability,
    Holder,
    availability,
    is_temporary,
    others_with,
    temporary_value,
)

EPPN = Attribute.EPPN
ME, SMALLER, GREATER = "b", "a", "c"


def holder(account: str | None = GREATER, wanted: str | None = "new@k.example", **further: bool) -> Holder:
    return Holder(
        skolon_id="s1", account=account, wanted=wanted, is_expected=further.get("is_expected", True)
    )


@pytest.mark.parametrize(
    ("holders", "is_ring", "expected"),
    [
        ([], False, Availability.FREE),
        ([holder()], False, Availability.AWAITED),
        ([holder(account=SMALLER)], False, Availability.AWAITED),
        ([holder(account=None)], False, Availability.TAKEN),
        ([holder(wanted=None)], False, Availability.TAKEN),
        ([holder(wanted="VALUE@k.example")], False, Availability.TAKEN),
        ([holder(is_expected=False)], False, Availability.TAKEN),
        ([holder()], True, Availability.TEMPORARY),
        ([holder(), holder(account="d")], True, Availability.TEMPORARY),
        ([holder(account=SMALLER)], True, Availability.AWAITED),
        ([holder(), holder(account=SMALLER)], True, Availability.AWAITED),
    ],
)
def test_what_becomes_of_a_value(
    holders: list[Holder],
    is_ring: bool,  # noqa: FBT001 - one column of the table
    expected: Availability,
) -> None:
    """A holder that gives the value up is awaited; of a ring the account with the smallest id makes way."""
    found = availability(EPPN, "value@k.example", user_id=ME, holders=holders, is_ring=is_ring)
    assert found is expected


@pytest.mark.parametrize("attribute", [Attribute.SSN, Attribute.EXTERNAL_ID])
def test_a_number_has_no_temporary_value(attribute: Attribute) -> None:
    """Two who swap personal numbers are for a person to look at."""
    found = availability(attribute, "value", user_id=ME, holders=[holder()], is_ring=True)
    assert found is Availability.TAKEN


@pytest.mark.parametrize(
    ("held", "expected"),
    [("anna@k.example", "id-1@k.example"), ("+rQBBoEOUNG==", "id-1"), (None, "id-1")],
)
def test_a_temporary_value_is_nobodys(held: str | None, expected: str) -> None:
    """It is made of the Entra id and the domain, and of no name."""
    assert temporary_value("id-1", held) == expected


@pytest.mark.parametrize(
    ("attribute", "held", "expected"),
    [
        (EPPN, "id-1@k.example", True),
        (EPPN, "ID-1@other.example", True),
        (EPPN, "anna@k.example", False),
        (EPPN, None, False),
        (Attribute.IDP_IDENTIFIER, "id-1", True),
        (Attribute.EXTERNAL_ID, "id-1", False),
    ],
)
def test_a_temporary_value_is_known_by_its_looks(
    attribute: Attribute,
    held: str | None,
    expected: bool,  # noqa: FBT001 - one column of the table
) -> None:
    """Whichever run wrote it; an External Id is always the Entra id."""
    assert is_temporary(attribute, "id-1", held) is expected


def test_others_are_found_without_case() -> None:
    """The user itself is no other, and one that was found twice is one."""
    users = [skolon_user(each, eppn="A@k.example") for each in ("s2", "s1", "s2", "s3")]
    found = others_with([*users, skolon_user("s4", eppn="b@k.example")], EPPN, "a@K.example", but="s3")
    assert [user.id for user in found] == ["s1", "s2"]
