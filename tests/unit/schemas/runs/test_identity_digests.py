"""Traces of EPPNs and personal numbers: equal values have equal ones, and nobody can read them."""

from __future__ import annotations

import pytest

from schemas.crypto.blind_index import BlindIndex
from schemas.crypto.encryption import FieldCipher, new_key
from schemas.errors import UsageError
from schemas.runs.identity_digests import (
    IdentityDigests,
    identity_digests_of,
    normalize_eppn,
    normalize_national_id,
)
from schemas.users.attributes import Attribute

YEAR = 2026
INDEX = BlindIndex([new_key()])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("20130102-1230", "201301021230"),
        ("130102-1230", "201301021230"),
        ("1301021230", " 20130102-1230 "),
        ("130102+1230", "191301021230"),
        ("450102-1230", "194501021230"),
        ("20130101tf01", "20130101TF01"),
        ("010203 12345", "01020312345"),
    ],
)
def test_one_number_in_two_forms_is_one(one: str, other: str) -> None:
    """Whether with century, sign, space or small letters: it is the same person's number."""
    assert normalize_national_id(one, YEAR) == normalize_national_id(other, YEAR)


@pytest.mark.parametrize(
    ("one", "other"), [("20130102-1230", "191301021230"), ("130102-1230", "130102+1230"), ("1", "2")]
)
def test_different_numbers_stay_different(one: str, other: str) -> None:
    """A hundred years apart are two people."""
    assert normalize_national_id(one, YEAR) != normalize_national_id(other, YEAR)


def test_marks_tell_equal_values_and_nothing_else() -> None:
    """P6: the EPPN counts without regard to case; another tenant, attribute or key has other marks."""
    mapped = {Attribute.EPPN: "Anna@skola.example", Attribute.SSN: "130102-1230"}
    marks = identity_digests_of(mapped, "exempel", INDEX, YEAR)
    again = {Attribute.EPPN: "anna@SKOLA.example", Attribute.SSN: "20130102-1230"}
    assert identity_digests_of(again, "exempel", INDEX, YEAR) == marks
    assert identity_digests_of(mapped, "granne", INDEX, YEAR) != marks
    assert identity_digests_of(mapped, "exempel", BlindIndex([new_key()]), YEAR) != marks
    same = dict.fromkeys((Attribute.EPPN, Attribute.SSN), "a@b")
    both = identity_digests_of(same, "exempel", INDEX, YEAR)
    assert both.eppn != both.ssn
    assert identity_digests_of({Attribute.EPPN: None}, "exempel", INDEX, YEAR) == IdentityDigests()
    assert "anna" not in str(marks).casefold()
    assert len(marks.eppn or "") == 32


def test_a_value_is_found_by_any_key() -> None:
    """Keys are rotated: what the former first key marked is among the traces of a search."""
    former, present = new_key(), new_key()
    marked = BlindIndex([former]).digest("exempel", "eppn", normalize_eppn("a@b"))
    rotated = BlindIndex([present, former])
    assert marked in rotated.digests("exempel", "eppn", normalize_eppn("A@B"))
    assert rotated.digest("exempel", "eppn", "a@b") != marked


def test_without_keys_nothing_is_looked_for() -> None:
    """What has no keys can be handed around, and says what is missing when it is used."""
    with pytest.raises(UsageError, match="UPDATE_SYNC_SECRET_KEYS"):
        FieldCipher([]).index.digest("a")
