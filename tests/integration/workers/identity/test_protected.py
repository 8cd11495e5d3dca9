"""Users that Skolon marks as protected (`securityMarking`). All people are made up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from schemas.outcomes import Outcome
from schemas.users.attributes import Attribute
from schemas.users.scim import SCHOOL_EXTENSION
from tests.integration.workers.identity.accounts import ADDRESS, account, skolon_user
from tests.integration.workers.test_pipeline import directory
from tests.integration.workers.test_undo import undo

if TYPE_CHECKING:
    import pytest

    from cli.sandbox.in_process_sync import InProcessSync
    from sandbox.environment import Environment


def mark(monkeypatch: pytest.MonkeyPatch, *ids: str) -> None:
    """Have Skolon show a marking of these users, which its schema does not have."""
    from clients.skolon import scim  # noqa: PLC0415 - patched here
    from schemas.users.scim import load_scim_user  # noqa: PLC0415 - as above

    def marked(data: object) -> dict[str, Any]:
        loaded = load_scim_user(data)
        return loaded | ({SCHOOL_EXTENSION: {"securityMarking": True}} if loaded["id"] in ids else {})

    monkeypatch.setattr(scim, "load_scim_user", marked)


def test_a_protected_user_is_never_changed(
    made_up: Environment, sync: InProcessSync, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is out of scope with that reason, in a run, a dry run and an undo; other users are updated."""
    (organisation,) = made_up.skolon.organisations
    made_up.skolon.fill(
        organisation,
        [
            skolon_user("s1", "Anna", "Andersson", ADDRESS),
            skolon_user("s2", "Bo", "Berg", "bo.berg@k.example"),
        ],
    )
    anna = account(1, "Anna", "Andersson", ADDRESS, city="Falun")
    bo = account(2, "Bo", "Berg", "bo.berg@k.example", city="Falun")
    for each in (anna, bo):
        directory(made_up).add(each)
    first = sync.run(users=(anna["id"],)).run
    directory(made_up).change(anna["id"], {"city": "Borl\u00e4nge"})
    before = made_up.skolon_user("s1")
    mark(monkeypatch, "s1")
    for dry_run in (False, True):
        run = sync.run(users=(anna["id"], bo["id"]), dry_run=dry_run).run
        receipts = {receipt.entra_id: receipt for receipt in sync.store.receipts.list(run.id)}
        assert receipts[anna["id"]].outcome is Outcome.OUT_OF_SCOPE
        assert receipts[anna["id"]].detail == "securityMarking: Skolon marks the user as protected"
        assert receipts[anna["id"]].changed == ()
        if not dry_run:
            assert Attribute.CITY in receipts[bo["id"]].changed
    assert made_up.skolon_user("s1") == before
    undone = undo(sync, first.id).run
    (receipt,) = sync.store.receipts.list(undone.id)
    assert receipt.outcome is Outcome.OUT_OF_SCOPE
    assert made_up.skolon_user("s1") == before
