"""When what a delta left out has to be read: whenever it could make a difference, and only then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import PermanentError
from schemas.tenants.scope import Scope
from schemas.users.attributes import EXTENSION_ATTRIBUTES, Attribute
from schemas.users.graph_user import load_graph_user
from tests.unit.workers.factories import (
    ENTRA_ID,
    TEXT_PROPERTIES,
    equals,
    graph_users,
    map_user,
    tenant,
    tenants,
)
from workers.rules.delta_completeness import missing_properties
from workers.rules.matching import match_keys_with_values
from workers.rules.scope import evaluate_scope

if TYPE_CHECKING:
    from schemas.tenants.tenant import Tenant

EVERYTHING: dict[str, Any] = {
    "id": ENTRA_ID,
    **dict.fromkeys(TEXT_PROPERTIES),
    "otherMails": [],
    "onPremisesExtensionAttributes": None,
    "accountEnabled": True,
    "userType": "Member",
    "department": None,
}
PROTECTED = equals("extensionAttribute15", "skyddad")


def missing(of: Tenant, *left_out: str, **values: Any) -> set[str]:
    given_properties = {
        name: value for name, value in {**EVERYTHING, **values}.items() if name not in left_out
    }
    return missing_properties(load_graph_user(given_properties), of)


def test_nothing_is_missing_of_a_user_on_a_list() -> None:
    """A list gives everything that was asked for, blank or not: nobody of it is read once more."""
    strict = tenant(
        scope=Scope(enabled_only=True, members_only=True, exclude=(PROTECTED,)),
        erase_blank=frozenset(Attribute),
        match_keys=tuple(name for name in Attribute if name is not Attribute.BIRTH_DATE),
    )
    assert missing(strict) == set()


@pytest.mark.parametrize(
    ("scope", "left_out", "source"),
    [
        (Scope(enabled_only=True), "accountEnabled", "accountEnabled"),
        (Scope(members_only=True), "userType", "userType"),
        (Scope(exclude=(equals("city", "x"),)), "city", "city"),
        (Scope(exclude=(PROTECTED,)), "onPremisesExtensionAttributes", "extensionAttribute15"),
        (Scope(include=(equals("department", "x"),)), "department", "department"),
    ],
)
def test_what_the_scope_looks_at(scope: Scope, left_out: str, source: str) -> None:
    """Whether somebody is in scope is not guessed: a protected identity may be what was left out."""
    assert missing(tenant(scope=scope), left_out) == {source}
    assert missing(tenant(scope=Scope(members_only=False)), left_out) == set()


def test_what_is_matched_by() -> None:
    """A match key that may have a value or not is read before anybody is looked for."""
    sources = {**dict.fromkeys(Attribute, ()), Attribute.EPPN: tenant().sources[Attribute.EPPN]}
    by_eppn = tenant(match_keys=(Attribute.EPPN,), sources=sources)
    assert missing(by_eppn, "userPrincipalName") == {"userPrincipalName"}
    assert missing(by_eppn, "userPrincipalName", mail="a@b.example") == set()
    assert missing(by_eppn, "mail", userPrincipalName="a@b.example") == {"mail"}


def test_what_comes_before_a_value() -> None:
    """A source that was left out before one with a value decides, one behind it does not."""
    by_id = tenant(match_keys=(Attribute.EXTERNAL_ID,))
    assert missing(by_id, "mail", otherMails=["a@b.example"]) == {"mail"}
    assert missing(by_id, "otherMails", mail="a@b.example") == set()
    assert missing(by_id, "mail", "otherMails", "userPrincipalName") == set()


def test_what_may_be_erased() -> None:
    """P5: an attribute is emptied because its source is blank, never because it was left out."""
    assert missing(tenant(), "city") == set()
    assert missing(tenant(erase_blank=frozenset([Attribute.CITY])), "city") == {"city"}


def test_a_birthday_is_never_missed() -> None:
    """A birthday is asked for by id anyway."""
    assert missing(tenant(erase_blank=frozenset([Attribute.BIRTH_DATE]))) == set()


@given(
    whole=graph_users(),
    settings=tenants(),
    kept=st.sets(st.sampled_from([name for name in EVERYTHING if name != "id"])),
    blank=st.sets(st.sampled_from(list(Attribute))),
)
def test_when_nothing_is_missing_nothing_is_decided_otherwise(
    whole: dict[str, Any], settings: Tenant, kept: set[str], blank: set[Attribute]
) -> None:
    """Had what was left out been blank, scope, match and what is written would be the same."""
    scope = Scope(exclude=(PROTECTED,), enabled_only="accountEnabled" in kept)
    settings = tenant(sources=settings.sources, scope=scope, erase_blank=frozenset(blank))
    partial = {name: value for name, value in {**EVERYTHING, **whole}.items() if name in {"id", *kept}}
    user, as_if_blank = load_graph_user(partial), load_graph_user({**EVERYTHING, **partial})
    if missing_properties(user, settings):
        return
    assert evaluate_scope(user, scope) == evaluate_scope(as_if_blank, scope)
    assert written(user, settings) == written(as_if_blank, settings)


def written(user: Any, settings: Tenant) -> object:
    """Return the match keys, and what would be written of a user, or why nothing would."""
    try:
        mapped = map_user(user, settings)
    except PermanentError as error:
        return error.detail
    values = {
        name: value
        for name, value in mapped.items()
        if (value is not None or name in settings.erase_blank) and name is not Attribute.BIRTH_DATE
    }
    return match_keys_with_values(mapped, settings.match_keys), values


def test_extension_attributes_come_as_a_whole() -> None:
    """An extension attribute that is not in the object is blank; without the object all are unknown."""
    by_ssn = tenant(sources={**tenant().sources, Attribute.SSN: ("extensionAttribute1",)})
    matched = tenant(sources=by_ssn.sources, match_keys=(Attribute.SSN,))
    assert missing(matched, onPremisesExtensionAttributes={"extensionAttribute2": "x"}) == set()
    assert missing(matched, "onPremisesExtensionAttributes") == {"extensionAttribute1"}
    assert set(EXTENSION_ATTRIBUTES) & missing(by_ssn, "onPremisesExtensionAttributes") == set()
