"""Changes that Skolon answers with success and does not make. All people are made up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sandbox.skolon.faults import Fault
from schemas.outcomes import Outcome
from schemas.runs.changes import GuardCounts
from schemas.runs.run import WarningKind
from schemas.users.attributes import Attribute
from tests.integration.workers.identity.accounts import ADDRESS, account, skolon_user, synced, values
from tests.integration.workers.test_pipeline import directory
from tests.integration.workers.test_undo import undo

if TYPE_CHECKING:
    from cli.sandbox.in_process_sync import InProcessSync
    from sandbox.environment import Environment
    from schemas.runs.receipt import Receipt
    from schemas.runs.run import RunSummary


def known() -> dict[str, Any]:
    return skolon_user("s1", "Anna", "Andersson", ADDRESS, own={"idpIdentifier": ADDRESS})


def anna(**further: Any) -> dict[str, Any]:
    return account(1, "Anna", "Andersson", ADDRESS, **further)


def ignore(made_up: Environment, *names: str) -> None:
    """Have Skolon take changes of these attributes, and not make them."""
    (organisation,) = made_up.skolon.organisations
    kept = made_up.skolon._organisations[organisation].kept  # noqa: SLF001 - a server that ignores changes
    put = kept._put  # noqa: SLF001 - likewise

    def ignoring(key: Any, document: dict[str, Any]) -> None:
        former = kept._documents[key.resource_type].get(key.resource_id)  # noqa: SLF001 - likewise
        if former is not None:
            document = {name: value for name, value in document.items() if name not in names}
            document |= {name: former[name] for name in names if name in former}
        put(key, document)

    kept._put = ignoring  # type: ignore[method-assign]  # noqa: SLF001 - likewise


def run_again(made_up: Environment, sync: InProcessSync) -> tuple[RunSummary, Receipt, int]:
    """Run once more; return the run, the receipt, and how many updates Skolon got."""
    made_up.skolon.forget_requests()
    run = sync.run(users=(anna()["id"],))
    receipt = sync.store.receipts.get(run.run.id, anna()["id"])
    assert receipt is not None
    return run, receipt, made_up.skolon.requests().get("PATCH user", 0)


def fill(made_up: Environment, *accounts: dict[str, Any]) -> None:
    (organisation,) = made_up.skolon.organisations
    made_up.skolon.fill(organisation, [known()])
    for each in accounts:
        directory(made_up).add(each)


@pytest.mark.parametrize("has_value", [True, False])
def test_a_change_that_is_not_made_is_no_update(
    made_up: Environment, sync: InProcessSync, *, has_value: bool
) -> None:
    """The receipt names the attribute, the guard counts nothing, and no later run writes it again."""
    (organisation,) = made_up.skolon.organisations
    address = [{"type": "home", "locality": "Annanstad"}] if has_value else []
    made_up.skolon.fill(organisation, [{**known(), "addresses": address}])
    directory(made_up).add(anna(city="Falun"))
    _, receipt, _ = run_again(made_up, sync)
    assert receipt.changed == (Attribute.CITY, Attribute.EXTERNAL_ID)
    directory(made_up).change(anna()["id"], {"city": "Borlänge"})
    ignore(made_up, "addresses")
    for number in range(3):
        run, receipt, patches = run_again(made_up, sync)
        assert (receipt.outcome, receipt.changed) == (Outcome.UNCHANGED, ())
        assert receipt.altered == (Attribute.CITY,)
        assert "City" in str(receipt.detail)
        assert (patches > 0) is (number == 0)
        warned = WarningKind.VALUES_ALTERED in [warning.kind for warning in run.warnings]
        assert warned is (number == 0)
        assert sync.store.guard_counters.counts(run.run.id) == GuardCounts()


def test_what_is_taken_beside_it_is_an_update(made_up: Environment, sync: InProcessSync) -> None:
    """The user is updated for the attributes that changed, and an undo puts these back."""
    fill(made_up, anna(city="Falun", mobilePhone="+46 70 174 06 01"))
    ignore(made_up, "phoneNumbers")
    run, receipt, _ = run_again(made_up, sync)
    assert receipt.outcome is Outcome.UPDATED
    assert receipt.altered == (Attribute.HOME_PHONE, Attribute.MOBILE_PHONE)
    assert Attribute.CITY in receipt.changed
    assert Attribute.MOBILE_PHONE not in receipt.changed
    assert Attribute.MOBILE_PHONE not in sync.store.change_totals.for_run(run.run.id).attributes
    undo(sync, receipt.run)
    assert values(made_up, "s1").get("addresses", []) in ([], [{"type": "home"}])


def test_a_read_only_attribute_is_no_dead_letter(made_up: Environment, sync: InProcessSync) -> None:
    """It is refused once, and not sent again to the organisation."""
    other = account(
        2, "Bo", "Berg", "bo.berg@k.example", city="Falun", mail=None, userPrincipalName="bo@k.example"
    )
    refusal = Fault(
        kind="status", status=400, scim_type="mutability", times=None, method="PATCH", patched="userName"
    )
    made_up.skolon.faults.add(refusal)
    renamed = anna(city="Falun", userPrincipalName="anna.gift@k.example")
    bo = skolon_user("s2", "Bo", "Berg", "bo.berg@k.example", externalId=other["id"])
    receipts = synced(made_up, sync, [renamed, other], known(), bo)
    for each in receipts.values():
        assert each.outcome is Outcome.UPDATED
        assert each.altered == (Attribute.USER_NAME,)
        assert Attribute.CITY in each.changed
    assert values(made_up, "s1")["userName"] == ADDRESS
    assert values(made_up, "s2")["userName"] == "bo.berg@k.example"
