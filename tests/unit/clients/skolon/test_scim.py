"""Reading, searching and changing over SCIM, judged by scim2-models, which is not ours."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scim2_models import Context, PatchOp, ScimFilter
from scim2_models.path import Comparison, LogicalExpr

from clients.skolon.profiles import ASSUMED, SS12000
from clients.skolon.scim import read_user, search_filter
from clients.skolon.updates.bodies import PatchBodies
from sandbox.skolon.schema import SkolonUser as SkolonExtension
from sandbox.skolon.schema import User
from schemas.dead_letter_reasons import Reason
from schemas.errors import PermanentError
from schemas.users.attributes import MATCH_KEYS, Attribute
from schemas.users.scim import SCHOOL_EXTENSION, SKOLON_EXTENSION, UnreadableScimError
from schemas.users.skolon_user import ensure_usable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clients.skolon.profiles import Profile

CORE = "urn:ietf:params:scim:schemas:core:2.0:User"
FOREIGN: dict[str, Any] = {
    "emails": [{"value": "hem@annat.example", "type": "home"}],
    "phoneNumbers": [{"value": "+46 8 000 00 00", "type": "work"}],
    "addresses": [{"locality": "Annanstad", "type": "work"}],
}

values = st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=30)
held = st.dictionaries(st.sampled_from(list(Attribute)), values)
changed = st.dictionaries(st.sampled_from(list(Attribute)), st.none() | values)


def document(held: Mapping[Attribute, str], *, foreign: bool) -> dict[str, Any]:
    """Write a user down by hand: an expectation that knows nothing of the code under test."""
    get = held.get
    user: dict[str, Any] = {
        "schemas": [CORE, SKOLON_EXTENSION],
        "id": "u-1",
        "userName": get(Attribute.USER_NAME),
    }
    user["externalId"] = get(Attribute.EXTERNAL_ID)
    user["name"] = {"givenName": get(Attribute.FIRST_NAME), "familyName": get(Attribute.LAST_NAME)}
    lists: dict[str, Any] = copy.deepcopy(FOREIGN) if foreign else {name: [] for name in FOREIGN}
    if get(Attribute.EMAIL):
        lists["emails"].append({"value": get(Attribute.EMAIL), "type": "work"})
    for attribute, kind in ((Attribute.HOME_PHONE, "home"), (Attribute.MOBILE_PHONE, "mobile")):
        if get(attribute):
            lists["phoneNumbers"].append({"value": get(attribute), "type": kind})
    address = {
        "streetAddress": get(Attribute.ADDRESS),
        "locality": get(Attribute.CITY),
        "postalCode": get(Attribute.ZIP_CODE),
    }
    if any(address.values()):
        lists["addresses"].append({**address, "type": "home"})
    user |= lists
    user[SKOLON_EXTENSION] = {
        "eppn": get(Attribute.EPPN),
        "idpIdentifier": get(Attribute.IDP_IDENTIFIER),
        "ssn": get(Attribute.SSN),
        "birthDate": get(Attribute.BIRTH_DATE),
    }
    return user


def pruned(value: Any) -> Any:
    """Leave out what is nothing, and order the entries of lists: neither means anything in SCIM."""
    if isinstance(value, dict):
        inner = {key: pruned(item) for key, item in value.items()}
        return {key: item for key, item in inner.items() if item not in (None, [], {}, {"type": "home"})}
    if isinstance(value, list):
        items = [pruned(item) for item in value]
        return sorted((item for item in items if item not in ({}, {"type": "home"})), key=repr)
    return value


def carried_out(resource: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    """Let scim2-models carry a PATCH out."""
    model = User[SkolonExtension]
    user = model.model_validate(resource)
    operation = PatchOp[model].model_validate(body, scim_ctx=Context.RESOURCE_PATCH_REQUEST)
    operation.patch(user)
    dumped: dict[str, Any] = user.model_dump(mode="json", by_alias=True)
    return dumped


@given(held=held, changed=changed, foreign=st.booleans())
@settings(deadline=None)
def test_patch_does_what_it_says(
    held: dict[Attribute, str], changed: dict[Attribute, str | None], *, foreign: bool
) -> None:
    """Carried out by others' code, a PATCH sets, changes and removes just what it should, and no more."""
    held = {Attribute.USER_NAME: "före", **held}
    changed = {key: value for key, value in changed.items() if value or key is not Attribute.USER_NAME}
    before = document(held, foreign=foreign)
    body = PatchBodies(ASSUMED).patch(read_user(before), changed)
    wanted = {key: value for key, value in {**held, **changed}.items() if value is not None}
    after = carried_out(before, body) if body["Operations"] else before
    after.pop("schemas")
    expected = document(wanted, foreign=foreign)
    expected.pop("schemas")
    assert pruned(after) == pruned(expected)


