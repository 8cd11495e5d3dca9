"""Values that Skolon keeps in another form: messages in, Skolon's end state out. All people are made up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from schemas.outcomes import Outcome
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
    return skolon_user("s1", "Anna", "Andersson", ADDRESS)


def anna(**further: Any) -> dict[str, Any]:
    return {**account(1, "Anna", "Andersson", ADDRESS, city="Falun", postalCode="791 70"), **further}


def alter(made_up: Environment) -> None:
    """Have Skolon keep the postal code without its space, in the version that the sync was told."""
    (organisation,) = made_up.skolon.organisations
    application = made_up.skolon._organisations[organisation]  # noqa: SLF001 - a server that alters values
    document = application.kept._documents["User"]["s1"]  # noqa: SLF001 - likewise
    document["addresses"][0]["postalCode"] = "79170"


def synced_again(made_up: Environment, sync: InProcessSync) -> tuple[RunSummary, Receipt, int]:
    """Run once more; return the run, the receipt, and how many updates Skolon got."""
    made_up.skolon.forget_requests()
    run = sync.run(users=(anna()["id"],))
    receipt = sync.store.receipts.get(run.run.id, anna()["id"])
    assert receipt is not None
    return run, receipt, made_up.skolon.requests().get("PATCH user", 0)


def warned(run: RunSummary) -> bool:
    return WarningKind.VALUES_ALTERED in [warning.kind for warning in run.warnings]


def test_an_altered_value_is_told_once_and_not_written_again(
    made_up: Environment, sync: InProcessSync
) -> None:
    """Row 15: the second run notices it, and no later run writes it."""
    synced(made_up, sync, [anna()], known())
    alter(made_up)
    for number in range(3):
        run, receipt, patches = synced_again(made_up, sync)
        assert (receipt.outcome, receipt.altered) == (Outcome.UNCHANGED, (Attribute.ZIP_CODE,))
        assert "Zip code" in str(receipt.detail)
        assert patches == 0
        assert warned(run) is (number == 0)

    directory(made_up).change(anna()["id"], {"city": "Borlänge"})
    _, receipt, patches = synced_again(made_up, sync)
    assert (receipt.changed, receipt.altered) == ((Attribute.CITY,), (Attribute.ZIP_CODE,))
    run, receipt, patches = synced_again(made_up, sync)
    assert (receipt.altered, patches, warned(run)) == ((Attribute.ZIP_CODE,), 0, False)

    directory(made_up).change(anna()["id"], {"postalCode": "781 70"})
    _, receipt, patches = synced_again(made_up, sync)
    assert (receipt.changed, receipt.altered, patches) == ((Attribute.ZIP_CODE,), (), 1)


def test_an_altered_value_of_a_dead_letter_is_told_once(made_up: Environment, sync: InProcessSync) -> None:
    """Another value breaks a rule, so that the user is a dead letter in each run."""
    synced(made_up, sync, [anna(onPremisesExtensionAttributes={"extensionAttribute1": "1"})], known())
    alter(made_up)
    told = []
    for _ in range(3):
        run, receipt, patches = synced_again(made_up, sync)
        assert (receipt.outcome, receipt.altered) == (Outcome.DEAD_LETTERED, (Attribute.ZIP_CODE,))
        assert patches == 0
        told.append(warned(run))
    assert told == [True, False, False]


def test_a_value_of_another_source_is_written(made_up: Environment, sync: InProcessSync) -> None:
    """A new version says that something has changed the user since."""
    synced(made_up, sync, [anna()], known())
    alter(made_up)
    (organisation,) = made_up.skolon.organisations
    made_up.skolon.change_behind(organisation, "s1")
    _, receipt, patches = synced_again(made_up, sync)
    assert (receipt.outcome, receipt.altered, patches) == (Outcome.UPDATED, (), 1)
    assert values(made_up, "s1")["addresses"][0]["postalCode"] == "791 70"


def test_what_an_undo_restored_is_written_again(made_up: Environment, sync: InProcessSync) -> None:
    """The undo has written the earlier value, so Skolon has altered nothing."""
    receipt = synced(made_up, sync, [anna()], known())[anna()["id"]]
    undo(sync, receipt.run)
    assert "locality" not in values(made_up, "s1")["addresses"][0]
    _, receipt, patches = synced_again(made_up, sync)
    assert (receipt.outcome, receipt.altered, patches) == (Outcome.UPDATED, (), 1)
