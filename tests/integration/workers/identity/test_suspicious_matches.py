"""Who in Skolon a person is: a message in, the end state of Skolon out. All people are made up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from sandbox.environment import TENANT_KEY, Environment
from sandbox.municipality.made_up_user import SKOLON_SCHEMA
from schemas.dead_letter_reasons import Reason
from schemas.outcomes import Outcome
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


#: Other people, each found by an address of the account's.
OTHERS: Final = [
    pytest.param(
        former_user("Anna", externalId="900", own={"ssn": OTHER_NUMBER}),
        "personal number",
        id="a recycled address, by the personal number",
    ),
    pytest.param(
        skolon_user("s1", "Anna", "Andersson", ADDRESS, own={"birthDate": "1998-01-02"}),
        "birth date",
        id="a recycled address and the same name, by the birth date",
    ),
    pytest.param(
        skolon_user("s1", "Solros", "Fjäril", f"solros@{DOMAIN}")
        | {"emails": [{"value": ADDRESS, "type": "work", "primary": True}], SKOLON_SCHEMA: {}},
        "first name and last name",
        id="an account made by hand under a made-up name, found by e-mail",
    ),
    pytest.param(
        skolon_user("s1", "Erik", "Andersson", f"erik@{DOMAIN}")
        | {"emails": [{"value": ADDRESS, "type": "work", "primary": True}], SKOLON_SCHEMA: {}},
        "first name",
        id="a sibling with the parent's address, found by e-mail",
    ),
    pytest.param(
        former_user("Anna", externalId="00000000-0000-4000-8000-00000000dead"),
        "external id and last name",
        id="an account that is gone, and another last name",
    ),
]


@pytest.mark.parametrize(("other", "differs"), OTHERS)
def test_another_person_is_not_written(
    made_up: Environment, sync: InProcessSync, other: dict[str, Any], differs: str
) -> None:
    """Rows 1 and 3: nothing is written, and the dead letter says what differs, without the values."""
    anna = account(1, "Anna", "Andersson", ADDRESS, ssn=NUMBER)
    before = synced(made_up, sync, [anna], other)[anna["id"]]
    assert (before.outcome, before.reason) == (Outcome.DEAD_LETTERED, Reason.SUSPICIOUS_MATCH)
    detail = str(before.detail)
    assert "Skolon user s1" in detail
    assert differs in detail.partition("different: ")[2]
    assert not any(text in detail for text in ("Anna", "Andersson", DOMAIN, NUMBER, OTHER_NUMBER))
    assert values(made_up, "s1") == other
    assert made_up.skolon.requests().get("PATCH user", 0) == 0


#: The same person, as Skolon may know her before the first run.
SAME: Final = [
    pytest.param(skolon_user("s1", "ANNA", "andersson", ADDRESS), id="names in another case"),
    pytest.param(skolon_user("s1", "Andersson", "Anna", ADDRESS), id="names in another order"),
    pytest.param(skolon_user("s1", "Anna", "Gift-Svensson", ADDRESS), id="married"),
    pytest.param(
        skolon_user("s1", "Anna", "Andersson", ADDRESS, own={"ssn": "20120304TF01"}),
        id="a temporary number that became a full one",
    ),
    pytest.param(
        skolon_user("s1", "Solros", "Fjäril", ADDRESS, own={"ssn": NUMBER}), id="the personal number alone"
    ),
    pytest.param(
        skolon_user(
            "s1", "Solros", "Fjäril", f"gammal@{DOMAIN}", externalId=account(1, "", "", "")["id"].upper()
        ),
        id="the External Id alone, in capital letters",
    ),
]


@pytest.mark.parametrize("known", SAME)
def test_the_same_person_is_written(made_up: Environment, sync: InProcessSync, known: dict[str, Any]) -> None:
    """A corrected or married name, a provisional number and another spelling are the same person's."""
    anna = account(1, "Anna", "Andersson", ADDRESS, ssn=NUMBER)
    receipt = synced(made_up, sync, [anna], known)[anna["id"]]
    assert (receipt.outcome, receipt.detail) == (Outcome.UPDATED, None)
    held = values(made_up, "s1")
    assert held["name"] == {"givenName": "Anna", "familyName": "Andersson"}
    assert held["externalId"].lower() == anna["id"]


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize(
    "left",
    [
        pytest.param({"accountEnabled": False}, id="disabled"),
        pytest.param({"userType": "Guest"}, id="a guest"),
        pytest.param(
            {"onPremisesExtensionAttributes": {"extensionAttribute5": "skyddad"}}, id="out of scope"
        ),
    ],
)
def test_an_account_that_is_not_synced_holds_up_no_other(
    made_up: Environment, sync: InProcessSync, left: dict[str, Any], first: int
) -> None:
    """Row 10: the old account has the External Id, and the new one of the same person takes over."""
    sync.store.tenants.change(
        TENANT_KEY, {"scope": {"exclude": [{"source": "extensionAttribute5", "equals": "skyddad"}]}}
    )
    old = account(1, "Anna", "Andersson", f"anna_old@{DOMAIN}", **left)
    new = account(2, "Anna", "Andersson", ADDRESS)
    known = skolon_user("s1", "Anna", "Andersson", ADDRESS, externalId=old["id"])
    receipts = synced(made_up, sync, [old, new] if first == 0 else [new, old], known)
    assert receipts[new["id"]].outcome is Outcome.UPDATED
    assert receipts[old["id"]].outcome is Outcome.OUT_OF_SCOPE
    assert values(made_up, "s1")["externalId"] == new["id"]


