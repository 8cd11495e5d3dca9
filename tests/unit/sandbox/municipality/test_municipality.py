"""The made-up municipality: the same people every time, and every case where it is said to be."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections import Counter

import pytest
from scim2_models import Context

from sandbox.municipality.changes import changed_users
from sandbox.municipality.common_cases import COMMON_CASES
from sandbox.municipality.edge_cases import EDGE_CASES
from sandbox.municipality.match_cases import MATCH_CASES
from sandbox.municipality.municipality import MadeUpUser, Municipality
from sandbox.municipality.tenant import tenant_settings
from sandbox.skolon.schema import skolon_provider
from schemas.tenants.tenant import load_tenant

_FINGERPRINT = """
import hashlib, json
from sandbox.municipality.match_cases import MATCH_CASES
from sandbox.municipality.municipality import Municipality
people = [(p.case, p.entra, p.skolon, p.claims) for p in Municipality(120, seed=7)]
print(hashlib.sha256(json.dumps(people).encode()).hexdigest())
"""


@pytest.fixture(scope="module")
def municipality() -> Municipality:
    return Municipality(500, seed=3)


@pytest.fixture(scope="module")
def people(municipality: Municipality) -> list[MadeUpUser]:
    return list(municipality)


def test_same_seed_same_people_in_another_process() -> None:
    """Seed and size decide everything, whatever order Python's hashes are in."""
    here = [(p.case, p.entra, p.skolon, p.claims) for p in Municipality(120, seed=7)]
    fingerprint = hashlib.sha256(json.dumps(here).encode()).hexdigest()
    environment = os.environ | {"PYTHONHASHSEED": "12345"}
    there = subprocess.run(  # noqa: S603 - our own interpreter and a constant
        [sys.executable, "-c", _FINGERPRINT], capture_output=True, text=True, check=True, env=environment
    )
    assert there.stdout.strip() == fingerprint


def test_another_seed_gives_other_people() -> None:
    """Two seeds share no Entra id."""
    one, other = ({user["id"] for user in Municipality(50, seed=seed).entra_users()} for seed in (1, 2))
    assert not one & other


def test_people_can_be_made_in_any_order(municipality: Municipality, people: list[MadeUpUser]) -> None:
    """A person does not depend on who was asked for before."""
    assert municipality.user(321) == people[321]


@pytest.mark.parametrize("size", [50, 51, 149, 1000])
def test_every_case_is_there_from_fifty_people_up(size: int) -> None:
    """Each case has its known number of people, and they add up to the size."""
    cases = Municipality(size).cases()
    each = max(1, round(size / 100))
    hard = (*EDGE_CASES, *MATCH_CASES)
    assert {case.name: cases[case.name] for case in hard} == {c.name: c.people * each for c in hard}
    assert all(cases[case.name] for case in COMMON_CASES)
    assert sum(cases.values()) == size


@pytest.mark.parametrize("size", [0, 1, 10, 49])
def test_small_municipalities_have_ordinary_people_only(size: int) -> None:
    """Under fifty people there are no hard cases, and no error either."""
    municipality = Municipality(size)
    assert len(list(municipality)) == size
    assert not {case.name for case in (*EDGE_CASES, *MATCH_CASES)} & municipality.cases().keys()


def test_expected_outcomes_are_those_of_the_people(
    municipality: Municipality, people: list[MadeUpUser]
) -> None:
    """The totals equal those of the users in both runs, and no user is left out."""
    assert municipality.expected_outcomes() == Counter(p.outcome for p in people)
    assert municipality.expected_outcomes("second") == Counter(p.outcome_again for p in people)
    assert municipality.expected_reasons() == Counter(p.reason for p in people if p.reason)
    assert sum(municipality.expected_outcomes("second").values()) == 500
    assert "updated" not in municipality.expected_outcomes("second")


def test_only_dead_letters_have_a_reason(people: list[MadeUpUser]) -> None:
    """A reason goes with a dead letter, and a dead letter with a reason."""
    assert all((p.reason is not None) == (p.outcome == "dead_lettered") for p in people)


@pytest.mark.parametrize("name", ["id", "userPrincipalName"])
def test_nobody_shares_an_identity_in_entra(people: list[MadeUpUser], name: str) -> None:
    """Ids and principal names are unique."""
    assert len({p.entra[name] for p in people}) == len(people)


