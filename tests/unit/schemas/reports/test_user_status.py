"""How a person stands, by what the runs did."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from schemas.dead_letter_reasons import Reason
from schemas.outcomes import Mode, Outcome, RunKind, Status
from schemas.reports.user_status import HistoryEntry, SyncState, skolon_user_of, user_status_of

START = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)


def entry(run: int, outcome: Outcome, **changes: Any) -> HistoryEntry:
    """Return what run number `run` did on the `run`-th day."""
    values: dict[str, Any] = {
        "kind": RunKind.FULL,
        "mode": Mode.FULL,
        "dry_run": False,
        "status": Status.COMPLETED,
        "cause": None,
        "reason": Reason.COLLISION if outcome is Outcome.DEAD_LETTERED else None,
        "detail": None,
        "not_found_reason": None,
        "changed": (),
        "skolon_id": None,
        "at": None if outcome is Outcome.PENDING else START + dt.timedelta(days=run),
    }
    return HistoryEntry(run=run, outcome=outcome, **{**values, **changes})


def history(*outcomes: Outcome) -> list[HistoryEntry]:
    """Return entries, given oldest first as they happened, newest first as they are read."""
    return [entry(run, outcome) for run, outcome in enumerate(outcomes, start=1)][::-1]


@pytest.mark.parametrize(
    ("outcomes", "state", "since"),
    [
        ((), SyncState.UNKNOWN, None),
        ((Outcome.PENDING,), SyncState.UNKNOWN, None),
        ((Outcome.UNCHANGED,) * 3, SyncState.IN_SYNC, 1),
        ((Outcome.UNCHANGED, Outcome.UPDATED, Outcome.UNCHANGED), SyncState.IN_SYNC, 2),
        ((Outcome.UNCHANGED, Outcome.SUPERSEDED, Outcome.PENDING), SyncState.IN_SYNC, 1),
        ((Outcome.UNCHANGED, Outcome.DEAD_LETTERED, Outcome.UNCHANGED), SyncState.IN_SYNC, 3),
        ((Outcome.UNCHANGED, Outcome.DEAD_LETTERED, Outcome.DEAD_LETTERED), SyncState.DEAD_LETTERED, 2),
        ((Outcome.UPDATED, Outcome.NOT_FOUND), SyncState.NOT_IN_SKOLON, 2),
        ((Outcome.OUT_OF_SCOPE, Outcome.OUT_OF_SCOPE), SyncState.EXCLUDED, 1),
    ],
)
def test_the_newest_that_tells_decides(
    outcomes: tuple[Outcome, ...], state: SyncState, since: int | None
) -> None:
    """It has been so since it was so without a break, and right since it was last changed."""
    standing = user_status_of(history(*outcomes), None)
    assert standing.state is state
    assert standing.since == (since and START + dt.timedelta(days=since))
    assert standing.in_sync is {SyncState.IN_SYNC: True, SyncState.DEAD_LETTERED: False}.get(state)


def test_a_dry_run_tells_nothing() -> None:
    """What a run that wrote nothing found leaves a person as it was."""
    dry = entry(2, Outcome.UNCHANGED, dry_run=True)
    standing = user_status_of([dry, entry(1, Outcome.DEAD_LETTERED)], None)
    assert standing.state is SyncState.DEAD_LETTERED


@pytest.mark.parametrize(
    ("status", "waits"),
    [(Status.UPDATING, True), (Status.HALTED, True), (Status.CANCELLED, False)],
)
def test_whom_a_newer_run_has_not_come_to_waits(status: Status, *, waits: bool) -> None:
    """A run that is open or halted is waited for; one that was cancelled is not."""
    pending = entry(2, Outcome.PENDING, status=status)
    standing = user_status_of([pending, entry(1, Outcome.UNCHANGED)], None)
    assert standing.state is SyncState.IN_SYNC
    assert standing.pending == (pending if waits else None)


@pytest.mark.parametrize("status", [Status.READING, Status.UPDATING, Status.HALTED])
def test_a_user_does_not_wait_for_an_older_run(status: Status) -> None:
    """A run that is older than the latest outcome has nothing left to do for the user, halted or not."""
    older = entry(1, Outcome.PENDING, status=status)
    standing = user_status_of([entry(2, Outcome.UNCHANGED), older], None)
    assert (standing.state, standing.pending) == (SyncState.IN_SYNC, None)


def test_a_user_without_an_outcome_waits_for_the_newest_run() -> None:
    """Of two runs that have not come to the user, the newer one is shown."""
    newer, older = (entry(run, Outcome.PENDING, status=Status.HALTED) for run in (2, 1))
    assert user_status_of([newer, older], None).pending == newer


@pytest.mark.parametrize(
    ("entries", "skolon_id"),
    [
        ([], None),
        ([entry(1, Outcome.NOT_FOUND)], None),
        ([entry(2, Outcome.NOT_FOUND), entry(1, Outcome.UPDATED, skolon_id="s1")], "s1"),
        ([entry(2, Outcome.UPDATED, skolon_id="s2"), entry(1, Outcome.UPDATED, skolon_id="s1")], "s2"),
        (
            [
                entry(2, Outcome.WOULD_UPDATE, skolon_id="s2", dry_run=True),
                entry(1, Outcome.UPDATED, skolon_id="s1"),
            ],
            "s1",
        ),
        ([entry(1, Outcome.WOULD_UPDATE, skolon_id="s1", dry_run=True)], "s1"),
        (
            [
                entry(2, Outcome.UPDATED, skolon_id="s1", mode=Mode.UNDO, reverts_run=1),
                entry(1, Outcome.UPDATED, skolon_id="s1"),
            ],
            "s1",
        ),
        ([entry(1, Outcome.UPDATED, skolon_id="s1", link_forgotten=True)], "s1"),
        (
            [
                entry(2, Outcome.UPDATED, skolon_id="s1", mode=Mode.UNDO, reverts_run=1),
                entry(1, Outcome.UPDATED, skolon_id="s1", link_forgotten=True),
            ],
            None,
        ),
        (
            [
                entry(3, Outcome.UNCHANGED, skolon_id="s1"),
                entry(2, Outcome.UPDATED, skolon_id="s1", mode=Mode.UNDO, reverts_run=1),
                entry(1, Outcome.UPDATED, skolon_id="s1", link_forgotten=True),
            ],
            "s1",
        ),
    ],
    ids=[
        "unknown",
        "none",
        "not found since",
        "another since",
        "another in a dry run",
        "dry run alone",
        "undone",
        "link taken back",
        "link taken back and undone",
        "found since",
    ],
)
def test_the_skolon_user_is_the_last_known_one(entries: list[HistoryEntry], skolon_id: str | None) -> None:
    """An undo takes none away, unless a link that was taken back had led to it."""
    assert skolon_user_of(entries) == skolon_id