def test_a_sibling_with_the_parents_address_as_eppn(made_up: Environment, sync: InProcessSync) -> None:
    """A mail address that is not the account's own name may be a family's, whatever attribute it fills."""
    parents = f"foralder@{DOMAIN}"
    anna = account(1, "Anna", "Andersson", ADDRESS, mail=parents)
    alice = skolon_user("s1", "Alice", "Andersson", f"alice@{DOMAIN}", own={"eppn": parents})
    receipt = synced(made_up, sync, [anna], alice)[anna["id"]]
    assert receipt.reason is Reason.SUSPICIOUS_MATCH
    assert values(made_up, "s1") == alice


@pytest.mark.parametrize("keys", [["eppn", "external_id"], ["eppn"]])
def test_the_own_external_id_is_the_match_whatever_the_keys(
    made_up: Environment, sync: InProcessSync, keys: list[str]
) -> None:
    """A found user with the account's own id is the match, also behind a recycled address."""
    sync.store.tenants.change(TENANT_KEY, {"match_keys": keys})
    anna = account(1, "Anna", "Andersson", ADDRESS)
    own = skolon_user("s1", "Solros", "Fjäril", ADDRESS, externalId=anna["id"])
    receipt = synced(made_up, sync, [anna], own)[anna["id"]]
    assert (receipt.outcome, receipt.skolon_id) == (Outcome.UPDATED, "s1")


@pytest.mark.parametrize("first", [0, 1])
def test_another_accounts_user_is_not_taken_whatever_the_keys(
    made_up: Environment, sync: InProcessSync, first: int
) -> None:
    """Without External Id among the keys two accounts with one EPPN do not write by turns."""
    sync.store.tenants.change(TENANT_KEY, {"match_keys": ["eppn"]})
    accounts = [
        account(number, "Anna", "Andersson", ADDRESS, userPrincipalName=f"a{number}@k.example")
        for number in (1, 2)
    ]
    owner, other = accounts[first], accounts[1 - first]
    known = skolon_user("s1", "Anna", "Andersson", ADDRESS, externalId=owner["id"])
    receipts = synced(made_up, sync, accounts, known)
    assert receipts[owner["id"]].outcome is Outcome.UPDATED
    assert receipts[other["id"]].reason is Reason.COLLISION
    assert values(made_up, "s1")["externalId"] == owner["id"]


@pytest.mark.parametrize("country", ["NO", "DK", "FI", None])
def test_an_account_without_a_number_is_compared_by_name(
    made_up: Environment, sync: InProcessSync, country: str | None
) -> None:
    """The rules of no country trip over a number that is missing."""
    sync.store.tenants.change(TENANT_KEY, {"ssn_country": country})
    anna = account(1, "Anna", "Andersson", ADDRESS)
    known = skolon_user("s1", "Anna", "Andersson", ADDRESS, own={"ssn": "okänd"})
    assert synced(made_up, sync, [anna], known)[anna["id"]].outcome is Outcome.UPDATED
