"""One truth: each report tells the same of a user, whatever full, delta and undo runs have done to it."""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, insert, select, update

from schemas.dead_letter_reasons import Reason
from schemas.outcomes import Cause, Mode, Outcome, Status
from schemas.reports.user_status import SyncState, user_status_of
from store import tables
from tests.contract.store.factories import TENANT

if TYPE_CHECKING:
    from store.store import Store

START = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
NOW = START + dt.timedelta(days=30)
U, S, F, N, O = (  # noqa: E741 - short, so that a history is a word
    Outcome.UPDATED,
    Outcome.UNCHANGED,
    Outcome.DEAD_LETTERED,
    Outcome.NOT_FOUND,
    Outcome.OUT_OF_SCOPE,
)


class History:
    """The runs of a tenant, one a day, written as they end up in the database."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.runs: list[int] = []
        with store.database.transaction() as connection:
            self.tenant_id = connection.scalar(select(tables.tenants.c.id))

    def run(
        self,
        outcomes: dict[str, Outcome],
        *,
        mode: Mode = Mode.FULL,
        reverts: int | None = None,
        **values: Any,
    ) -> int:
        """Record a run and return its id; `reverts` is the place in `runs` of the one that it undoes."""
        at = START + dt.timedelta(days=len(self.runs))
        is_judgement = "cause" in values
        run = {
            "uid": f"{len(self.runs):032}",
            "tenant_id": self.tenant_id,
            "mode": mode,
            "dry_run": False,
            "users": [],
            "status": Status.COMPLETED,
            "attempt": 1,
            "max_attempt": 1,
            "listing_complete": True,
            "read_all_users": mode is Mode.FULL,
            "started": at,
            "finished": at,
            "reverts_run_id": None if reverts is None else self.runs[reverts],
            **values,
        }
        with self.store.database.transaction() as connection:
            connection.execute(insert(tables.runs).values(run))
            run_id = connection.scalar(select(func.max(tables.runs.c.id)))
            for user, outcome in outcomes.items():
                wrote = outcome is U and not is_judgement
                receipt = {
                    "run_id": run_id,
                    "entra_id": user,
                    "tenant_id": self.tenant_id,
                    "outcome": outcome,
                    "reason": Reason.INVALID_USER if outcome is F else None,
                    "published_at": at,
                    "finished_at": at,
                    "claimed_at": at if wrote else None,
                }
                connection.execute(insert(tables.receipts).values(receipt))
        self.runs.append(run_id)
        return int(run_id)

    def replay(self, user: str, outcome: Outcome) -> None:
        """Record that the failure of a user's sync was tried again after the last run."""
        told = user_status_of(self.store.user_history.entries(TENANT, user), None).latest
        if told is None or told.outcome is not F or told.is_undo:
            return
        receipts = tables.receipts
        at = START + dt.timedelta(days=len(self.runs) - 0.5)
        with self.store.database.transaction() as connection:
            connection.execute(
                update(receipts)
                .where(receipts.c.run_id == told.run, receipts.c.entra_id == user)
                .values(outcome=outcome, reason=None, finished_at=at, claimed_at=at if outcome is U else None)
            )

    def state(self, user: str) -> SyncState:
        return user_status_of(self.store.user_history.entries(TENANT, user), None).state


@pytest.fixture
def history(store: Store) -> History:
    return History(store)


def totals_of(store: Store) -> Counter[SyncState]:
    """Return how many users have which state, as `status` and `tenants freshness` count them."""
    users = store.tenant_overviews.user_totals(NOW, [TENANT])[TENANT]
    assert store.tenant_overviews.load(NOW)[TENANT].users == users
    # Without the states that no user has.
    return +Counter(
        {
            SyncState.IN_SYNC: users.in_sync,
            SyncState.REVERTED: users.reverted,
            SyncState.DEAD_LETTERED: users.failures,
            SyncState.NOT_IN_SKOLON: users.not_found,
            SyncState.EXCLUDED: users.out_of_scope,
        }
    )


def test_an_undo_ends_no_failure(store: Store, history: History) -> None:
    """A user that failed is failed after the undo of the run that wrote its other values, and since then."""
    history.run({"anna": F, "bo": U, "cleo": F})
    history.run({"anna": F, "bo": F}, mode=Mode.DELTA)
    history.run({"anna": U, "bo": U}, mode=Mode.UNDO, reverts=0)
    assert totals_of(store) == {SyncState.DEAD_LETTERED: 3}
    since = store.user_history.failing_since({(TENANT, user) for user in ("anna", "bo", "cleo")})
    assert {user: (at - START).days for (_, user), at in since.items()} == {"anna": 0, "bo": 1, "cleo": 0}
    told = user_status_of(store.user_history.entries(TENANT, "anna"), None)
    assert (told.state, told.since, told.latest and told.latest.run) == (SyncState.DEAD_LETTERED, START, 2)