@pytest.mark.parametrize(
    ("attribute", "old", "new"),
    [
        (attribute, old, new)
        for attribute in Attribute
        for old in (None, "förut")
        for new in (None, "efteråt")
        # SCIM does not let a user be without a userName.
        if attribute is not Attribute.USER_NAME or new is not None
    ],
)
def test_each_attribute(attribute: Attribute, old: str | None, new: str | None) -> None:
    """Each of the fourteen can be set, changed and removed, and reads back so."""
    rest = {key: "annat" for key in Attribute if key is not attribute}
    held = rest if old is None else {**rest, attribute: old}
    before = document(held, foreign=True)
    body = PatchBodies(ASSUMED).patch(read_user(before), {attribute: new})
    after = carried_out(before, body) if body["Operations"] else before
    assert read_user(after).attributes == {**rest, attribute: new}


@given(
    st.dictionaries(
        st.sampled_from(MATCH_KEYS), values | st.sampled_from(['"', "\\", '\\" or 1', "\x00\x1f"])
    )
)
def test_filter_reads_back(keys: dict[Attribute, str]) -> None:
    """Others' parser reads the very values back out of a filter, whatever they hold."""
    if not keys:
        assert search_filter(keys) == ""
        return
    tree = ScimFilter(search_filter(keys)).ast
    terms = tree.terms if isinstance(tree, LogicalExpr) else (tree,)
    comparisons = [term for term in terms if isinstance(term, Comparison)]
    assert len(comparisons) == len(terms)
    assert [str(term.attr_path) for term in comparisons] == [ASSUMED.paths[key].search_path for key in keys]
    assert [term.value for term in comparisons] == list(keys.values())


def test_half_a_character() -> None:
    """Half a surrogate pair can be searched for: the filter can be sent, and reads back."""
    text = search_filter({Attribute.EPPN: "a\ud800@b"})
    assert text.encode().decode() == text
    assert r"\ud800" in text


@pytest.mark.parametrize(
    "fault",
    [
        {"id": True},
        {"id": ""},
        {"externalId": 5.5},
        {"name": "Bo Ek"},
        {"emails": {"value": "x"}},
        {"addresses": [{"type": "home", "locality": ["hemlig"]}]},
        {SKOLON_EXTENSION: {"ssn": [201301010000]}},
    ],
)
def test_wrong_types(fault: dict[str, Any]) -> None:
    """A wrong type is an error that names the field and no value (P6)."""
    with pytest.raises(UnreadableScimError) as caught:
        read_user({"id": "u-1", **fault})
    assert "hemlig" not in str(caught.value)
    assert "2013" not in str(caught.value)


def test_what_servers_spell_in_their_own_way() -> None:
    """Numbers are texts, the case of names does not count (RFC 7643, 2.1), and odd entries are left out."""
    read = read_user(
        {
            "ID": 7,
            "username": "anna@kommun.example",
            "Name": {"givenname": "Anna"},
            "emails": ["a text", None, {"Type": "Work", "value": "anna@kommun.example"}],
            SKOLON_EXTENSION.upper(): {"EPPN": "anna@kommun.example", "ssn": 201301010000},
        }
    )
    assert read.id == "7"
    assert {name: value for name, value in read.attributes.items() if value} == {
        Attribute.USER_NAME: "anna@kommun.example",
        Attribute.FIRST_NAME: "Anna",
        Attribute.EMAIL: "anna@kommun.example",
        Attribute.EPPN: "anna@kommun.example",
        Attribute.SSN: "201301010000",
    }


