"""An undo that fails for a user: nothing is written for this user until a person has decided."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from administration.matches.decisions import MatchDecider
from devtools.commands import command_environment, json_output, update_sync
from sandbox.environment import TENANT_KEY, Environment
from sandbox.municipality.made_up_user import SKOLON_SCHEMA
from schemas.dead_letter_reasons import Reason
from schemas.errors import UsageError
from schemas.outcomes import Mode, Outcome
from schemas.tenants.match_decision import DecisionKind
from tests.integration.cli.json_docs import faults
from tests.integration.workers.identity.accounts import DOMAIN, account, skolon_user, synced, values
from tests.integration.workers.identity.test_match_decisions import again, decide
from tests.integration.workers.test_undo import undo

if TYPE_CHECKING:
    from pathlib import Path

    from cli.sandbox.in_process_sync import InProcessSync

#: Two people of one name: the younger one was linked to the account of the older one by mistake.
YOUNG: Final = account(1, "Anna", "Andersson", f"anna.2@{DOMAIN}")
OLD: Final = skolon_user("s1", "Anna", "Andersson", f"anna@{DOMAIN}", own={"eppn": f"double@{DOMAIN}"})

#: Skolon has the EPPN of the older one twice.
DOUBLE: Final = skolon_user("s2", "Bea", "Berg", f"bea@{DOMAIN}", own={"eppn": f"double@{DOMAIN}"})


@pytest.fixture
def linked(made_up: Environment, sync: InProcessSync) -> int:
    """Give the run that wrote because of the wrong link; the link was taken back."""
    synced(made_up, sync, [YOUNG], OLD, DOUBLE)
    sync.run()
    decide(sync, DecisionKind.LINK, entra_id=YOUNG["id"], skolon_id="s1")
    written = again(sync, YOUNG)
    assert written.outcome is Outcome.UPDATED
    decider(sync).forget(entra_id=YOUNG["id"])
    return written.run


def decider(sync: InProcessSync) -> MatchDecider:
    return MatchDecider(tenant=TENANT_KEY, operator="admin", store=sync.store)


def correct(made_up: Environment) -> None:
    """Give the other Skolon user an EPPN of its own, as a person does in Skolon."""
    (organisation,) = made_up.skolon.organisations
    others = [values(made_up, "s1"), {**DOUBLE, SKOLON_SCHEMA: {"eppn": f"bea@{DOMAIN}"}}]
    made_up.skolon.fill(organisation, others)


def failed_undo(sync: InProcessSync, run: int) -> int:
    summary = undo(sync, run)
    assert summary.reasons == {Reason.UNDO_FAILED: 1}
    return summary.run.id


def state(made_up: Environment) -> dict[str, Any]:
    return values(made_up, "s1")


@pytest.mark.parametrize("mode", [Mode.DELTA, Mode.FULL])
def test_a_failed_undo_holds_the_user(
    made_up: Environment, sync: InProcessSync, linked: int, mode: Mode
) -> None:
    """What an undo could restore is not written over again by the next run, which says why."""
    undone_by = failed_undo(sync, linked)
    before = state(made_up)
    assert before["userName"] == OLD["userName"]
    for _ in range(2):
        summary = sync.run(mode=mode)
        receipt = sync.store.receipts.get(summary.run.id, YOUNG["id"])
        assert receipt is not None
        assert (receipt.outcome, receipt.reason) == (Outcome.DEAD_LETTERED, Reason.UNDO_FAILED)
        assert f"undo run {undone_by}" in (receipt.detail or "")
        assert state(made_up) == before
    (held,) = sync.store.failed_undos.list(TENANT_KEY)
    assert (held.entra_id, held.run, held.undo_run, held.skolon_id) == (YOUNG["id"], linked, undone_by, "s1")
    assert held.detail is not None
    assert "s2" in held.detail


def test_a_second_undo_ends_it(made_up: Environment, sync: InProcessSync, linked: int) -> None:
    """Once Skolon was corrected, the same undo restores the rest, and the user is synced again."""
    failed_undo(sync, linked)
    sync.run(mode=Mode.DELTA)
    correct(made_up)
    assert undo(sync, linked).reasons == {}
    assert state(made_up) == OLD
    assert sync.store.failed_undos.list(TENANT_KEY) == []
    assert again(sync, YOUNG).outcome is Outcome.NOT_FOUND


@pytest.mark.parametrize(
    ("kind", "about", "outcome"),
    [
        (DecisionKind.LINK, {"entra_id": YOUNG["id"], "skolon_id": "s1"}, Outcome.UPDATED),
        (DecisionKind.IGNORE, {"entra_id": YOUNG["id"]}, Outcome.OUT_OF_SCOPE),
        (DecisionKind.IGNORE, {"skolon_id": "s1"}, Outcome.NOT_FOUND),
    ],
)
def test_a_decision_ends_it(  # noqa: PLR0913, PLR0917 - fixtures and parameters
    made_up: Environment,
    sync: InProcessSync,
    linked: int,
    kind: DecisionKind,
    about: dict[str, str],
    outcome: Outcome,
) -> None:
    """A decision about either user is what was waited for."""
    del made_up
    failed_undo(sync, linked)
    decide(sync, kind, **about)
    assert sync.store.failed_undos.list(TENANT_KEY) == []
    assert again(sync, YOUNG).outcome is outcome


def test_forgetting_it_lets_the_sync_match_the_user_again(
    made_up: Environment, sync: InProcessSync, linked: int
) -> None:
    """`matches forget` is a decision too: that of a person who knows what the next run will do."""
    del made_up
    failed_undo(sync, linked)
    decided = decider(sync).forget(entra_id=YOUNG["id"])
    assert decided.users == [YOUNG["id"]]
    assert sync.store.failed_undos.list(TENANT_KEY) == []
    assert again(sync, YOUNG).outcome is Outcome.UPDATED
    with pytest.raises(UsageError, match="no decision"):
        decider(sync).forget(entra_id=YOUNG["id"])


def test_it_is_in_the_lists(made_up: Environment, sync: InProcessSync, linked: int, tmp_path: Path) -> None:
    """`matches list` and `status` name it, at once and after the next run, with the ways out."""
    del made_up
    env = command_environment(UPDATE_SYNC_DATABASE_URL=f"sqlite:///{tmp_path / 'sandbox.sqlite'}")
    failed_undo(sync, linked)
    for _ in range(2):
        listed = json_output("matches", "list", TENANT_KEY, env=env)
        assert list(faults(listed, "MatchList")) == []
        assert [each["user"] for each in listed["failed_undos"]] == [YOUNG["id"]]
        shown = update_sync("matches", "list", TENANT_KEY, env=env).stdout
        for way_out in (
            f"update-sync runs undo {linked} --user {YOUNG['id']}",
            f"update-sync matches ignore {TENANT_KEY} --user {YOUNG['id']}",
            f"update-sync matches forget {TENANT_KEY} --user {YOUNG['id']}",
        ):
            assert way_out in shown
        assert "1 failed" in " ".join(update_sync("status", env=env).stdout.split()).replace("1 user", "1")
        sync.run(mode=Mode.DELTA)


def test_a_dry_run_of_an_undo_holds_no_user(made_up: Environment, sync: InProcessSync, linked: int) -> None:
    """It tells that the undo would fail, and leaves nothing."""
    del made_up
    assert undo(sync, linked, dry_run=True).reasons == {Reason.UNDO_FAILED: 1}
    assert sync.store.failed_undos.list(TENANT_KEY) == []