def test_a_replay_after_an_undo_tells_more_than_the_undo(store: Store, history: History) -> None:
    """Skolon has what Entra says again: the user is in sync, and not restored."""
    history.run({"anna": F, "bo": F, "cleo": U})
    history.run({"anna": U, "bo": U, "cleo": U}, mode=Mode.UNDO, reverts=0)
    history.replay("anna", U)
    assert totals_of(store) == {SyncState.IN_SYNC: 1, SyncState.DEAD_LETTERED: 1, SyncState.REVERTED: 1}
    assert [entry.undone_by for entry in store.user_history.entries(TENANT, "anna")] == [None, None]
    history.run({"anna": U}, mode=Mode.UNDO, reverts=0)
    assert history.state("anna") is SyncState.REVERTED
    assert totals_of(store)[SyncState.REVERTED] == 2


def test_an_undo_of_a_whole_run(store: Store, history: History) -> None:
    """What it restored is reverted; what the run had not written, or had failed or left out, stays that."""
    history.run({"anna": U, "bo": S, "cleo": F, "dora": N, "elin": O, "finn": U})
    history.run({"anna": U, "finn": S}, mode=Mode.UNDO, reverts=0)
    assert totals_of(store) == {
        SyncState.REVERTED: 2,
        SyncState.IN_SYNC: 1,
        SyncState.DEAD_LETTERED: 1,
        SyncState.NOT_IN_SKOLON: 1,
        SyncState.EXCLUDED: 1,
    }
    anna = {entry.run: entry for entry in store.user_history.entries(TENANT, "anna")}
    assert (anna[1].undone_by, anna[1].undone_at) == (2, START + dt.timedelta(days=1))
    assert anna[1].result_text == "updated; undone by run 2"
    # The undo met nothing of what the run had written to Finn: there was nothing to undo.
    assert [entry.undone_by for entry in store.user_history.entries(TENANT, "finn")] == [None, None]


def test_an_undo_that_wrote_nothing_leaves_what_newer_runs_did(store: Store, history: History) -> None:
    """A newer run's values are that run's; and a user that the undone run never wrote is as before."""
    history.run({"anna": U, "bo": S})
    history.run({"anna": U}, mode=Mode.DELTA)
    history.run({"anna": S, "bo": S}, mode=Mode.UNDO, reverts=0)
    assert totals_of(store) == {SyncState.IN_SYNC: 2}


def test_a_failed_undo_is_a_failure_until_a_run_or_an_undo_settles_it(store: Store, history: History) -> None:
    """The next undo that succeeds reverts the user; a sync that fails later is its own failure."""
    history.run({"anna": U, "bo": U})
    history.run({"anna": F, "bo": F}, mode=Mode.UNDO, reverts=0)
    assert totals_of(store) == {SyncState.DEAD_LETTERED: 2}
    history.run({"anna": U}, mode=Mode.UNDO, reverts=0)
    assert totals_of(store) == {SyncState.DEAD_LETTERED: 1, SyncState.REVERTED: 1}
    history.run({"bo": S}, mode=Mode.DELTA)
    assert totals_of(store) == {SyncState.IN_SYNC: 1, SyncState.REVERTED: 1}


@pytest.mark.parametrize("seed", range(5))
def test_all_reports_agree(store: Store, history: History, seed: int) -> None:
    """Totals, the status of each user, since when it fails and its open dead letters say the same.

    The histories are drawn at random: full, delta and undo runs, replays, and runs that the guard has
    halted.
    """
    draw = random.Random(seed)  # noqa: S311 - a draw of made-up histories
    users = [f"00000000-0000-4000-8000-{number:012}" for number in range(24)]
    history.run({user: draw.choice((U, S, F, N, O)) for user in users})
    for _ in range(7):
        chosen = draw.sample(users, draw.randint(3, len(users)))
        kind = draw.choice(("delta", "undo", "undo", "full", "halted", "replay"))
        if kind == "undo":
            history.run(
                {user: draw.choice((U, U, S, F, N)) for user in chosen},
                mode=Mode.UNDO,
                reverts=draw.randrange(len(history.runs)),
            )
        elif kind == "replay":
            for user in chosen:
                history.replay(user, draw.choice((U, S, N)))
        elif kind == "halted":
            status = draw.choice((Status.HALTED, Status.CANCELLED))
            history.run(
                {user: draw.choice((S, F, N)) for user in chosen},
                mode=Mode.DELTA,
                status=status,
                cause=Cause.GUARD_EXCEEDED,
            )
        else:
            outcomes = {user: draw.choice((U, S, F, N, O)) for user in (chosen if kind == "delta" else users)}
            history.run(outcomes, mode=Mode.DELTA if kind == "delta" else Mode.FULL)
    told = {user: user_status_of(store.user_history.entries(TENANT, user), None) for user in users}
    assert totals_of(store) == Counter(each.state for each in told.values())
    failing = {user for user, each in told.items() if each.state is SyncState.DEAD_LETTERED}
    since = store.user_history.failing_since({(TENANT, user) for user in users})
    assert {user: at for (_, user), at in since.items() if user in failing} == {
        user: told[user].since for user in failing
    }
    listed = store.open_failures.page(TENANT, None, after="", limit=100)
    assert {(each.entra_id, each.since) for each in listed} == {(user, told[user].since) for user in failing}
    assert len(listed) == len(failing)
    keys = [(run, user) for run in history.runs for user in users]
    states = store.replays.states(keys)
    assert {
        user
        for (_, user), state in states.items()
        if state.outcome is Outcome.DEAD_LETTERED and not state.is_stale
    } == failing
