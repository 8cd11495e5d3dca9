"""Updates by servers with oddities, alone and in pairs: all is changed that is said to be, and no more."""

from __future__ import annotations

import itertools
import random
from typing import TYPE_CHECKING, Any

import pytest

from clients.skolon.auth import StaticToken
from clients.skolon.client import ScimSkolonClient
from clients.skolon.errors import RejectedError
from sandbox.serving import serve
from schemas.errors import HaltError, TransientError
from schemas.outcomes import Cause
from schemas.users.attributes import Attribute, values_match
from tests.contract.clients.skolon.updates.odd_server import ALTERS, URN, Oddity, OddServer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.users.skolon_user import SkolonUser

#: Servers that make no change at all, or not every one.
UNABLE = frozenset({Oddity.IGNORES_ALL, Oddity.REFUSES_ALL})

CHANGES: tuple[dict[Attribute, str | None], ...] = (
    {
        Attribute.FIRST_NAME: "Annika",
        Attribute.EMAIL: "annika@kommun.example",
        Attribute.EPPN: "annika@kommun.example",
        Attribute.CITY: "Falun",
        Attribute.MOBILE_PHONE: "+46 70 174 06 01",
    },
    {Attribute.USER_NAME: "Annika@kommun.example", Attribute.SSN: "201301012384"},
    {Attribute.EXTERNAL_ID: "entra-1", Attribute.HOME_PHONE: "+46 70 174 06 01"},
    {Attribute.EPPN: None, Attribute.ZIP_CODE: None, Attribute.MOBILE_PHONE: None, Attribute.LAST_NAME: "Ek"},
)


def document(user_id: str, oddities: frozenset[Oddity]) -> dict[str, Any]:
    """Return a made-up user, with much that is none of ours."""
    work = "Work" if Oddity.CASE_SENSITIVE_TYPES in oddities else "work"
    user: dict[str, Any] = {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", URN],
        "id": user_id,
        "userName": f"u{user_id}@kommun.example",
        "nickName": "another source's",
        "name": {"givenName": "Anna", "familyName": "Andersson", "middleName": "K"},
        "emails": [
            {"value": f"hem{user_id}@annat.example", "type": "other"},
            {"value": f"u{user_id}@kommun.example", "type": work, "display": "kept"},
        ],
        "addresses": [{"type": work, "locality": "Annanstad"}],
        "phoneNumbers": [{"value": "tel:+46-8-000", "type": "fax"}],
        (URN.upper() if Oddity.URN_IN_CAPITALS in oddities else URN): {
            "eppn": f"u{user_id}@kommun.example",
            "idpIdentifier": "kept",
        },
    }
    if Oddity.TWO_OF_A_TYPE in oddities:
        user["emails"].append({"value": f"p{user_id}@kommun.example", "type": work, "primary": True})
    if Oddity.NO_TYPES in oddities:
        user["emails"].reverse()
        for name in ("emails", "addresses", "phoneNumbers"):
            user[name] = [
                {part: value for part, value in entry.items() if part != "type"}
                for entry in user[name]
                if name == "emails"
            ]
    if Oddity.CUT_NAMES in oddities:
        user["name"]["familyName"] = "Ander"
    return user


def of_others(user: Mapping[str, Any]) -> Any:
    """Return what of a user no update may change."""
    (urn,) = [name for name in user if name.lower().startswith("urn:")]
    work = [each for each in user["emails"] if each.get("type", "work").lower() == "work"]
    own = max(work, key=lambda each: each.get("primary", False))
    return [
        user["id"],
        user["nickName"],
        user["name"]["middleName"],
        user[urn]["idpIdentifier"],
        own.get("display"),
        [each for each in user["emails"] if each is not own],
        [each for each in user.get("addresses", ()) if each.get("type", "").lower() == "work"],
        [each for each in user.get("phoneNumbers", ()) if each.get("type") == "fax"],
    ]


def held(user: Mapping[str, Any], attribute: Attribute) -> str | None:
    """Return what a server really has, by code that is not the product's."""
    (urn,) = [name for name in user if name.lower().startswith("urn:")]
    plain = {Attribute.USER_NAME: "userName", Attribute.EXTERNAL_ID: "externalId"}
    parts = {Attribute.FIRST_NAME: "givenName", Attribute.LAST_NAME: "familyName"}
    extension = {Attribute.EPPN: "eppn", Attribute.SSN: "ssn"}
    entries = {
        Attribute.EMAIL: ("emails", "work", "value"),
        Attribute.MOBILE_PHONE: ("phoneNumbers", "mobile", "value"),
        Attribute.HOME_PHONE: ("phoneNumbers", "home", "value"),
        Attribute.CITY: ("addresses", "home", "locality"),
        Attribute.ZIP_CODE: ("addresses", "home", "postalCode"),
    }
    if attribute in plain:
        found = user.get(plain[attribute])
    elif attribute in parts:
        found = user["name"].get(parts[attribute])
    elif attribute in extension:
        found = user[urn].get(extension[attribute])
    else:
        name, type_, part = entries[attribute]
        own = [each for each in user.get(name, ()) if each.get("type", type_).lower() == type_]
        own.sort(key=lambda each: not each.get("primary"))
        found = own[0].get(part) if own else None
    return found or None


