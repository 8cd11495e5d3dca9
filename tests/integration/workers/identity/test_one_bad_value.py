"""One bad value stops one attribute: a message in, the end state of Skolon out. All people are made up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from sandbox.environment import TENANT_KEY, Environment
from sandbox.municipality.made_up_user import SKOLON_SCHEMA
from sandbox.skolon.faults import Fault
from schemas.dead_letter_reasons import Reason
from schemas.outcomes import Cause, Outcome, Status
from schemas.users.attributes import ATTRIBUTE_TABLE, Attribute
from tests.integration.workers.identity.accounts import ADDRESS, account, skolon_user, synced, values
from tests.integration.workers.test_pipeline import directory
from tests.integration.workers.test_undo import undo

if TYPE_CHECKING:
    from cli.sandbox.in_process_sync import InProcessSync

ZERO_WIDTH: Final = "\N{ZERO WIDTH SPACE}"


def known(**further: Any) -> dict[str, Any]:
    """Return Anna in Skolon, before her city and name were corrected in Entra."""
    return skolon_user("s1", "Anna", "Andersson", ADDRESS, **further)


def anna(**further: Any) -> dict[str, Any]:
    return {**account(1, "Anna", "Andersson", ADDRESS, city="Falun"), **further}


def refusal(patched: str, status: int = 400, scim_type: str = "invalidValue") -> Fault:
    return Fault(
        kind="status", status=status, scim_type=scim_type, times=None, method="PATCH", patched=patched
    )


#: A bad value, the attribute and the fault that the dead letter names.
BAD: Final = [
    pytest.param({"mail": f"anna{ZERO_WIDTH}@k.example"}, "email", "U+200B", id="an invisible character"),
    pytest.param({"givenName": "An\x07na"}, "first_name", "control character", id="a control character"),
    pytest.param({"mail": "anna andersson@k.example"}, "eppn", "exactly one @", id="an EPPN with a space"),
]


@pytest.mark.parametrize(("bad", "attribute", "fault"), BAD)
def test_a_value_that_breaks_a_rule_stops_one_attribute(
    made_up: Environment, sync: InProcessSync, bad: dict[str, Any], attribute: str, fault: str
) -> None:
    """Row 19: the other values are written, the dead letter names the attribute, and a replay finishes."""
    account_of_anna = anna(**bad)
    receipt = synced(made_up, sync, [account_of_anna], known())[account_of_anna["id"]]
    assert (receipt.outcome, receipt.reason) == (Outcome.DEAD_LETTERED, Reason.INVALID_USER)
    assert f"{ATTRIBUTE_TABLE[Attribute(attribute)].title}: " in str(receipt.detail)
    assert fault in str(receipt.detail)
    assert attribute in receipt.unwritten
    assert {Attribute.CITY, Attribute.EXTERNAL_ID} <= set(receipt.changed)
    assert attribute not in receipt.changed
    held = values(made_up, "s1")
    assert held["addresses"][0]["locality"] == "Falun"
    assert held[SKOLON_SCHEMA]["eppn"] == ADDRESS
    assert held["name"] == known()["name"]
    if attribute == "email":
        assert held["emails"] == known()["emails"]

    directory(made_up).change(account_of_anna["id"], {name: anna().get(name) for name in bad})
    healed = sync.store.receipts.get(sync.run(users=(account_of_anna["id"],)).run.id, account_of_anna["id"])
    assert healed is not None
    assert (healed.outcome, healed.unwritten) in [(Outcome.UPDATED, ()), (Outcome.UNCHANGED, ())]


def test_who_fails_is_not_foretold_as_updated(made_up: Environment, sync: InProcessSync) -> None:
    """Of a user with a bad value the guard blocks the others: foretold is the failure, and what changes."""
    (organisation,) = made_up.skolon.organisations
    made_up.skolon.fill(organisation, [known()])
    directory(made_up).add(anna(givenName="An\x07na"))
    guard = {"changed": {"count": 0, "share": 0.0}, "identity_changed": None}
    sync.store.tenants.change(TENANT_KEY, {"guard": guard})
    tried = sync.run(dry_run=True)
    assert tried.counts[Outcome.DEAD_LETTERED] == 1

    halted = sync.run().run

    assert (halted.status, halted.cause) == (Status.HALTED, Cause.GUARD_EXCEEDED)
    prospect = sync.store.forecasts.for_run(halted.id)
    assert prospect is not None
    assert (prospect.outcomes, prospect.reasons) == (
        {Outcome.DEAD_LETTERED: 1},
        {Reason.INVALID_USER: 1},
    )
    assert prospect.changes == sync.store.change_totals.for_run(tried.run.id)
    assert Attribute.CITY in prospect.changes.attributes
    assert values(made_up, "s1") == known()


def test_a_bad_value_is_no_match_key(made_up: Environment, sync: InProcessSync) -> None:
    """Without a valid match key nothing is written, and Skolon is not asked."""
    sync.store.tenants.change(TENANT_KEY, {"match_keys": ["eppn"]})
    broken = anna(mail=f"anna.andersson{ZERO_WIDTH}@k.example")
    receipt = synced(made_up, sync, [broken], known())[broken["id"]]
    assert (receipt.reason, receipt.changed, receipt.unwritten) == (Reason.INVALID_USER, (), ())
    assert values(made_up, "s1") == known()
    assert made_up.skolon.requests().get("POST search", 0) == 0


@pytest.mark.parametrize(
    ("fault", "attribute", "title"),
    [
        (refusal("name.familyName"), "last_name", "Last name (HTTP 400 invalidValue)"),
        (refusal("emails"), "email", "E-mail (HTTP 400 invalidValue)"),
        (refusal("addresses", status=422, scim_type="invalidValue"), "city", "City (HTTP 422 invalidValue)"),
    ],
)
def test_a_value_that_skolon_refuses_stops_one_attribute(
    made_up: Environment, sync: InProcessSync, fault: Fault, attribute: str, title: str
) -> None:
    """Row 19: the receipt, the totals and an undo know what was really written."""
    changed = anna(surname="Gift-Andersson", mail="anna.gift@k.example", postalCode="79170")
    made_up.skolon.faults.add(fault)
    receipt = synced(made_up, sync, [changed], known())[changed["id"]]
    assert (receipt.outcome, receipt.reason) == (Outcome.DEAD_LETTERED, Reason.REJECTED_BY_SKOLON)
    assert f"Skolon refused {title}" in str(receipt.detail)
    assert "Gift" not in str(receipt.detail)
    assert attribute in receipt.unwritten
    assert not set(receipt.unwritten) & set(receipt.changed)
    assert Attribute.EXTERNAL_ID in receipt.changed
    totals = sync.store.change_totals.for_run(receipt.run)
    assert set(totals.attributes) == set(receipt.changed)
    assert totals.users == 1
    made_up.skolon.faults.clear()

    undo(sync, receipt.run)
    held = values(made_up, "s1")
    assert held.get("externalId") is None
    assert held["name"] == known()["name"]
    assert held["emails"][0]["value"] == ADDRESS


def test_nothing_taken_leaves_no_trace(made_up: Environment, sync: InProcessSync) -> None:
    """Of a user whose only change is refused nothing counts: no change, nothing to undo, no guard."""
    same = anna()
    synced(made_up, sync, [same], known())
    directory(made_up).change(same["id"], {"surname": "Gift"})
    made_up.skolon.faults.add(refusal("name"))
    run = sync.run(users=(same["id"],)).run
    receipt = sync.store.receipts.get(run.id, same["id"])
    assert receipt is not None
    assert (receipt.changed, receipt.unwritten) == ((), (Attribute.LAST_NAME,))
    assert sync.store.change_totals.for_run(run.id).users == 0
    assert sync.store.guard_counters.counts(run.id).changed == 0
    assert sync.store.undo_records.count_claimed(run.id) == 0


def test_a_refused_identity_does_not_count_for_the_guard(made_up: Environment, sync: InProcessSync) -> None:
    """The guard counts what was written: a city, and no identity."""
    same = anna(city=None)
    synced(made_up, sync, [same], known())
    renamed = {"city": "Falun", "userPrincipalName": "anna.gift@k.example"}
    directory(made_up).change(same["id"], renamed)
    made_up.skolon.faults.add(refusal("userName"))
    made_up.skolon.faults.add(refusal(f"{SKOLON_SCHEMA}:idpIdentifier"))
    run = sync.run(users=(same["id"],)).run
    counts = sync.store.guard_counters.counts(run.id)
    assert (counts.changed, counts.identity_changed) == (1, 0)


def test_a_dry_run_foretells_it(made_up: Environment, sync: InProcessSync) -> None:
    """A dry run says dead letter, and what would be written."""
    broken = anna(mail=f"anna{ZERO_WIDTH}@k.example")
    (organisation,) = made_up.skolon.organisations
    made_up.skolon.fill(organisation, [known()])
    directory(made_up).add(broken)
    run = sync.run(users=(broken["id"],), dry_run=True).run
    receipt = sync.store.receipts.get(run.id, broken["id"])
    assert receipt is not None
    assert (receipt.outcome, receipt.reason) == (Outcome.DEAD_LETTERED, Reason.INVALID_USER)
    assert Attribute.CITY in receipt.changed
    assert Attribute.EMAIL in receipt.unwritten
    assert Attribute.CITY in sync.store.change_totals.for_run(run.id).attributes
    assert values(made_up, "s1") == known()
