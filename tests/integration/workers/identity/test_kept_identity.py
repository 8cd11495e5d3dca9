"""Identity values whose source went blank: messages in, Skolon's end state out. All people are made up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from sandbox.environment import TENANT_KEY, Environment
from sandbox.municipality.made_up_user import SKOLON_SCHEMA
from schemas.outcomes import Outcome
from schemas.runs.run import WarningKind
from schemas.users.attributes import Attribute
from tests.integration.workers.identity.accounts import account, skolon_user, synced, values
from tests.integration.workers.test_pipeline import directory

if TYPE_CHECKING:
    from cli.sandbox.in_process_sync import InProcessSync
    from schemas.runs.receipt import Receipt
    from schemas.runs.run import RunSummary

PARENT: Final = "foralder@hem.example"
KEPT: Final = (Attribute.EMAIL, Attribute.EPPN)


def sibling(number: int, name: str, **further: Any) -> dict[str, Any]:
    return {**account(number, name, "Andersson", f"{name.lower()}@k.example"), **further}


def known(number: int, name: str) -> dict[str, Any]:
    user = skolon_user(f"s{number}", name, "Andersson", f"{name.lower()}@k.example")
    return {**user, "externalId": sibling(number, name)["id"]}


def eppn(made_up: Environment, skolon_id: str) -> str | None:
    held: str | None = values(made_up, skolon_id)[SKOLON_SCHEMA].get("eppn")
    return held


def warned(run: RunSummary) -> list[int | None]:
    return [each.users for each in run.warnings if each.kind is WarningKind.IDENTITY_KEPT]


def receipt_of(sync: InProcessSync, run: RunSummary, user: dict[str, Any]) -> Receipt:
    receipt = sync.store.receipts.get(run.run.id, user["id"])
    assert receipt is not None
    return receipt


@pytest.mark.parametrize("remembered", [True, False])
def test_siblings_do_not_get_their_parents_address(
    made_up: Environment,
    sync: InProcessSync,
    remembered: bool,  # noqa: FBT001 - with and without a run before
) -> None:
    """Row 6: mail goes blank, and both have the parent's address in otherMails: kept, and reported."""
    siblings = [sibling(1, "Anna"), sibling(2, "Bo")]
    blank = {"mail": None, "otherMails": [PARENT]}
    if remembered:
        synced(made_up, sync, siblings, known(1, "Anna"), known(2, "Bo"))
        for each in siblings:
            directory(made_up).change(each["id"], blank)
    else:
        first = [{**each, **blank} for each in siblings]
        (organisation,) = made_up.skolon.organisations
        made_up.skolon.fill(organisation, [known(1, "Anna"), known(2, "Bo")])
        for each in first:
            directory(made_up).add(each)
    for _ in range(2):
        run = sync.run(users=tuple(each["id"] for each in siblings))
        assert [eppn(made_up, each) for each in ("s1", "s2")] == ["anna@k.example", "bo@k.example"]
        assert values(made_up, "s1")["emails"][0]["value"] == "anna@k.example"
        assert warned(run) == [2]
        for each in siblings:
            receipt = receipt_of(sync, run, each)
            assert receipt.identity_kept == KEPT
            assert receipt.outcome in (Outcome.UPDATED, Outcome.UNCHANGED)
            assert "E-mail and EPPN" in str(receipt.detail)
            assert PARENT not in str(receipt.detail)


def test_a_tenant_may_have_it_replaced(made_up: Environment, sync: InProcessSync) -> None:
    """`replace_from_later_sources` names the attribute; the others are kept."""
    sync.store.tenants.change(TENANT_KEY, {"replace_from_later_sources": ["email"]})
    anna = sibling(1, "Anna", mail=None, otherMails=[PARENT])
    receipt = synced(made_up, sync, [anna], known(1, "Anna"))[anna["id"]]
    assert receipt.identity_kept == (Attribute.EPPN,)
    assert values(made_up, "s1")["emails"][0]["value"] == PARENT
    assert eppn(made_up, "s1") == "anna@k.example"


@pytest.mark.parametrize("remembered", [True, False])
def test_a_school_without_mail_has_its_renamed_users_written(
    made_up: Environment,
    sync: InProcessSync,
    remembered: bool,  # noqa: FBT001 - with and without a run before
) -> None:
    """The value always came from the user principal name, so no source went blank."""
    anna = sibling(1, "Anna", mail=None)
    renamed = {"userPrincipalName": "anna.gift@k.example"}
    if remembered:
        synced(made_up, sync, [anna], known(1, "Anna"))
        directory(made_up).change(anna["id"], renamed)
        run = sync.run(users=(anna["id"],))
        receipt = receipt_of(sync, run, anna)
    else:
        receipt = synced(made_up, sync, [{**anna, **renamed}], known(1, "Anna"))[anna["id"]]
    assert (receipt.outcome, receipt.identity_kept) == (Outcome.UPDATED, ())
    assert eppn(made_up, "s1") == "anna.gift@k.example"


