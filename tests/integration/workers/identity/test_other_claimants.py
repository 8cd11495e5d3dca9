"""What a decision does to the other users that it is about, and how all of it is undone. All are made up."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Final

import pytest

from administration.matches.affected import DecisionEffects, LostValue
from administration.matches.decisions import MatchDecider
from bootstrap.message_services import MessageServices
from sandbox.environment import TENANT_KEY, Environment
from schemas.dead_letter_reasons import Reason
from schemas.outcomes import Mode, NotFoundReason, Outcome
from schemas.tenants.match_decision import DecisionKind
from schemas.users.attributes import Attribute
from tests.integration.workers.identity.accounts import DOMAIN, account, skolon_user, synced, values
from tests.integration.workers.identity.test_failed_undo import DOUBLE, OLD, YOUNG
from tests.integration.workers.identity.test_match_decisions import again, decide
from tests.integration.workers.test_undo import undo

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cli.sandbox.in_process_sync import InProcessSync
    from clients.gateways import Gateways

#: Two accounts of one name that share an EPPN, and the two Skolon users that have it.
SHARED: Final = f"anna@{DOMAIN}"
ANNA: Final = account(1, "Anna", "Andersson", f"anna.1@{DOMAIN}", mail=SHARED)
OTHER: Final = account(2, "Anna", "Andersson", f"anna.2@{DOMAIN}", mail=SHARED)
TWINS: Final = [
    skolon_user(user_id, "Anna", "Andersson", f"{user_id}@{DOMAIN}", own={"eppn": SHARED})
    for user_id in ("s1", "s2")
]


@pytest.fixture
def gateways(sync: InProcessSync) -> Iterator[Gateways]:
    """Return gateways of a command's own, as an administrator's command has them."""
    services = MessageServices(sync.settings, pool_size=2)
    with closing(services.store):
        yield services.gateways


@pytest.fixture
def effects(sync: InProcessSync, gateways: Gateways) -> DecisionEffects:
    return DecisionEffects(TENANT_KEY, store=sync.store, gateways=gateways)


def test_the_other_claimant_is_told_before_and_undone_after(
    made_up: Environment, sync: InProcessSync, gateways: Gateways, effects: DecisionEffects
) -> None:
    """A link hands the other one another Skolon user; taking it back names the undos of both."""
    receipts = synced(made_up, sync, [ANNA, OTHER], *TWINS)
    assert {each.reason for each in receipts.values()} == {Reason.AMBIGUOUS_MATCH}
    sync.run()
    told = effects.of_deciding(DecisionKind.LINK, entra_id=ANNA["id"], skolon_id="s1")
    assert [(each.user, each.outcome, each.skolon_id) for each in told] == [
        (OTHER["id"], Outcome.WOULD_UPDATE, "s2")
    ]
    assert Attribute.EXTERNAL_ID in told[0].changes

    decider = MatchDecider(tenant=TENANT_KEY, operator="admin", store=sync.store)
    decided = decider.link(ANNA["id"], "s1", gateways)
    assert list(decided.users) == [ANNA["id"], OTHER["id"]]
    written = {user["id"]: again(sync, user) for user in (ANNA, OTHER)}
    assert {each.outcome for each in written.values()} == {Outcome.UPDATED}
    assert written[OTHER["id"]].skolon_id == "s2"

    taken_back = decider.forget(entra_id=ANNA["id"])
    assert {(each.user, each.entry.run) for each in taken_back.wrote} == {
        (user, receipt.run) for user, receipt in written.items()
    }
    for receipt in written.values():
        undo(sync, receipt.run)
    assert [values(made_up, user_id) for user_id in ("s1", "s2")] == TWINS
    summary = sync.run(mode=Mode.DELTA)
    for user in (ANNA, OTHER):
        found = sync.store.receipts.get(summary.run.id, user["id"])
        assert found is not None
        assert found.reason is Reason.AMBIGUOUS_MATCH


def test_an_undone_user_whose_skolon_user_was_ignored_is_read_again(
    made_up: Environment, sync: InProcessSync
) -> None:
    """A wrong match without a link: ignored, undone, and found out again by the next delta."""
    synced(made_up, sync, [YOUNG], skolon_user("s1", "Anna", "Andersson", YOUNG["mail"]))
    sync.run()
    (entry, *_) = sync.store.user_history.entries(TENANT_KEY, YOUNG["id"])[::-1]
    decide(sync, DecisionKind.IGNORE, skolon_id="s1")
    undo(sync, entry.run)
    summary = sync.run(mode=Mode.DELTA)
    receipt = sync.store.receipts.get(summary.run.id, YOUNG["id"])
    assert receipt is not None
    assert receipt.not_found_reason is NotFoundReason.EXCLUDED_BY_DECISION


@pytest.mark.parametrize("is_double", [True, False])
def test_a_link_tells_what_an_undo_could_not_restore(
    made_up: Environment, sync: InProcessSync, effects: DecisionEffects, *, is_double: bool
) -> None:
    """Another Skolon user has a value that the link would overwrite."""
    synced(made_up, sync, [YOUNG], OLD, *([DOUBLE] if is_double else []))
    lost = effects.lost_values(YOUNG["id"], "s1")
    assert lost == ([LostValue(attribute=Attribute.EPPN, skolon_ids=("s2",))] if is_double else [])
