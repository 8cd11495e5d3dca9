"""The order of matches of one Skolon user: total, and without time."""

from __future__ import annotations

import random

import pytest

from schemas.users.attributes import Attribute
from schemas.users.graph_user import load_graph_user
from tests.unit.workers.factories import skolon_user
from workers.rules.matching import Match, MatchStrength, contested_values, strength_of

KEYS = (Attribute.EXTERNAL_ID, Attribute.EPPN, Attribute.USER_NAME, Attribute.EMAIL)
UPN, MAIL = "eva@k.example", "family@k.example"
USER = load_graph_user({"id": "00000000-0000-4000-8000-00000000000A", "userPrincipalName": UPN, "mail": MAIL})


def strength(rank: int, entra_id: str, *, is_shared: bool) -> MatchStrength:
    return MatchStrength(rank, is_shared, entra_id)


@pytest.mark.parametrize(
    ("key", "value", "rank", "is_shared"),
    [
        (Attribute.EXTERNAL_ID, USER.id, -1, False),
        (Attribute.EPPN, UPN, 1, False),
        (Attribute.EMAIL, MAIL, 3, True),
        (Attribute.SSN, "201203049810", 4, False),
    ],
)
def test_a_match_is_as_strong_as_its_key(key: Attribute, value: str, rank: int, *, is_shared: bool) -> None:
    """An External Id comes before all keys, and a personal number that is no key after them."""
    found = strength_of(USER, Match(key=key, user=skolon_user()), {key: value}, KEYS)
    assert found == MatchStrength(rank, is_shared, USER.id.lower())


def test_matches_have_one_order() -> None:
    """The stronger key first, then the value that is the person's own, then the id; never the order given."""
    ordered = [
        strength(1, "b", is_shared=False),
        strength(1, "a", is_shared=True),
        strength(1, "c", is_shared=True),
        strength(3, "a", is_shared=False),
    ]
    for seed in range(20):
        shuffled = random.Random(seed).sample(ordered, len(ordered))  # noqa: S311 - no secret
        assert sorted(shuffled) == ordered


@pytest.mark.parametrize(
    ("held", "asked"),
    [
        (strength(-1, "a", is_shared=False), set()),
        (strength(1, "a", is_shared=False), set()),
        (strength(1, "a", is_shared=True), {Attribute.EPPN}),
        (strength(3, "a", is_shared=False), {Attribute.EPPN, Attribute.USER_NAME}),
        (strength(3, "a", is_shared=True), {Attribute.EPPN, Attribute.USER_NAME, Attribute.EMAIL}),
    ],
)
def test_only_stronger_keys_are_asked_for(held: MatchStrength, asked: set[Attribute]) -> None:
    """A match by the strongest key, with the person's own value, costs no request."""
    key = KEYS[held.rank] if held.rank >= 0 else Attribute.EXTERNAL_ID
    user = skolon_user(external_id="x", eppn="e", user_name="u", email="m")
    assert contested_values(held, Match(key=key, user=user), KEYS).keys() == asked
    assert contested_values(held, Match(key=key, user=skolon_user()), KEYS) == {}
