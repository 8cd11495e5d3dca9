"""The second opinion on what Skolon must hold: against examples by hand, and against the cases."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.municipality.expectation import (
    Attributes,
    after_sync,
    attributes_of,
    expected_users,
    other_values,
)
from sandbox.municipality.municipality import Municipality
from sandbox.municipality.tenant import tenant_settings

TENANT = tenant_settings(entra_tenant_id="t", client_id="c", client_secret="s", organisation="o")  # noqa: S106 - made up
EXTENSION = "urn:ietf:params:scim:schemas:extension:skolon:2.0:User"

SKOLON: dict[str, Any] = {
    "id": "1",
    "externalId": "entra-1",
    "userName": "bo@kommun.example",
    "name": {"givenName": "Bo", "familyName": "Ek"},
    "active": True,
    "emails": [{"value": "privat@hem.example", "type": "home"}, {"value": "bo@k.example", "type": "work"}],
    "phoneNumbers": [{"value": "1", "type": "home"}, {"value": "2", "type": "mobile"}],
    "addresses": [{"type": "home", "streetAddress": "Gatan 1", "locality": "Byn", "postalCode": "12345"}],
    EXTENSION: {"eppn": "BO@k.example", "idpIdentifier": "bo", "ssn": "x", "birthDate": "2010-02-03"},
}
BEFORE: Attributes = {
    "external_id": "entra-1",
    "user_name": "bo@kommun.example",
    "email": "bo@k.example",
    "idp_identifier": "bo",
    "first_name": "Bo",
    "last_name": "Ek",
    "city": "Byn",
    "address": "Gatan 1",
    "zip_code": "12345",
    "birth_date": "2010-02-03",
    "home_phone": "1",
    "mobile_phone": "2",
    "eppn": "BO@k.example",
    "ssn": "x",
}


def test_attributes_are_read_from_their_places() -> None:
    """Each of the fourteen is found where SCIM has it, and other people's entries are not taken for it."""
    assert attributes_of(SKOLON) == BEFORE


def test_an_empty_user_has_fourteen_blanks() -> None:
    """Nothing at all is fourteen times nothing."""
    assert set(attributes_of({}).values()) == {None}
    assert len(attributes_of({})) == 14


def test_what_belongs_to_others_is_told_apart() -> None:
    """Entries of other types are none of the sync's business."""
    assert other_values(SKOLON) == {
        "id": "1",
        "active": True,
        "emails": [{"value": "privat@hem.example", "type": "home"}],
        "phoneNumbers": [],
        "addresses": [],
    }


def test_blank_values_leave_everything_as_it_was() -> None:
    """P5: an Entra user with nothing but blanks changes nothing."""
    blank = {"id": "entra-1", "otherMails": ["", " "], "city": "  ", "givenName": None, "surname": ""}
    assert after_sync(blank, BEFORE, TENANT) == BEFORE


@pytest.mark.parametrize(
    ("entra", "changed"),
    [
        ({"mail": "bo@k.example"}, {"user_name": "bo@k.example", "idp_identifier": "bo@k.example"}),
        (
            {"mail": " ", "otherMails": ["", " ny@k.example ", "z@k.example"]},
            dict.fromkeys(("user_name", "email", "idp_identifier", "eppn"), "ny@k.example"),
        ),
        (
            {"userPrincipalName": "upn@k.example"},
            dict.fromkeys(("user_name", "idp_identifier", "eppn"), "upn@k.example"),
        ),
        ({"onPremisesImmutableId": "abc="}, {"idp_identifier": "abc="}),
        ({"mobilePhone": "070"}, {"home_phone": "070", "mobile_phone": "070"}),
        ({"birthday": "2011-05-06T00:00:00Z"}, {"birth_date": "2011-05-06"}),
        ({"birthday": "0001-01-01T00:00:00Z"}, {}),
        ({"onPremisesExtensionAttributes": {"extensionAttribute1": "20130101TF01"}}, {"ssn": "20130101TF01"}),
        ({"onPremisesExtensionAttributes": None}, {}),
        (
            {"city": "Å", "streetAddress": "Ä", "postalCode": "1"},
            {"city": "Å", "address": "Ä", "zip_code": "1"},
        ),
    ],
)
def test_the_guides_table(entra: dict[str, Any], changed: dict[str, str]) -> None:
    """The first source that is not blank wins, row by row."""
    assert after_sync({"id": "entra-1"} | entra, BEFORE, TENANT) == BEFORE | changed


def test_people_differ_exactly_where_they_are_to_be_updated() -> None:
    """Who is expected unchanged is right already, and who is expected updated is not."""
    municipality = Municipality(500, seed=5)
    expected = expected_users(municipality, TENANT)
    for person in municipality:
        held = {user["id"]: attributes_of(user) for user in person.skolon}
        # Of two who claim one Skolon user, the other one may have it.
        if person.reason != "collision" and person.claims is not None and person.claims in held:
            differs = held[person.claims] not in expected[person.claims]
            assert differs == (person.outcome == "updated" or bool(person.unwritten)), person.case


def test_nobody_out_of_reach_is_expected_to_change() -> None:
    """Skolon users that no Entra user claims stay as they are."""
    municipality = Municipality(100, seed=5)
    expected = expected_users(municipality, TENANT)
    claimed = {person.claims for person in municipality}
    unclaimed = [user for user in municipality.skolon_users() if user["id"] not in claimed]
    assert {user["id"] for user in municipality.strangers()} <= {user["id"] for user in unclaimed}
    assert all(expected[user["id"]] == [attributes_of(user)] for user in unclaimed)


def test_only_pairs_may_end_in_two_ways() -> None:
    """There is one end state, except for users with two claims."""
    municipality = Municipality(300, seed=5)
    several = {i for i, states in expected_users(municipality, TENANT).items() if len(states) > 1}
    assert several == {p.claims for p in municipality if p.case == "one_eppn_two_in_entra"}
