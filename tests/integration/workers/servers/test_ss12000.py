"""Whole runs with a server of Swedish schools (SS 12000 over SCIM). All people are made up."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from devtools.odd_servers.organisation import OddOrganisation
from devtools.odd_servers.school import school_user
from sandbox.municipality.expectation import after_sync, attributes_of
from schemas.outcomes import Outcome, Status
from schemas.users.scim import SCHOOL_EXTENSION
from tests.integration.workers.servers.syncing import syncing_with

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.municipality.municipality import MadeUpUser, Municipality

#: The attributes that such a server has, by where its users hold them.
HAS = ("external_id", "first_name", "last_name", "email", "eppn", "ssn")


def protected_person(municipality: Municipality) -> MadeUpUser:
    return next(each for each in municipality if each.outcome == "updated" and each.claims)


def school(municipality: Municipality) -> OddOrganisation:
    """Return the municipality's users in that form; one of them that would be updated is protected."""
    documents = {user["id"]: school_user(user) for user in municipality.skolon_users()}
    documents[str(protected_person(municipality).claims)][SCHOOL_EXTENSION]["securityMarking"] = True
    return OddOrganisation(documents, frozenset())


def held(user: dict[str, Any]) -> dict[str, str | None]:
    """Return what a user holds of `HAS`."""
    own = {"eppn": user["userName"], "ssn": user[SCHOOL_EXTENSION].get("civicNo")}
    return {name: value for name, value in {**attributes_of(user), **own}.items() if name in HAS}


def test_users_of_a_school_are_updated(tmp_path: Path) -> None:
    """Values are where such a server has them, nothing else is sent, and a second run has nothing to do."""
    keys = ["external_id", "eppn", "email"]
    with syncing_with(school, tmp_path, skolon_profile="ss12000", match_keys=keys) as (server, made_up, sync):
        before = copy.deepcopy(server.documents)
        first = sync.run()
        patches = server.patches
        second = sync.run(recheck_all=True)
        receipts = {each.entra_id: each for each in sync.store.receipts.list(first.run.id)}

    assert (first.run.status, second.run.status) == (Status.COMPLETED, Status.COMPLETED)
    assert first.counts[Outcome.UPDATED] > 0
    assert (second.counts[Outcome.UPDATED], server.patches) == (0, patches)
    assert server.documents.keys() == before.keys()

    protected = protected_person(made_up.municipality)
    receipt = receipts[protected.entra["id"]]
    assert receipt.outcome is Outcome.OUT_OF_SCOPE
    assert "protected" in str(receipt.detail)
    assert server.documents[str(protected.claims)] == before[str(protected.claims)]

    for person in made_up.municipality:
        if receipts[person.entra["id"]].outcome not in (Outcome.UPDATED, Outcome.UNCHANGED):
            continue
        old, new = before[str(person.claims)], server.documents[str(person.claims)]
        former = {name: held(old).get(name) for name in attributes_of(old)}
        expected = after_sync(person.entra, former, made_up.tenant)
        assert held(new) == {name: expected[name] for name in HAS}
        assert new[SCHOOL_EXTENSION]["userRelations"] == ["kept"]
        assert new.keys() - old.keys() <= {"emails", "externalId"}
