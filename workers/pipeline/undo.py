"""The way of one user of an undo: what a run wrote in Skolon is put back; Entra is not asked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from clients.skolon.errors import UserNotFoundError
from schemas.errors import PermanentError, VersionConflictError
from schemas.outcomes import Outcome, Reason, Stage
from schemas.runs.sync_result import SyncResult
from workers.pipeline.skolon_sync import CONFLICTS
from workers.rules.reversion import revert

if TYPE_CHECKING:
    from clients.skolon.client import SkolonClient
    from schemas.messages.messages import UserSync
    from schemas.users.skolon_user import SkolonUser
    from store.runs.undo import UndoRecord, UndoRecords
    from workers.pipeline.writer import Change


class SkolonUndo:
    """Puts back what a run has written to the Skolon user of one Entra user."""

    def __init__(
        self,
        *,
        undo_records: UndoRecords,
        skolon: SkolonClient,
        organisation: str,
        change: Change,
        claimed: bool,
    ) -> None:
        """Take how a difference is `change`d, and whether an earlier delivery has `claimed` the user."""
        self._undo_records = undo_records
        self._skolon = skolon
        self._organisation = organisation
        self._change = change
        self._claimed = claimed

    def verdict(self, message: UserSync, undone: int) -> SyncResult:
        """Bring the user to an outcome; raises an error of ours if that fails."""
        undoable = self._undoable(message, undone)
        if undoable is None:
            return SyncResult(
                outcome=Outcome.UNCHANGED, detail=f"run {undone} has changed nothing of this user"
            )
        for _ in range(CONFLICTS):
            user = self._skolon.read(self._organisation, undoable.skolon_id)
            if user is None:
                return SyncResult(outcome=Outcome.NOT_FOUND, detail="no longer in Skolon")
            try:
                return self._put_back(user, undoable)
            except (VersionConflictError, UserNotFoundError):
                continue
        raise PermanentError(
            Reason.CONFLICT, Stage.UPDATE, f"changed in Skolon by somebody else {CONFLICTS} times in a row"
        )

    def _undoable(self, message: UserSync, undone: int) -> UndoRecord | None:
        return self._undo_records.load(undone, message.user, before=message.run)

    def _put_back(self, user: SkolonUser, undoable: UndoRecord) -> SyncResult:
        found = revert(
            user,
            undoable.written,
            since=undoable.since,
            untouched=user.version is not None and user.version == undoable.version,
        )
        detail = None
        if found.skipped:
            detail = f"left as it is, because it changed since: {', '.join(found.skipped)}"
        if found.changes:
            return replace(self._change(user, found.changes), skipped=found.skipped, detail=detail)
        # A claim of an earlier delivery says that it was put back, and only its receipt was lost.
        return SyncResult(
            outcome=Outcome.UPDATED if self._claimed else Outcome.UNCHANGED,
            skolon_id=user.id,
            skolon_version=user.version,
            skipped=found.skipped,
            detail=detail,
        )
