"""Row 2 of who is who: a recycled address, and the personal number that finds the right Skolon user."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from sandbox.environment import TENANT_KEY, Environment
from sandbox.skolon.faults import Fault
from schemas.dead_letter_reasons import Reason
from schemas.outcomes import Outcome
from schemas.tenants.match_decision import DecisionKind
from tests.integration.workers.identity.accounts import (
    ADDRESS,
    DOMAIN,
    NUMBER,
    OTHER_NUMBER,
    account,
    former_user,
    skolon_user,
    synced,
    values,
)

if TYPE_CHECKING:
    from cli.sandbox.in_process_sync import InProcessSync

ANNA: Final = account(1, "Anna", "Ny", ADDRESS, ssn=NUMBER)

#: Who had the address before, by the evidence against the match.
FORMER: Final = [
    pytest.param({"externalId": "900", "own": {"ssn": OTHER_NUMBER}}, id="another number"),
    pytest.param({"own": {"birthDate": "1998-01-02"}}, id="another birth date"),
    pytest.param({"externalId": "00000000-0000-4000-8000-00000000dead"}, id="an account that is gone"),
]


def own(user_id: str = "s2", number: str = NUMBER) -> dict[str, Any]:
    return skolon_user(user_id, "A", "N", f"{user_id}@{DOMAIN}", own={"ssn": number})


@pytest.mark.parametrize("further", FORMER)
def test_the_holder_of_the_personal_number_is_the_match(
    made_up: Environment, sync: InProcessSync, further: dict[str, Any]
) -> None:
    """The user of the recycled address stays as it is, and no URL holds the number."""
    sync.store.tenants.change(TENANT_KEY, {"match_keys": ["external_id", "email"]})
    wants_no_name: dict[str, Any] = {"sources": {"user_name": [], "eppn": [], "idp_identifier": []}}
    sync.store.tenants.change(TENANT_KEY, wants_no_name)
    before = former_user(**further)
    receipt = synced(made_up, sync, [ANNA], before, own())[ANNA["id"]]
    assert (receipt.outcome, receipt.skolon_id) == (Outcome.UPDATED, "s2")
    assert values(made_up, "s1") == before
    held = values(made_up, "s2")
    assert (held["externalId"], held["name"]["familyName"]) == (ANNA["id"], "Ny")
    assert sync.run(users=(ANNA["id"],)).counts[Outcome.UNCHANGED] == 1


@pytest.mark.parametrize(
    "others",
    [[], [own("s2"), own("s3")], [own("s2", OTHER_NUMBER)]],
    ids=["no holder", "two holders", "another number"],
)
def test_without_one_holder_the_match_stays_suspicious(
    made_up: Environment, sync: InProcessSync, others: list[dict[str, Any]]
) -> None:
    """Nothing is written to any of them."""
    before = former_user(externalId="900", own={"ssn": OTHER_NUMBER})
    receipt = synced(made_up, sync, [ANNA], before, *others)[ANNA["id"]]
    assert (receipt.reason, receipt.candidates) == (Reason.SUSPICIOUS_MATCH, ("s1",))
    assert [values(made_up, each["id"]) for each in (before, *others)] == [before, *others]


def test_a_tenant_without_personal_numbers_asks_for_none(made_up: Environment, sync: InProcessSync) -> None:
    """The match stays suspicious, at the cost of no further search."""
    sync.store.tenants.change(TENANT_KEY, {"sources": {"ssn": []}})
    before = former_user(own={"birthDate": "1998-01-02"})
    assert synced(made_up, sync, [ANNA], before, own())[ANNA["id"]].reason is Reason.SUSPICIOUS_MATCH


def test_an_ignored_holder_is_no_match(made_up: Environment, sync: InProcessSync) -> None:
    """A decision of an administrator counts here too."""
    sync.store.match_decisions.add(TENANT_KEY, DecisionKind.IGNORE, skolon_id="s2")
    before = former_user(own={"birthDate": "1998-01-02"})
    assert synced(made_up, sync, [ANNA], before, own())[ANNA["id"]].reason is Reason.SUSPICIOUS_MATCH
    assert values(made_up, "s2") == own()


def test_a_holder_of_another_account_is_not_taken(made_up: Environment, sync: InProcessSync) -> None:
    """The account that owns the Skolon user keeps it."""
    other = account(2, "Anna", "Ny", f"anna.2@{DOMAIN}", ssn=NUMBER)
    before = former_user(own={"birthDate": "1998-01-02"})
    holder = own() | {"externalId": other["id"]}
    directory_of = synced(made_up, sync, [other], holder)
    assert directory_of[other["id"]].outcome is Outcome.UPDATED
    held = values(made_up, "s2")
    receipt = synced(made_up, sync, [ANNA], before, held)[ANNA["id"]]
    assert receipt.reason is Reason.COLLISION
    assert values(made_up, "s2") == held


def test_no_number_is_searched_in_a_url(made_up: Environment, sync: InProcessSync) -> None:
    """P6: an organisation that is searched by GET is not asked for the number."""
    made_up.skolon.faults.add(Fault(kind="status", status=405, times=None, method="POST", path_kind="search"))
    before = former_user(own={"birthDate": "1998-01-02"})
    assert synced(made_up, sync, [ANNA], before, own())[ANNA["id"]].reason is Reason.SUSPICIOUS_MATCH
