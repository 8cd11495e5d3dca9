"""Administrators' decisions about matches: a message in, Skolon's end state out. All people are made up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from administration.matches.decisions import MatchDecider
from sandbox.environment import TENANT_KEY, Environment
from sandbox.municipality.made_up_user import SKOLON_SCHEMA
from schemas.dead_letter_reasons import Reason
from schemas.outcomes import Mode, NotFoundReason, Outcome
from schemas.tenants.match_decision import DecisionKind
from tests.integration.workers.identity.accounts import (
    ADDRESS,
    DOMAIN,
    account,
    skolon_user,
    synced,
    values,
)
from tests.integration.workers.test_undo import undo

if TYPE_CHECKING:
    from cli.sandbox.in_process_sync import InProcessSync
    from schemas.runs.receipt import Receipt


ANNA: Final = account(1, "Anna", "Andersson", ADDRESS)

#: An account that was made by hand, and is found by e-mail.
HAND_MADE: Final = skolon_user("s1", "Solros", "Fjäril", f"solros@{DOMAIN}") | {
    "emails": [{"value": ADDRESS, "type": "work", "primary": True}],
    SKOLON_SCHEMA: {},
}


def decide(sync: InProcessSync, kind: DecisionKind, **about: str) -> None:
    """Decide about users; a link has both ids."""
    sync.store.match_decisions.add(TENANT_KEY, kind, operator="admin", **about)


def again(sync: InProcessSync, user: dict[str, Any], *, dry_run: bool = False) -> Receipt:
    """Sync a user once more and return the receipt."""
    summary = sync.run(users=(user["id"],), dry_run=dry_run)
    receipt = sync.store.receipts.get(summary.run.id, user["id"])
    assert receipt is not None
    return receipt


@pytest.mark.parametrize("keys", [["email"], ["idp_identifier"], ["external_id", "email"]])
def test_a_linked_user_is_written(made_up: Environment, sync: InProcessSync, keys: list[str]) -> None:
    """A link is evidence: it stands in a dry run and in later runs, whatever the keys find."""
    sync.store.tenants.change(TENANT_KEY, {"match_keys": keys, "trust_receipts_days": 7})
    before = synced(made_up, sync, [ANNA], HAND_MADE)[ANNA["id"]]
    assert before.outcome in (Outcome.DEAD_LETTERED, Outcome.NOT_FOUND)
    decide(sync, DecisionKind.LINK, entra_id=ANNA["id"].upper(), skolon_id="s1")
    assert again(sync, ANNA, dry_run=True).outcome is Outcome.WOULD_UPDATE
    assert values(made_up, "s1") == HAND_MADE
    assert (again(sync, ANNA).outcome, again(sync, ANNA).outcome) == (Outcome.UPDATED, Outcome.UNCHANGED)
    assert values(made_up, "s1")["externalId"] == ANNA["id"]


def test_a_link_to_a_user_that_is_gone_from_skolon(made_up: Environment, sync: InProcessSync) -> None:
    """The sync makes no user, and takes no other one in its place."""
    decide(sync, DecisionKind.LINK, entra_id=ANNA["id"], skolon_id="gone")
    receipt = synced(made_up, sync, [ANNA], skolon_user("s1", "Anna", "Andersson", ADDRESS))[ANNA["id"]]
    assert receipt.outcome is Outcome.NOT_FOUND
    assert receipt.not_found_reason is NotFoundReason.NO_LONGER_IN_SKOLON


@pytest.mark.parametrize(
    "about", [{"skolon_id": "s1"}, {"skolon_id": "s1", "entra_id": "00000000-0000-4000-8000-00000000000f"}]
)
@pytest.mark.parametrize("own", [False, True])
def test_an_excluded_skolon_user_is_never_written(
    made_up: Environment, sync: InProcessSync, about: dict[str, str], *, own: bool
) -> None:
    """It is left alone, or another account's: also if its External Id is this account's, and is verified."""
    sync.store.tenants.change(TENANT_KEY, {"trust_receipts_days": 7})
    external_id = {"externalId": ANNA["id"]} if own else {}
    known = skolon_user("s1", "Anna", "Andersson", ADDRESS, **external_id)
    verified = synced(made_up, sync, [ANNA], known)[ANNA["id"]]
    assert verified.outcome is Outcome.UPDATED
    before = values(made_up, "s1")
    decide(sync, DecisionKind.LINK if "entra_id" in about else DecisionKind.IGNORE, **about)
    receipt = again(sync, ANNA)
    assert receipt.outcome is Outcome.NOT_FOUND
    assert receipt.not_found_reason is NotFoundReason.EXCLUDED_BY_DECISION
    assert receipt.candidates == ("s1",)
    assert sync.store.pending_matches.affected_users(TENANT_KEY, skolon_id="s1") == [ANNA["id"]]
    assert values(made_up, "s1") == before


def test_an_ignored_skolon_user_settles_an_ambiguous_match(made_up: Environment, sync: InProcessSync) -> None:
    """Of two Skolon users with one EPPN the one that is left is the match."""
    two = [
        skolon_user(user_id, "Anna", "Andersson", f"{user_id}@{DOMAIN}", own={"eppn": ADDRESS})
        for user_id in ("s1", "s2")
    ]
    assert synced(made_up, sync, [ANNA], *two)[ANNA["id"]].reason is Reason.AMBIGUOUS_MATCH
    decide(sync, DecisionKind.IGNORE, skolon_id="s1")
    receipt = again(sync, ANNA)
    assert (receipt.outcome, receipt.skolon_id) == (Outcome.UPDATED, "s2")
    assert values(made_up, "s1") == two[0]


@pytest.mark.parametrize("undo_first", [False, True], ids=["forget, undo", "undo, forget"])
def test_a_forgotten_link_is_found_out_again(
    made_up: Environment, sync: InProcessSync, *, undo_first: bool
) -> None:
    """Whichever is first, the next delta brings both users back to where they were; no request is needed."""
    cleo = account(3, "Cleo", "Ceder", f"cleo@{DOMAIN}")
    synced(made_up, sync, [ANNA, cleo], HAND_MADE)
    sync.run()
    before = [again(sync, each) for each in (ANNA, cleo)]
    waiting = sync.store.pending_matches.affected_users(TENANT_KEY, skolon_id="s1")
    sync.store.match_decisions.add(
        TENANT_KEY, DecisionKind.LINK, entra_id=cleo["id"], skolon_id="s1", affected=[cleo["id"], *waiting]
    )
    left = [again(sync, each) for each in (cleo, ANNA)]
    # The link has overwritten the e-mail address by which Anna matched.
    assert [each.outcome for each in left] == [Outcome.UPDATED, Outcome.NOT_FOUND]
    decider = MatchDecider(tenant=TENANT_KEY, operator="admin", store=sync.store)
    if undo_first:
        undo(sync, left[0].run)
    decided = decider.forget(skolon_id="s1")
    assert set(decided.users) == {ANNA["id"], cleo["id"]}
    if not undo_first:
        undo(sync, left[0].run)
    summary = sync.run(mode=Mode.DELTA)
    after = [sync.store.receipts.get(summary.run.id, each["id"]) for each in (ANNA, cleo)]
    assert [_facts(each) for each in after] == [_facts(each) for each in before]
    assert values(made_up, "s1") == HAND_MADE


def _facts(receipt: Receipt | None) -> tuple[object, ...]:
    assert receipt is not None
    return receipt.outcome, receipt.reason, receipt.not_found_reason, receipt.candidates, receipt.detail


def test_an_undo_without_a_link_is_not_written_again_by_a_delta(
    made_up: Environment, sync: InProcessSync
) -> None:
    """An undo restores what a wrong mapping wrote: a delta that read the user again would write it anew."""
    known = skolon_user("s1", "Anna", "Andersson", ADDRESS)
    receipt = synced(made_up, sync, [ANNA], known)[ANNA["id"]]
    sync.run()
    undo(sync, receipt.run)
    summary = sync.run(mode=Mode.DELTA)
    assert sync.store.receipts.get(summary.run.id, ANNA["id"]) is None


def test_an_ignored_user_that_is_forgotten_frees_those_that_wait(
    made_up: Environment, sync: InProcessSync
) -> None:
    """A decision about an account is also about the users that collide with it."""
    other = account(2, "Anna", "Andersson", f"anna.2@{DOMAIN}")
    known = skolon_user("s1", "Anna", "Andersson", ADDRESS, externalId=other["id"])
    synced(made_up, sync, [ANNA, other], known)
    affected = sync.store.pending_matches.affected_users(TENANT_KEY, entra_id=other["id"])
    assert affected == [ANNA["id"]]


def test_an_ignored_entra_user_is_out_of_scope(made_up: Environment, sync: InProcessSync) -> None:
    """The detail says why, and a decision that is taken back is none."""
    known = skolon_user("s1", "Anna", "Andersson", ADDRESS)
    decide(sync, DecisionKind.IGNORE, entra_id=ANNA["id"])
    receipt = synced(made_up, sync, [ANNA], known)[ANNA["id"]]
    assert (receipt.outcome, receipt.detail) == (
        Outcome.OUT_OF_SCOPE,
        "matches ignore: the user is left alone",
    )
    assert values(made_up, "s1") == known
    (decision,) = sync.store.match_decisions.list(TENANT_KEY)
    assert sync.store.match_decisions.remove(TENANT_KEY, decision)
    assert again(sync, ANNA).outcome is Outcome.UPDATED


@pytest.mark.parametrize("about", [{}, {"skolon_id": "s2"}], ids=["ignored", "linked elsewhere"])
def test_an_owner_that_a_decision_excludes_holds_up_no_other(
    made_up: Environment, sync: InProcessSync, about: dict[str, str]
) -> None:
    """The Skolon user with an account's External Id is free for another once that account is settled."""
    other = account(2, "Anna", "Andersson", f"anna.2@{DOMAIN}")
    known = skolon_user("s1", "Anna", "Andersson", ADDRESS, externalId=other["id"])
    receipts = synced(made_up, sync, [ANNA, other], known)
    assert receipts[ANNA["id"]].reason is Reason.COLLISION
    made_up.skolon.fill(next(iter(made_up.skolon.organisations)), [known])
    decide(sync, DecisionKind.LINK if about else DecisionKind.IGNORE, entra_id=other["id"], **about)
    assert again(sync, ANNA).outcome is Outcome.UPDATED
    assert values(made_up, "s1")["externalId"] == ANNA["id"]
