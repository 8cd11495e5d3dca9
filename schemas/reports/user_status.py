"""Sync status of a user: whether Skolon is in sync, since when, and if not, why."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from schemas.details.detail import structured_json
from schemas.outcomes import OPEN_STATUSES, VERIFYING_OUTCOMES, Mode, Outcome, Status
from schemas.timestamps import timestamp

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from schemas.dead_letter_reasons import Reason
    from schemas.outcomes import Cause, NotFoundReason, RunKind
    from schemas.users.attributes import Attribute


class SyncState(StrEnum):
    """Sync state of a user, by the most telling conclusive receipt."""

    IN_SYNC = "in_sync"
    DEAD_LETTERED = "dead_lettered"
    NOT_IN_SKOLON = "not_in_skolon"
    EXCLUDED = "excluded"
    REVERTED = "reverted"
    UNKNOWN = "unknown"


#: Whether Skolon is in sync; users that do not belong in Skolon have no answer.
_IN_SYNC = {SyncState.IN_SYNC: True, SyncState.DEAD_LETTERED: False}

#: The state by the outcome of the entry that determines it.
STATES: Final = {
    Outcome.NOT_FOUND: SyncState.NOT_IN_SKOLON,
    Outcome.OUT_OF_SCOPE: SyncState.EXCLUDED,
    Outcome.DEAD_LETTERED: SyncState.DEAD_LETTERED,
    Outcome.UPDATED: SyncState.IN_SYNC,
    Outcome.UNCHANGED: SyncState.IN_SYNC,
}


@dataclass(frozen=True, kw_only=True)
class HistoryEntry:
    """What one run did for a user.

    `reverts_run` is the run that an undo reverts. `link_forgotten` says that the run wrote because of a link
    that was taken back since. An outcome is `in_doubt` if the run was halted by a question, not let through,
    and only judged the user. `undone_by` is the run that has restored what this one wrote, at `undone_at`.
    """

    run: int
    kind: RunKind
    mode: Mode
    dry_run: bool
    status: Status
    cause: Cause | None
    outcome: Outcome
    reason: Reason | None
    detail: str | None
    not_found_reason: NotFoundReason | None
    changed: tuple[Attribute, ...]
    skolon_id: str | None
    at: dt.datetime | None
    reverts_run: int | None = None
    link_forgotten: bool = False
    in_doubt: bool = False
    undone_by: int | None = None
    undone_at: dt.datetime | None = None

    @property
    def is_conclusive(self) -> bool:
        """Whether it determines the user's state: dry runs and superseded receipts do not."""
        return not self.dry_run and self.outcome not in (Outcome.PENDING, Outcome.SUPERSEDED)

    @property
    def is_undo(self) -> bool:
        """Whether it is what an undo did."""
        return self.mode is Mode.UNDO

    @property
    def is_verification(self) -> bool:
        """Whether Skolon was asked, and has had what Entra says since then."""
        return (
            self.is_conclusive and self.outcome in VERIFYING_OUTCOMES and self.mode in (Mode.FULL, Mode.DELTA)
        )

    @property
    def result_text(self) -> str:
        """What became of the user, in words and ids; and if that no longer holds, why."""
        text = f"{self.outcome}: {self.reason}" if self.reason else str(self.outcome)
        if self.undone_by is not None:
            return f"{text}; undone by run {self.undone_by}"
        if self.dry_run or not self.in_doubt:
            return text
        return f"{text}; not confirmed, run {self.status}"

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {
            "run": str(self.run),
            "kind": str(self.kind),
            "mode": str(self.mode),
            "dry_run": self.dry_run,
            "run_status": str(self.status),
            "outcome": str(self.outcome),
            "reason": self.reason and str(self.reason),
            "detail": self.detail,
            "structured_detail": structured_json(self.detail),
            "not_found_reason": self.not_found_reason and str(self.not_found_reason),
            "changed": [str(attribute) for attribute in self.changed],
            "skolon_user": self.skolon_id,
            "at": self.at and timestamp(self.at),
            "in_doubt": self.in_doubt,
            "undone_by": None if self.undone_by is None else str(self.undone_by),
            "undone_at": self.undone_at and timestamp(self.undone_at),
        }


@dataclass(frozen=True, kw_only=True)
class UserStatus:
    """Sync status of a user: the state, since when at the latest, and the entries that determine it.

    `last_verification` is the newest entry that verified the user. `pending` is the entry of a newer run,
    open or halted, that has no outcome for the user yet.
    """

    state: SyncState
    since: dt.datetime | None
    latest: HistoryEntry | None
    last_verification: HistoryEntry | None
    pending: HistoryEntry | None

    @property
    def in_sync(self) -> bool | None:
        """Whether Skolon is in sync; None for users that do not belong in Skolon."""
        return _IN_SYNC.get(self.state)


