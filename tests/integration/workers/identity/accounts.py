"""A few made-up accounts in Entra and users in Skolon, synced in an order of the test's choice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sandbox.municipality.made_up_user import SKOLON_SCHEMA, SSN_SOURCE, USER_SCHEMA
from tests.integration.workers.test_pipeline import directory

if TYPE_CHECKING:
    from cli.sandbox.in_process_sync import InProcessSync
    from sandbox.environment import Environment
    from schemas.runs.receipt import Receipt

DOMAIN: Final = "k.example"
ADDRESS: Final = f"anna.andersson@{DOMAIN}"

#: Test numbers of the Swedish Tax Agency, of two birth dates.
NUMBER: Final = "201203049810"
OTHER_NUMBER: Final = "201107069815"


def account(number: int, given_name: str, surname: str, address: str, **further: Any) -> dict[str, Any]:
    """Return an account in Entra; `ssn` fills the source of personal numbers."""
    ssn = further.pop("ssn", None)
    return {
        "id": f"00000000-0000-4000-8000-{number:012d}",
        "userPrincipalName": address,
        "mail": address,
        "otherMails": [],
        "givenName": given_name,
        "surname": surname,
        "accountEnabled": True,
        "userType": "Member",
        "onPremisesExtensionAttributes": {SSN_SOURCE: ssn},
        **further,
    }


def skolon_user(user_id: str, given_name: str, surname: str, address: str, **further: Any) -> dict[str, Any]:
    """Return a Skolon user; `own` holds Skolon's own attributes."""
    own = further.pop("own", {})
    return {
        "schemas": [USER_SCHEMA, SKOLON_SCHEMA],
        "id": user_id,
        "userName": address,
        "name": {"givenName": given_name, "familyName": surname},
        "emails": [{"value": address, "type": "work", "primary": True}],
        SKOLON_SCHEMA: {"eppn": address, **own},
        **further,
    }


def former_user(given_name: str = "Bea", **further: Any) -> dict[str, Any]:
    """Return the Skolon user of another person, who had the address before."""
    return skolon_user("s1", given_name, "Gammal", ADDRESS, **further)


def synced(
    made_up: Environment, sync: InProcessSync, accounts: list[dict[str, Any]], *users: dict[str, Any]
) -> dict[str, Receipt]:
    """Sync accounts, in this order, with an organisation of these users; return the receipts by Entra id."""
    (organisation,) = made_up.skolon.organisations
    made_up.skolon.fill(organisation, users)
    for each in accounts:
        directory(made_up).add(each)
    receipts: dict[str, Receipt] = {}
    for each in accounts:
        summary = sync.run(users=(each["id"],))
        receipts |= {receipt.entra_id: receipt for receipt in sync.store.receipts.list(summary.run.id)}
    return receipts


def values(made_up: Environment, user_id: str) -> dict[str, Any]:
    user = made_up.skolon_user(user_id)
    assert user is not None
    return {name: value for name, value in user.items() if name != "meta"}
