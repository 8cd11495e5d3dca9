"""The municipality of users that are hard to tell apart, and the judge of what became of them."""

from __future__ import annotations

import copy
from typing import Any, Final

import pytest

from sandbox.identities.kinds import SUSPICIOUS, Kind
from sandbox.identities.population import NUMBERS, Population
from sandbox.municipality.tenant import tenant_settings

TENANT: Final = tenant_settings(
    entra_tenant_id="d",
    client_id="a",
    client_secret="made up",  # noqa: S106 - as it says
    organisation="o",
)
SIZE: Final = 2000


@pytest.fixture(scope="module")
def population() -> Population:
    return Population(SIZE, tenant=TENANT)


def right_end(population: Population) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return Skolon's users before the run, and a right result of each user in Entra."""
    results = {
        user: min(right, key=str) for group in population.groups for user, right in group.results.items()
    }
    return copy.deepcopy(population.skolon_users()), results


def test_each_kind_is_there_in_known_numbers(population: Population) -> None:
    """The numbers are those of the issue, with 3 % of other names among the ordinary users."""
    counts = population.counts()
    assert {kind: counts[kind] for kind in NUMBERS} == NUMBERS
    users = population.entra_users(0)
    assert len(users) == len({user["id"] for user in users}) == SIZE
    assert 0.03 <= population.renamed() / counts[Kind.ORDINARY] < 0.031
    held = [user["id"] for user in population.skolon_users()]
    assert len(held) == len(set(held))
    names = [user["userName"].lower() for user in population.skolon_users()]
    assert len(names) == len(set(names))


def test_a_shuffle_is_an_order_of_its_own(population: Population) -> None:
    """The same number gives the same order, another one another."""
    first, again, other = (population.entra_users(number) for number in (0, 0, 1))
    assert first == again
    assert first != other
    assert sorted(user["id"] for user in first) == sorted(user["id"] for user in other)


def test_the_judge_sees_each_mistake(population: Population) -> None:
    """An overwritten user, a wrong state and a wrong outcome are told apart; right ends are no mistake."""
    users, results = right_end(population)
    before = population.judge(users, results)
    assert (before.overwritten, before.missed) == ([], [])
    # Nothing was written: who was to be updated is in a wrong state.
    assert {kind for kind, _ in before.wrong} >= {Kind.SWAP, Kind.RING, Kind.HAND_OVER, Kind.GUEST}
    assert not {Kind.HAND_MADE, Kind.RECYCLED} & {kind for kind, _ in before.wrong}

    by_kind = {group.kind: group for group in population.groups}
    recycled, ordinary = by_kind[Kind.RECYCLED], by_kind[Kind.ORDINARY]
    (user_id,) = recycled.states
    (account,) = recycled.entra
    for user in users:
        if user["id"] == user_id:
            user["name"] = {"givenName": account["givenName"], "familyName": account["surname"]}
    results[account["id"]] = ("updated", None)
    results[ordinary.entra[0]["id"]] = SUSPICIOUS
    found = population.judge(users, results)
    assert found.overwritten == [user_id]
    assert (Kind.RECYCLED, account["id"]) in found.missed
    assert ordinary.entra[0]["id"] in found.suspicious