def test_mail_that_goes_blank_does_not_fall_back_on_the_name(
    made_up: Environment, sync: InProcessSync
) -> None:
    """The EPPN came from mail, which is an earlier source than the user principal name."""
    anna = sibling(1, "Anna", userPrincipalName="upn1@k.example")
    synced(made_up, sync, [anna], known(1, "Anna"))
    directory(made_up).change(anna["id"], {"mail": None})
    run = sync.run(users=(anna["id"],))
    assert receipt_of(sync, run, anna).identity_kept == (Attribute.EPPN,)
    assert eppn(made_up, "s1") == "anna@k.example"
    directory(made_up).change(anna["id"], {"mail": "anna.ny@k.example"})
    healed = sync.run(users=(anna["id"],))
    assert receipt_of(sync, healed, anna).identity_kept == ()
    assert warned(healed) == []
    assert eppn(made_up, "s1") == "anna.ny@k.example"


def test_a_blank_value_is_filled_from_any_source(made_up: Environment, sync: InProcessSync) -> None:
    """What Skolon does not have cannot be lost."""
    anna = sibling(1, "Anna", mail=None, otherMails=["anna.hemma@k.example"])
    bare = known(1, "Anna")
    del bare["emails"]
    receipt = synced(made_up, sync, [anna], bare)[anna["id"]]
    assert receipt.identity_kept == (Attribute.EPPN,)
    assert values(made_up, "s1")["emails"][0]["value"] == "anna.hemma@k.example"


NEVER_FILLED: Final = "extensionAttribute3"


def test_a_source_that_never_had_a_value_is_none_that_went_blank(
    made_up: Environment, sync: InProcessSync
) -> None:
    """It is put before the others: the value still comes from mail, and follows it, tried and done."""
    anna = sibling(1, "Anna")
    synced(made_up, sync, [anna], known(1, "Anna"))
    directory(made_up).change(anna["id"], {"mail": "anna.ny@k.example"})
    order = [NEVER_FILLED, "mail", "otherMails", "userPrincipalName"]

    tried = sync.run(users=(anna["id"],), dry_run=True, settings={"sources": {"eppn": order}})
    foretold = receipt_of(sync, tried, anna)
    assert (foretold.outcome, foretold.identity_kept) == (Outcome.WOULD_UPDATE, ())
    assert Attribute.EPPN in foretold.changed

    sync.store.tenants.change(TENANT_KEY, {"sources": {"eppn": order}})
    assert receipt_of(sync, sync.run(users=(anna["id"],)), anna).identity_kept == ()
    assert eppn(made_up, "s1") == "anna.ny@k.example"
    # What had a value, and goes blank, still keeps it.
    directory(made_up).change(anna["id"], {"mail": None, "otherMails": [PARENT]})
    assert receipt_of(sync, sync.run(users=(anna["id"],)), anna).identity_kept == KEPT


def test_a_user_that_fails_is_not_right_because_of_a_source_without_values(
    made_up: Environment, sync: InProcessSync
) -> None:
    """Another user has the value: with the source before it too, in a preview and in each run after it."""
    anna = sibling(1, "Anna", mail="upptagen@k.example")
    held = skolon_user("s9", "Bo", "Berg", "upptagen@k.example")
    receipt = synced(made_up, sync, [anna], known(1, "Anna"), held)[anna["id"]]
    assert receipt.outcome is Outcome.DEAD_LETTERED
    order = [NEVER_FILLED, "mail", "otherMails", "userPrincipalName"]

    settings = {"sources": {"eppn": order}}
    tried = sync.run(users=(anna["id"],), dry_run=True, settings=settings)
    assert receipt_of(sync, tried, anna).outcome is Outcome.DEAD_LETTERED
    sync.store.tenants.change(TENANT_KEY, settings)
    for _ in range(2):
        again = receipt_of(sync, sync.run(users=(anna["id"],)), anna)
        assert (again.outcome, again.reason) == (receipt.outcome, receipt.reason)


def test_a_dry_run_foretells_it(made_up: Environment, sync: InProcessSync) -> None:
    """A dry run says what would be kept."""
    anna = sibling(1, "Anna", mail=None, otherMails=[PARENT], city="Falun")
    (organisation,) = made_up.skolon.organisations
    made_up.skolon.fill(organisation, [known(1, "Anna")])
    directory(made_up).add(anna)
    run = sync.run(users=(anna["id"],), dry_run=True)
    receipt = receipt_of(sync, run, anna)
    assert receipt.outcome is Outcome.WOULD_UPDATE
    assert receipt.identity_kept == KEPT
    assert not set(KEPT) & set(receipt.changed)