def user_status_of(history: Sequence[HistoryEntry], last_verification: HistoryEntry | None) -> UserStatus:
    """Determine a user's status from what the runs did, the newest first.

    `last_verification` is the newest entry that verifies the user, which may be older than the history.
    An entry in doubt determines nothing unless there are no others. `store/reports/user_states.py` has the
    same rule for many users.
    """
    conclusive = [entry for entry in history if entry.is_conclusive]
    telling = [entry for entry in conclusive if not entry.in_doubt] or conclusive
    state, latest = _state(telling)
    pending = next(
        (
            entry
            for entry in history
            if entry.outcome is Outcome.PENDING
            and not entry.dry_run
            and entry.status in (*OPEN_STATUSES, Status.HALTED)
            and (not telling or entry.run > telling[0].run)
        ),
        None,
    )
    return UserStatus(
        state=state,
        since=_since(telling),
        latest=latest,
        last_verification=last_verification,
        pending=pending,
    )


def with_undos(history: Sequence[HistoryEntry]) -> list[HistoryEntry]:
    """Return the entries of a user, each with the undo that has restored what it wrote."""
    restored = {
        # Of several undos of a run the oldest stays: it is the one that found what the run wrote.
        entry.reverts_run: entry
        for entry in history
        if entry.is_undo and not entry.dry_run and entry.outcome is Outcome.UPDATED
    }
    return [
        replace(entry, undone_by=undo.run, undone_at=undo.at)
        if not entry.dry_run and (undo := restored.get(entry.run)) is not None and not _is_redone(undo, entry)
        else entry
        for entry in history
    ]


def skolon_user_of(history: Sequence[HistoryEntry]) -> str | None:
    """Return the Skolon user that the runs last knew as the user's, the newest run first; None for none.

    What a link had led to is none once the link was taken back and the run undone. Dry runs count only where
    no other run had the user.
    """
    entries = [entry for entry in history if entry.skolon_id is not None]
    newest = next((entry for entry in entries if not entry.dry_run), entries[0] if entries else None)
    if newest is None:
        return None
    undone = next((entry for entry in entries if entry.run == newest.reverts_run), None)
    return None if undone is not None and undone.link_forgotten else newest.skolon_id


def _state(telling: Sequence[HistoryEntry]) -> tuple[SyncState, HistoryEntry | None]:
    """Return the state and the entry that determines it, of entries of which the newest is the first.

    An undo says nothing about a fault in Entra or Skolon: one that succeeds ends no failure of another run.
    """
    newest = next((at for at, entry in enumerate(telling) if not entry.is_undo), len(telling))
    sync = telling[newest] if newest < len(telling) else None
    undos = [entry for entry in telling[:newest] if not _is_redone(entry, sync)]
    if undos and undos[0].outcome is Outcome.DEAD_LETTERED:
        return SyncState.DEAD_LETTERED, undos[0]
    if undos and (sync is None or sync.outcome is not Outcome.DEAD_LETTERED):
        if undos[0].outcome not in VERIFYING_OUTCOMES:
            return STATES[undos[0].outcome], undos[0]
        reverted = next((undo for undo in undos if _reverts(undo, sync)), None)
        if reverted is not None and (sync is None or sync.is_verification):
            return SyncState.REVERTED, reverted
    return (SyncState.UNKNOWN, None) if sync is None else (STATES[sync.outcome], sync)


def _is_redone(undo: HistoryEntry, sync: HistoryEntry | None) -> bool:
    """Say whether an older run has told of the user after an undo did: its dead letter was replayed."""
    if undo.outcome is Outcome.DEAD_LETTERED or sync is None or sync.at is None or undo.at is None:
        return False
    return sync.at > undo.at


def _reverts(undo: HistoryEntry, sync: HistoryEntry | None) -> bool:
    """Say whether an undo has restored values, or found that Skolon no longer has what the run wrote."""
    if undo.outcome is Outcome.UPDATED:
        return True
    return (
        undo.outcome is Outcome.UNCHANGED
        and (undo.reverts_run or 0) >= (0 if sync is None else sync.run)
        and (sync is None or sync.outcome is Outcome.UPDATED)
    )


def _since(telling: Sequence[HistoryEntry]) -> dt.datetime | None:
    """Return since when the state has held without a break, at the latest since the last change."""
    since, (state, _) = None, _state(telling)
    for at, entry in enumerate(telling):
        if _state(telling[at:])[0] is not state:
            break
        since = entry.at
        if entry.outcome is Outcome.UPDATED and state is not SyncState.DEAD_LETTERED:
            break
    return since
