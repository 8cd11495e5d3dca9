"""What a run only judged, and was halted for, does not count until a person lets it through."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from schemas.messages.messages import SyncRequest
from schemas.outcomes import Cause, Mode, Outcome, Status
from schemas.reports.user_status import SyncState, user_status_of
from schemas.users.attributes import Attribute
from store.maintenance.pruning import Limits
from tests.contract.store.factories import TENANT, begin_run, complete, dead_letter, result

if TYPE_CHECKING:
    from schemas.runs.run import Run
    from store.receipts.replays import Key, ReceiptState
    from store.store import Store

USERS = ("anna", "bo", "cecilia", "david")
QUESTIONS = pytest.mark.parametrize("cause", [Cause.GUARD_EXCEEDED, Cause.SUSPICIOUS_LIST])


@dataclass(frozen=True, kw_only=True)
class Failures:
    """A complete run in which three users failed, and a newer one that is halted.

    In the newer one Anna is unchanged, Bo is updated, Cecilia fails again, and so does David, who was right.
    """

    store: Store
    before: Run
    halted: Run

    def before_of(self, user: str) -> ReceiptState:
        return self.store.replays.states([(self.before.id, user)])[self.before.id, user]

    def state(self, user: str) -> SyncState:
        history = self.store.user_history.entries(TENANT, user)
        return user_status_of(history, None).state

    def open(self) -> set[tuple[int, str]]:
        return {key for key, state in self._dead().items() if not state.is_stale}

    def removable(self) -> set[tuple[int, str]]:
        return {key for key, state in self._dead().items() if state.is_removable}

    def _dead(self) -> dict[Key, ReceiptState]:
        keys = [(run.id, user) for run in (self.before, self.halted) for user in USERS]
        found = self.store.replays.states(keys)
        return {key: state for key, state in found.items() if state.outcome is Outcome.DEAD_LETTERED}

    def totals(self) -> tuple[int, int]:
        """Return how many users are in sync and failed, as `status` counts them."""
        users = self.store.tenant_overviews.load(dt.datetime.now(dt.UTC))[TENANT].users
        return users.in_sync, users.failures


def failures(store: Store, cause: Cause, *, halt: bool = True) -> Failures:
    before = begin_run(store, "before", *USERS)
    for user in ("anna", "bo", "cecilia"):
        store.receipts.mark_dead_lettered(before.id, user, dead_letter(), 1)
    store.receipts.finish(before.id, "david", result(Outcome.UNCHANGED, "s4"))
    complete(store, before)
    newer = begin_run(store, "newer", *USERS, "elin")
    store.receipts.finish(newer.id, "anna", result(Outcome.UNCHANGED, "s1"))
    store.claims.claim(newer.id, "bo", "s2", {Attribute.FIRST_NAME: "Bo"})
    store.receipts.finish(newer.id, "bo", result(Outcome.UPDATED, "s2"))
    for user in ("cecilia", "david"):
        store.receipts.mark_dead_lettered(newer.id, user, dead_letter(), 1)
    store.runs.finish_reading(newer.id)
    if halt:
        assert store.runs.halt(newer.id, cause, "made up")
    return Failures(store=store, before=before, halted=newer)


@QUESTIONS
def test_failures_stay_open_until_the_answer(store: Store, cause: Cause) -> None:
    """P9: what was written counts, what was judged does not; nothing is removed for good."""
    found = failures(store, cause)
    old = found.before.id
    assert found.open() == {(old, "anna"), (old, "cecilia")}
    assert found.removable() == set()
    assert found.totals() == (2, 2)
    assert found.state("anna") is found.state("cecilia") is SyncState.DEAD_LETTERED
    assert found.state("bo") is found.state("david") is SyncState.IN_SYNC
    assert store.replays.settled_later(old) == 1
    since = store.user_history.failing_since([(TENANT, user) for user in USERS])
    assert since.keys() == {(TENANT, "anna"), (TENANT, "cecilia")}
    assert since[TENANT, "cecilia"] == store.receipts.get(old, "cecilia").finished  # type: ignore[union-attr] # it is there


@QUESTIONS
def test_a_cancelled_run_never_judged(store: Store, cause: Cause) -> None:
    """After the answer too; the failures that it alone saw of synced users are stale for good."""
    found = failures(store, cause)
    assert store.runs.cancel(found.halted.id)
    old, cancelled = found.before.id, found.halted.id
    assert found.open() == {(old, "anna"), (old, "cecilia")}
    assert found.removable() == {(cancelled, "cecilia"), (cancelled, "david")}
    assert found.totals() == (2, 2)
    assert cancelled in store.cleanups.due_runs()


def test_a_run_that_is_let_through_counts(store: Store) -> None:
    """Its judgements count from then on, and for good when it is complete."""
    found = failures(store, Cause.GUARD_EXCEEDED)
    store.guard_counters.override(found.halted.id)
    store.runs.resume(found.halted.id)
    newer = found.halted.id
    assert found.open() == {(newer, "cecilia"), (newer, "david")}
    assert found.removable() == set()
    complete(store, found.halted)
    assert found.removable() == {(found.before.id, user) for user in ("anna", "bo", "cecilia")}
    assert found.state("anna") is SyncState.IN_SYNC


def test_an_open_run_removes_nothing(store: Store) -> None:
    """It may yet be halted by a question; until then its outcomes are what is shown."""
    found = failures(store, Cause.GUARD_EXCEEDED, halt=False)
    assert found.open() == {(found.halted.id, "cecilia"), (found.halted.id, "david")}
    assert found.removable() == set()


def test_other_halts_ask_nothing(store: Store) -> None:
    """A run that lost its credentials has judged right as far as it came."""
    found = failures(store, Cause.SKOLON_CREDENTIALS)
    assert found.open() == {(found.halted.id, "cecilia"), (found.halted.id, "david")}
    assert found.removable() == set()
    store.runs.cancel(found.halted.id)
    assert found.removable() == {(found.before.id, user) for user in ("anna", "bo", "cecilia")}


def test_a_first_run_tells_what_no_other_does(store: Store) -> None:
    """Without an earlier outcome a judgement is all that is known of a user, also when it is cancelled."""
    first = begin_run(store, "first", "anna", "bo")
    store.receipts.mark_dead_lettered(first.id, "anna", dead_letter(), 1)
    store.runs.halt(first.id, Cause.GUARD_EXCEEDED, "made up")
    for _ in range(2):
        state = store.replays.states([(first.id, "anna")])[first.id, "anna"]
        assert not state.is_stale
        assert not state.is_removable
        history = store.user_history.entries(TENANT, "anna")
        assert user_status_of(history, None).state is SyncState.DEAD_LETTERED
        store.runs.cancel(first.id)


def test_an_undone_run_never_judged(store: Store) -> None:
    """What an undo has restored does not count as written, so the failure before is open again."""
    found = failures(store, Cause.GUARD_EXCEEDED)
    request = SyncRequest(tenant=TENANT, mode=Mode.UNDO, reverts_run_id=found.halted.id)
    undo = store.triggers.open(request, "undo").run
    assert store.runs.get(found.halted.id).status is Status.CANCELLED
    store.receipts.create_pending(undo.id, ["bo"])
    store.claims.claim(undo.id, "bo", "s2", {Attribute.FIRST_NAME: "Bosse"})
    store.receipts.finish(undo.id, "bo", result(Outcome.UPDATED, "s2"))
    complete(store, undo)
    old = found.before.id
    assert found.open() == {(old, "anna"), (old, "bo"), (old, "cecilia")}


def test_an_older_message_waits_for_the_answer(store: Store) -> None:
    """P4: until the answer the newer run may change the user; afterwards it is as if it had never been."""
    found = failures(store, Cause.GUARD_EXCEEDED)

    def superseded(user: str) -> bool:
        item = store.work_items.load(found.before.id, user)
        assert item is not None
        return item.superseded

    assert superseded("anna")
    assert (found.before_of("anna").awaits_answer, found.before_of("bo").awaits_answer) == (True, False)
    store.runs.cancel(found.halted.id)
    assert not found.before_of("anna").awaits_answer
    assert (superseded("anna"), superseded("bo")) == (False, True)


def test_pruning_keeps_what_counts(store: Store) -> None:
    """A judgement of a cancelled run does not take the place of an older outcome."""
    found = failures(store, Cause.GUARD_EXCEEDED)
    store.runs.cancel(found.halted.id)
    later = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
    list(store.pruning.prune(Limits(receipts=later, runs=later)))
    assert store.receipts.get(found.before.id, "anna") is not None
    assert store.receipts.get(found.before.id, "cecilia") is not None