@pytest.mark.parametrize("resource", [None, [], "x", 5, {}])
def test_no_user_at_all(resource: object) -> None:
    """What is no user is an error of ours and nothing else."""
    with pytest.raises(UnreadableScimError):
        read_user(resource)


def test_reads_what_matters() -> None:
    """Nulls, blanks, unknown attributes and a type in capitals are taken as SCIM means them."""
    user = read_user(
        {
            "id": "u-1",
            "externalId": "",
            "name": None,
            "emails": [{"type": "WORK", "value": "a@b"}, {"value": "x"}],
            "phoneNumbers": None,
            "nickName": ["whatever"],
        },
        version='W/"3"',
    )
    assert user.version == 'W/"3"'
    assert user.attributes[Attribute.EMAIL] == "a@b"
    assert user.attributes[Attribute.EXTERNAL_ID] is None
    assert user.entries == {("emails", "work"): "WORK"}
    assert set(user.attributes) == set(Attribute)


@pytest.mark.parametrize(
    "unfit",
    [
        {"id": ".."},
        {"id": "x" * 256},
        {"id": "a\0b"},
        {"id": "\ud800"},
        {"meta": {"version": "W/1\r\nX-Evil: 1"}},
        {"meta": {"version": "x" * 256}},
        {"meta": {"version": "\ud800"}},
    ],
)
def test_a_user_that_cannot_be_worked_on_is_read_all_the_same(unfit: dict[str, Any]) -> None:
    """An invalid id or version fails the user that matches it, and no other user of the search."""
    user = read_user({"id": "1", **unfit})
    assert user.fault
    with pytest.raises(PermanentError) as caught:
        ensure_usable(user)
    assert caught.value.reason is Reason.REJECTED_BY_SKOLON
    assert "xxx" not in str(caught.value)
    assert ensure_usable(read_user({"id": "x" * 255, "meta": {"version": "x" * 255}})).fault is None


MARKED = {"id": "u-1", "userName": "anna@skola.example", SCHOOL_EXTENSION: {"civicNo": "201301012384"}}


def test_the_profile_of_swedish_schools() -> None:
    """SS 12000: the user name is the EPPN, and nine attributes do not exist."""
    user = read_user(MARKED, SS12000)
    assert {name: value for name, value in user.attributes.items() if value} == {
        Attribute.EPPN: "anna@skola.example",
        Attribute.SSN: "201301012384",
    }
    assert set(user.attributes) == set(Attribute)
    assert user.absent == frozenset(Attribute) - {
        Attribute.EXTERNAL_ID,
        Attribute.EPPN,
        Attribute.EMAIL,
        Attribute.FIRST_NAME,
        Attribute.LAST_NAME,
        Attribute.SSN,
    }
    assert search_filter({Attribute.EPPN: "a@b"}, profile=SS12000) == 'userName eq "a@b"'
    body = PatchBodies(SS12000).patch(user, {Attribute.EPPN: "ny@skola.example", Attribute.SSN: None})
    assert [(each["op"], each["path"]) for each in body["Operations"]] == [
        ("replace", "userName"),
        ("remove", f"{SCHOOL_EXTENSION}:civicNo"),
    ]


@pytest.mark.parametrize("profile", [ASSUMED, SS12000])
@pytest.mark.parametrize(
    ("marking", "is_protected"),
    [
        (True, True),
        ("true", True),
        (1, True),
        ("Sekretessmarkering", True),
        ("Skyddad folkbokföring", True),
        ({"value": True}, True),
        (False, False),
        ("false", False),
        (None, False),
        ("Ingen", False),
        ("", False),
    ],
)
def test_a_marked_user_is_protected_in_each_profile(
    profile: Profile, marking: object, *, is_protected: bool
) -> None:
    """Whatever does not say that the user is not protected protects it."""
    urn = SCHOOL_EXTENSION.upper()
    assert read_user({"id": "1", urn: {"SecurityMarking": marking}}, profile).is_protected is is_protected