def test_only_some_cases_share_a_mail_address(people: list[MadeUpUser]) -> None:
    """Two people have the same address where the case says so, and nowhere else."""
    holders = Counter(p.entra["mail"] for p in people if p.entra["mail"])
    shared = {mail for mail, count in holders.items() if count > 1}
    pairs = [p for p in people if p.case == "one_eppn_two_in_entra"]
    sharing = {"one_eppn_two_in_entra", "has_shared_mail", "wants_shared_mail"}
    assert {p.entra["mail"] for p in people if p.case in sharing} == shared
    assert all(holders[mail] == 2 for mail in shared)
    assert len({p.claims for p in pairs}) == len(pairs) // 2


def test_of_a_pair_the_smaller_id_keeps_the_skolon_user(people: list[MadeUpUser]) -> None:
    """Whichever is first in the directory."""
    pairs: dict[str | None, list[MadeUpUser]] = {}
    for person in people:
        if person.case == "one_eppn_two_in_entra":
            pairs.setdefault(person.claims, []).append(person)
    assert pairs
    for pair in pairs.values():
        first, second = sorted(pair, key=lambda person: person.entra["id"])
        assert (first.outcome, first.reason) == ("updated", None)
        assert (second.outcome, second.reason) == ("dead_lettered", "collision")


def test_skolon_users_are_what_skolon_takes(municipality: Municipality) -> None:
    """Every Skolon user is valid under the stand-in's schema, with unique ids and user names."""
    model = skolon_provider().model_for("User")
    assert model is not None
    users = list(municipality.skolon_users())
    for user in users:
        sent = {name: value for name, value in user.items() if name != "id"}
        model.model_validate(sent, scim_ctx=Context.RESOURCE_CREATION_REQUEST)
    assert len({user["id"] for user in users}) == len(users)
    assert len({user["userName"].lower() for user in users}) == len(users)


def test_entra_users_have_the_properties_of_graph(people: list[MadeUpUser]) -> None:
    """All fifteen extension attributes are there, otherMails is a list, and no property is over its limit."""
    for person in people:
        assert len(person.entra["onPremisesExtensionAttributes"]) == 15
        assert isinstance(person.entra["otherMails"], list)
        assert len(person.entra["givenName"]) <= 64
        assert len(person.entra["surname"]) <= 64
        assert len(person.entra["userPrincipalName"]) <= 113


def test_names_have_every_nordic_letter_and_all_the_length(people: list[MadeUpUser]) -> None:
    """The letters are there in both sizes, and long names are as long as Entra lets them be."""
    nordic = next(p for p in people if p.case == "nordic_letters").entra["displayName"]
    assert set("åäöæøéüðþÅÄÖÆØÉÜÐÞ") <= set(nordic)
    long = next(p for p in people if p.case == "long_names").entra
    assert (len(long["givenName"]), len(long["surname"])) == (64, 64)


def test_protected_values_are_not_in_skolon_to_begin_with(people: list[MadeUpUser]) -> None:
    """What Entra knows about a protected person stands nowhere in Skolon before the sync (P6)."""
    for person in (p for p in people if p.case == "protected_identity"):
        held = json.dumps(person.skolon)
        real = ("givenName", "surname", "mail", "streetAddress", "mobilePhone")
        assert not [name for name in real if f'"{person.entra[name]}"' in held]
        assert person.entra["onPremisesExtensionAttributes"]["extensionAttribute1"] not in held


def test_tenant_settings_are_valid() -> None:
    """The sandbox's settings are taken as a tenant's."""
    settings = tenant_settings(
        entra_tenant_id="11111111-2222-4333-8444-555555555555",
        client_id="11111111-2222-4333-8444-666666666666",
        client_secret="made-up-secret-value",  # noqa: S106 - made up
        organisation="exempel",
    )
    tenant, secret = load_tenant("exempelkommun", settings)
    assert (tenant.organisation, secret) == ("exempel", settings["client_secret"])


def test_changes_touch_as_many_ordinary_people_as_asked(
    municipality: Municipality, people: list[MadeUpUser]
) -> None:
    """Each changed user is an ordinary one, and differs from what it was."""
    before = {p.entra["id"]: p for p in people}
    changed = changed_users(municipality, 20, seed=4)
    assert len({user["id"] for user in changed}) == 20
    assert all(before[user["id"]].case == "right" for user in changed)
    assert all(before[user["id"]].entra != user for user in changed)
    assert changed == changed_users(municipality, 20, seed=4)


def test_too_many_changes_are_refused(municipality: Municipality) -> None:
    """Asking for more changes than there are ordinary people is an error, not a shorter list."""
    with pytest.raises(ValueError, match="ordinary people"):
        changed_users(municipality, 501)
