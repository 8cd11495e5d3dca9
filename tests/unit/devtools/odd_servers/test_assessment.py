"""The judge of runs against odd servers sees what is lost, spoilt and not so."""

from __future__ import annotations

import copy
from typing import Any

from devtools.odd_servers.assessment import Round, assess
from devtools.odd_servers.oddities import Oddities, UpdateOddity
from devtools.odd_servers.organisation import odd_organisation
from sandbox.municipality.municipality import Municipality
from sandbox.municipality.tenant import tenant_settings
from schemas.users.attributes import Attribute

MUNICIPALITY = Municipality(50)
TENANT = tenant_settings(entra_tenant_id="", client_id="", client_secret="", organisation="")
#: A user that needs a change of the surname.
MARRIED = next(person for person in MUNICIPALITY if person.case == "new_surname")
NOTHING: Oddities = frozenset()


def judged(
    changes: dict[str, Any], outcome: str, *, oddities: Oddities = NOTHING, ended: str = "completed"
) -> Round:
    """Return the report on a run that made these changes to the user, and says that outcome."""
    organisation = odd_organisation(MUNICIPALITY, oddities)
    before = copy.deepcopy(organisation.documents)
    after = copy.deepcopy(organisation.documents)
    after[MARRIED.skolon[0]["id"]] |= changes
    outcomes = {MARRIED.entra["id"]: outcome}
    return assess(oddities, MUNICIPALITY, TENANT, before=before, after=after, outcomes=outcomes, ended=ended)


def name(family_name: str) -> dict[str, Any]:
    return {"name": {"givenName": MARRIED.entra["givenName"], "familyName": family_name}}


def test_what_a_receipt_names_is_so() -> None:
    """A user that is `updated` but for what its receipt names is what its receipt says."""
    organisation = odd_organisation(MUNICIPALITY, frozenset())
    user = MARRIED.entra["id"]
    found = [
        assess(
            frozenset(),
            MUNICIPALITY,
            TENANT,
            before=organisation.documents,
            after=organisation.documents,
            outcomes={user: "updated"},
            altered={user: named},
            ended="completed",
        ).not_so
        for named in (list(Attribute), ["city"])
    ]
    assert found == [0, 1]


def test_a_run_that_did_what_it_says_is_fine() -> None:
    """The value of the user's own account is right."""
    found = judged(name(MARRIED.entra["surname"]), "updated")
    assert (found.failed, found.surprises) == (False, [])


def test_what_was_not_written_is_not_so() -> None:
    """A user that is `updated`, and is as before, is counted; a dead letter of the same user is not."""
    assert judged({}, "updated").not_so == 1
    assert not judged({}, "dead_lettered").failed


def test_a_value_of_somewhere_else_is_wrong() -> None:
    """So is an entry of others that is gone."""
    assert judged(name("Annan"), "updated").wrong == 1
    assert judged({"emails": [{"type": "home", "value": "x@y.example"}]}, "updated").wrong == 1


def test_a_user_that_is_there_is_falsely_not_found() -> None:
    """Skolon has the user."""
    assert judged({}, "not_found").falsely_not_found == 1


def test_a_halt_has_to_name_the_server() -> None:
    """Any other end than these is a failure."""
    assert not judged({}, "pending", ended="halted: skolon_search").failed
    assert judged({}, "pending", ended="halted: guard_exceeded").failed
    assert judged({}, "pending", ended="not ended").failed


def test_the_form_in_which_a_server_keeps_a_value_is_right() -> None:
    """Telephone numbers as URIs are what such a server makes of them."""
    oddities: Oddities = frozenset({UpdateOddity.TELEPHONE_URIS})
    assert not judged(name(MARRIED.entra["surname"]), "updated", oddities=oddities).failed
