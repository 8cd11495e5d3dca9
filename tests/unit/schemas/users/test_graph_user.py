"""A user as Graph gives it: tolerant of what was not asked for, strict about what was."""

from __future__ import annotations

from typing import Any, Final

import pytest
from hypothesis import given

from schemas.dead_letter_reasons import Reason
from schemas.errors import PermanentError
from schemas.outcomes import Stage
from schemas.users.attributes import EXTENSION_ATTRIBUTES
from schemas.users.graph_user import TEXT_SOURCES, GraphUser, is_entra_id, load_graph_user
from tests.unit.schemas.arbitrary import JSON, MARKER, objects, refusal

ID: Final = "00000000-0000-4000-8000-000000000001"

PROPERTIES: Final = (
    *(source for source in TEXT_SOURCES if source not in EXTENSION_ATTRIBUTES),
    "onPremisesExtensionAttributes",
    "accountEnabled",
    "userType",
    "birthday",
)


def load(data: object) -> GraphUser | PermanentError:
    try:
        return load_graph_user(data)
    except PermanentError as error:
        return error


@given(data=objects(*PROPERTIES), with_id=JSON)
def test_any_json_has_an_answer(data: object, with_id: object) -> None:
    """Whatever Graph says, it is a user or `invalid_user`; P6: the refusal tells no value."""
    for candidate in (
        data,
        {**data, "id": with_id} if isinstance(data, dict) else with_id,
        {"id": ID, "mail": data},
    ):
        answer = load(candidate)
        if isinstance(answer, PermanentError):
            assert (answer.reason, answer.stage) == (Reason.INVALID_USER, Stage.VALIDATE)
            assert MARKER not in refusal(answer)
        else:
            texts = [text for source in TEXT_SOURCES for text in answer.texts(source) or ()]
            assert all(text and text == text.strip() for text in texts)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"id": None}, "id"),
        ({"id": ""}, "id"),
        ({"id": 1}, "id"),
        ({"id": "a b"}, "id"),
        ({"id": "a/b"}, "id"),
        ({"id": "å"}, "id"),
        ({"id": "a\n"}, "id"),
        ({"id": "a" * 101}, "id"),
        ({"mail": 1}, "mail"),
        ({"mail": ["a"]}, "mail"),
        ({"mail": "a" * 1025}, "mail"),
        ({"otherMails": "a@b.example"}, "otherMails"),
        ({"otherMails": ["a", 1]}, "otherMails.1"),
        ({"otherMails": ["a"] * 251}, "otherMails"),
        ({"onPremisesExtensionAttributes": []}, "onPremisesExtensionAttributes"),
        (
            {"onPremisesExtensionAttributes": {"extensionAttribute3": 3}},
            "onPremisesExtensionAttributes.extensionAttribute3",
        ),
        ({"accountEnabled": "true"}, "accountEnabled"),
        ({"accountEnabled": 1}, "accountEnabled"),
        ({"userType": False}, "userType"),
        ({"givenName": {}}, "givenName"),
    ],
)
def test_a_wrong_type_is_named_by_its_field(change: dict[str, Any], field: str) -> None:
    """A property that is not what Graph promises makes the user invalid, and is named."""
    answer = load({"id": ID, **change})
    assert isinstance(answer, PermanentError)
    assert {line.partition(":")[0] for line in answer.detail.split("; ")} == {field}


def test_a_user_without_id_is_invalid() -> None:
    """Nobody can be synced without an id."""
    answer = load({"mail": "a@b.example"})
    assert isinstance(answer, PermanentError)
    assert answer.detail.startswith("id: ")


@pytest.mark.parametrize("nothing", [None, [], [None], ["", " "]])
def test_no_other_address_is_an_empty_list(nothing: list[str | None] | None) -> None:
    """A list that is null, and entries that are, are as good as none: they make no user invalid."""
    user = load({"id": ID, "otherMails": nothing})
    assert isinstance(user, GraphUser)
    assert user.texts("otherMails") == ()


def test_every_fault_is_named_at_once() -> None:
    """A user with several faults is refused once, with all of them."""
    answer = load({"id": 1, "mail": 2, "otherMails": 3, "city": []})
    assert isinstance(answer, PermanentError)
    assert {line.partition(":")[0] for line in answer.detail.split("; ")} == {
        "id",
        "mail",
        "otherMails",
        "city",
    }


def test_what_was_not_asked_for_is_let_through() -> None:
    """Properties, annotations and extension attributes that we do not know do no harm."""
    extra = {
        "@odata.type": "#x",
        "displayName": 7,
        "onPremisesExtensionAttributes": {"extensionAttribute16": 1},
    }
    answer = load({"id": ID, **extra})
    assert isinstance(answer, GraphUser)
    assert isinstance(answer, GraphUser)
    assert answer.texts("jobTitle") is None
    assert answer.texts("jobTitle") is None


@pytest.mark.parametrize("property_name", ["mail", "userPrincipalName", "streetAddress"])
def test_the_longest_values_are_taken(property_name: str) -> None:
    """1,024 characters, and an otherMails of 250, are what Graph may give."""
    answer = load({"id": ID, property_name: "å" * 1024, "otherMails": ["b" * 250] * 250})
    assert isinstance(answer, GraphUser)
    assert answer.texts(property_name) == ("å" * 1024,)
    assert len(answer.texts("otherMails") or ()) == 250


def test_not_given_is_not_blank() -> None:
    """What Graph left out is unknown, and what it gave as null is blank."""
    answer = load({"id": ID, "mail": None})
    assert isinstance(answer, GraphUser)
    assert answer.texts("mail") == ()
    assert answer.texts("city") is None
    assert answer.texts("extensionAttribute1") is None


@given(value=JSON)
def test_is_entra_id_says_what_the_user_schema_says(value: object) -> None:
    """An id passes alone exactly when it passes within a user."""
    assert is_entra_id(value) is isinstance(load({"id": value}), GraphUser)
