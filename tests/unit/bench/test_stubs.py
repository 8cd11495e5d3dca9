"""The stubs' answers, without a network: they have to be right before they are fast."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from bench.stubs.http import Request
from bench.stubs.patching import patched
from bench.stubs.skolon import EXTENSION, SkolonStub
from bench.stubs.users import Person, Population, entra_id

POPULATION = Population(number=5, people=100, stale=10, absent=10)


def request(method: str, path: str, *, body: Any = None, head: bytes = b"", **query: str) -> Request:
    text = "&".join(f"{name}={quote(value)}" for name, value in query.items())
    return Request(method, path, text, head, b"" if body is None else json.dumps(body).encode())


def answer(stub: SkolonStub, asked: Request) -> tuple[int, Any]:
    head, _, body = stub.answer(asked).partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body) if body else None


@pytest.fixture
def skolon() -> SkolonStub:
    stub = SkolonStub()
    answer(stub, request("POST", "/bench/population", body=vars(POPULATION)))
    return stub


def found(skolon: SkolonStub, text: str) -> list[str]:
    status, body = answer(skolon, request("GET", "/scim/p5/Users", filter=text))
    assert status == 200
    assert body["totalResults"] == len(body["Resources"])
    return [user["id"] for user in body["Resources"]]


def person(index: int) -> Person:
    return Person(number=5, index=index)


def test_one_filter_finds_many_people_once_each(skolon: SkolonStub) -> None:
    """Each person is found by any of their values, and is there once however many of them were named."""
    terms = [
        f'externalId eq "{entra_id(5, 16)}"',
        f'{EXTENSION}:eppn eq "{person(16).address.upper()}"',
        f'userName eq "{person(12).address}"',
        f'emails.value eq "{person(13).address}"',
        f'{EXTENSION}:idpIdentifier eq "{person(14).address}"',
        f'{EXTENSION}:idpIdentifier eq "{person(15).address.upper()}"',
        f'userName eq "{Person(number=6, index=12).address}"',
        'userName eq "nobody"',
    ]
    assert found(skolon, " or ".join(terms)) == ["s16", "s12", "s13", "s14"]


def test_absent_people_are_not_found(skolon: SkolonStub) -> None:
    """Skolon does not know a tenth of them."""
    terms = " or ".join(f'externalId eq "{entra_id(5, index)}"' for index in range(100))
    assert len(found(skolon, terms)) == 90


def test_users_are_found_by_id_and_listed_without_a_filter(skolon: SkolonStub) -> None:
    """The sync reads a page of all users when it finds out what a server can do."""
    assert found(skolon, 'id eq "s16" or id eq "s0" or id eq "x"') == ["s16"]
    status, page = answer(skolon, request("GET", "/scim/p5/Users", startIndex="2", count="3"))
    assert (status, page["totalResults"], len(page["Resources"])) == (200, 90, 3)


@pytest.mark.parametrize(
    "text", ["", 'userName ne "x"', 'userName eq "x" and userName eq "y"', 'title eq "x"']
)
def test_a_filter_that_it_does_not_know_is_refused(skolon: SkolonStub, text: str) -> None:
    """A filter that the stub does not know is an error, and finds no user."""
    assert answer(skolon, request("GET", "/scim/p5/Users", filter=text or "x"))[0] == 400


def test_what_was_changed_is_held_and_found(skolon: SkolonStub) -> None:
    """A change has a new version; the old one is refused, and a search goes by the new value."""
    patch = {"Operations": [{"op": "replace", "path": "userName", "value": "user.16@p5.elsewhere.invalid"}]}
    path = "/scim/p5/Users/s16"
    head = b'PATCH x HTTP/1.1\r\nIf-Match: W/"1"'
    status, body = answer(skolon, request("PATCH", path, body=patch, head=head))
    assert (status, body["meta"]["version"]) == (200, 'W/"2"')
    assert answer(skolon, request("PATCH", path, body=patch, head=head))[0] == 412
    assert found(skolon, 'userName eq "user.16@p5.elsewhere.invalid"') == ["s16"]
    assert found(skolon, f'userName eq "{person(16).address}"') == []


def test_who_is_wrong_can_be_asked(skolon: SkolonStub) -> None:
    """The stale people are wrong, and who was put right is not; who moved in Entra is wrong again."""
    fields: dict[str, Any] = {"number": 5, "moved": []}
    wrong = answer(skolon, request("POST", "/bench/wrong", body=fields))[1]
    assert wrong == [index for index in range(100) if POPULATION.is_stale(index)]
    home = 'addresses[type eq "home"]'
    operations: list[dict[str, Any]] = [
        {"op": "replace", "path": f"{home}.streetAddress", "value": person(wrong[0]).street},
        {"op": "replace", "path": f"{home}.postalCode", "value": person(wrong[0]).postcode},
    ]
    answer(skolon, request("PATCH", f"/scim/p5/Users/s{wrong[0]}", body={"Operations": operations}))
    assert answer(skolon, request("POST", "/bench/wrong", body=fields))[1] == wrong[1:]
    moved = {**fields, "moved": [wrong[0]]}
    assert answer(skolon, request("POST", "/bench/wrong", body=moved))[1] == wrong


def test_patches_do_what_rfc_7644_says() -> None:
    """Attributes, parts, entries and extensions are added, replaced and removed (section 3.5.2)."""
    user: dict[str, Any] = {
        "userName": "a",
        "name": {"givenName": "b"},
        "emails": [{"type": "work", "value": "c"}],
    }
    operations: list[dict[str, Any]] = [
        {"op": "replace", "path": "userName", "value": "A"},
        {"op": "remove", "path": "name.givenName"},
        {"op": "add", "path": f"{EXTENSION}:eppn", "value": "e"},
        {"op": "replace", "path": 'emails[type eq "work"].value', "value": "C"},
        {"op": "add", "path": "emails", "value": [{"type": "home", "value": "d"}]},
    ]
    assert patched(user, operations) == {
        "userName": "A",
        "name": {},
        "emails": [{"type": "work", "value": "C"}, {"type": "home", "value": "d"}],
        EXTENSION: {"eppn": "e"},
    }
    assert user["userName"] == "a"
    assert patched(user, [{"op": "remove", "path": 'emails[type eq "work"]'}])["emails"] == []