def updated(
    client: ScimSkolonClient, user: SkolonUser, changes: Mapping[Attribute, str | None]
) -> SkolonUser | None:
    """Update a user as the product does: what is refused together, attribute by attribute."""
    try:
        return client.update("exempel", user, changes)
    except RejectedError:
        current: SkolonUser | None = user
        for attribute in changes:
            try:
                assert current is not None
                current = client.update("exempel", current, {attribute: changes[attribute]}) or current
            except RejectedError:
                continue
        return current


def assert_truth(oddities: frozenset[Oddity]) -> OddServer:
    """Make all changes to two users; what is said to be changed is, and nothing else of any user is."""
    users = {user_id: document(user_id, oddities) for user_id in ("1", "2", "3")}
    server = OddServer(users=users, oddities=oddities)
    others = {user_id: of_others(user) for user_id, user in users.items()}
    third = dict(users["3"])
    with serve(server, threads=2) as served:
        client = ScimSkolonClient(url=f"{served.url}/{{organisation}}", token=StaticToken("made-up"))
        for user_id, changes in itertools.product(("1", "2"), CHANGES):
            before = client.read("exempel", user_id)
            assert before is not None
            try:
                after = updated(client, before, changes)
            except TransientError:
                assert oddities & {Oddity.NO_VALUE_FILTERS_500}
                continue
            assert after is not None
            really = server.users[user_id]
            for attribute, value in changes.items():
                says = attribute not in after.lacking(changes)
                is_so = values_match(attribute, held(really, attribute), value)
                assert is_so or not says, f"{attribute} is not so"
                can_tell = not oddities & {Oddity.NO_TYPES, Oddity.HIDES_SSN}
                assert says or not is_so or not can_tell, f"{attribute} is denied"
            assert of_others(really) == others[user_id]
    assert server.users["3"] == third
    return server


def made(server: OddServer) -> bool:
    """Say whether all changes have been made that a server can keep."""
    wanted = {name: value for changes in CHANGES for name, value in changes.items()}
    return all(
        values_match(name, held(server.users[user_id], name), value)
        for user_id in ("1", "2")
        for name, value in wanted.items()
    )


@pytest.mark.parametrize("oddity", Oddity)
def test_one_oddity(oddity: Oddity) -> None:
    """Of each oddity alone, every change is made that the server can make at all."""
    server = assert_truth(frozenset({oddity}))
    can = not {oddity} & (
        UNABLE
        | ALTERS
        | {
            Oddity.READ_ONLY_USER_NAME,
            Oddity.IGNORES_USER_NAME,
            Oddity.NO_VALUE_FILTERS_500,
            Oddity.NO_TYPES,
        }
    )
    assert made(server) or not can


@pytest.mark.parametrize("seed", range(30))
def test_pairs(seed: int) -> None:
    """Of any two oddities at once, nothing is said that is not so, and nothing of others is changed."""
    drawn = random.Random(seed).sample(list(Oddity), 2)  # noqa: S311 - no secret
    assert_truth(frozenset(drawn))


def test_the_form_is_found_once() -> None:
    """A form that works is remembered for the organisation."""
    server = assert_truth(frozenset({Oddity.NO_VALUE_FILTERS, Oddity.NO_URN_PATHS}))
    refused = [body for body in server.bodies if "[" in str(body) and "type eq" in str(body)]
    assert len(refused) <= 4


def many(oddity: Oddity, number: int = 12) -> OddServer:
    users = {str(each): document(str(each), frozenset({oddity})) for each in range(number)}
    return OddServer(users=users, oddities=frozenset({oddity}))


def update_all(server: OddServer, *changes: dict[Attribute, str | None]) -> None:
    with serve(server, threads=2) as served:
        client = ScimSkolonClient(url=f"{served.url}/{{organisation}}", token=StaticToken("made-up"))
        for user_id in server.users:
            user = client.read("exempel", user_id)
            assert user is not None
            client.update("exempel", user, changes[int(user_id) % len(changes)])


def test_a_server_that_makes_no_change_at_all_halts_the_run() -> None:
    """Ten users in a row are as they were: this is no matter of a value."""
    with pytest.raises(HaltError, match="changes nothing") as caught:
        update_all(many(Oddity.IGNORES_ALL), *CHANGES[:3])
    assert caught.value.cause is Cause.SKOLON_UPDATE


def test_one_attribute_that_never_changes_halts_no_run() -> None:
    """It is named for each user; the others are updated."""
    only: dict[Attribute, str | None] = {Attribute.USER_NAME: "ny@kommun.example"}
    update_all(many(Oddity.IGNORES_USER_NAME), only)
    update_all(many(Oddity.IGNORES_USER_NAME), {**only, Attribute.CITY: "Falun"})
