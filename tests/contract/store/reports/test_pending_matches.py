"""Which matches wait for a decision, out of receipts of several runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from schemas.dead_letter_reasons import Reason
from schemas.outcomes import Outcome, Stage
from schemas.runs.collision import Collision
from schemas.runs.sync_result import Failure
from tests.contract.store.factories import TENANT, begin_run, complete, result

if TYPE_CHECKING:
    from schemas.runs.run import Run
    from store.store import Store


def failed(store: Store, run: Run, user: str, reason: Reason, *candidates: str) -> None:
    collision = (
        Collision(holder_entra_id="eva", skolon_id=candidates[0]) if reason is Reason.COLLISION else None
    )
    failure = Failure(
        reason=reason,
        stage=Stage.MATCH,
        detail="",
        collision=collision,
        candidates=() if collision else candidates,
    )
    assert store.receipts.mark_dead_lettered(run.id, user, failure, 1)


def waiting(store: Store, skolon_id: str | None = None) -> dict[str, tuple[str, ...]]:
    found = store.pending_matches.load(TENANT, skolon_id=skolon_id, limit=10)
    assert found.count == len(found.matches)
    return {each.entra_id: each.skolon_ids for each in found.matches}


def test_matches_wait_with_the_skolon_users_that_were_found(store: Store) -> None:
    """Of the three reasons, and of no other; by the Skolon user too."""
    run = begin_run(store, "event", "anna", "bo", "cia", "dan")
    failed(store, run, "anna", Reason.SUSPICIOUS_MATCH, "s1")
    failed(store, run, "bo", Reason.AMBIGUOUS_MATCH, "s1", "s2")
    failed(store, run, "cia", Reason.COLLISION, "s3")
    failed(store, run, "dan", Reason.INVALID_USER)
    assert waiting(store) == {"anna": ("s1",), "bo": ("s1", "s2"), "cia": ("s3",)}
    assert waiting(store, "s2") == {"bo": ("s1", "s2")}
    found = store.pending_matches.load(TENANT, limit=1)
    assert (found.count, len(found.matches)) == (3, 1)


@pytest.mark.parametrize(
    ("outcome", "dry_run", "left"),
    [
        (Outcome.UPDATED, False, False),
        (Outcome.NOT_FOUND, False, False),
        (Outcome.WOULD_UPDATE, True, True),
        (Outcome.SUPERSEDED, False, True),
        (None, False, True),
    ],
)
def test_a_newer_run_settles_a_match(
    store: Store, outcome: Outcome | None, *, dry_run: bool, left: bool
) -> None:
    """Only if it has come to an outcome of its own, and was no dry run."""
    run = begin_run(store, "event", "anna")
    failed(store, run, "anna", Reason.SUSPICIOUS_MATCH, "s1")
    store.runs.cancel(run.id)
    newer = begin_run(store, "newer", "anna", dry_run=dry_run)
    if outcome is not None:
        store.receipts.finish(newer.id, "anna", result(outcome))
    assert waiting(store) == ({"anna": ("s1",)} if left else {})


def test_a_user_that_the_last_full_run_did_not_list_is_gone(store: Store) -> None:
    """What a dry run found does not wait either."""
    run = begin_run(store, "event", "anna")
    failed(store, run, "anna", Reason.SUSPICIOUS_MATCH, "s1")
    store.runs.cancel(run.id)
    complete(store, begin_run(store, "full", "bo"))
    dry = begin_run(store, "dry", "bo", dry_run=True)
    failed(store, dry, "bo", Reason.SUSPICIOUS_MATCH, "s1")
    assert waiting(store) == {}
