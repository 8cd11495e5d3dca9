"""Reverts one user's changes of another run; reads nothing from Entra."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from schemas.outcomes import Outcome
from schemas.runs.sync_result import SyncResult
from workers.pipeline.incomplete import ensure_complete
from workers.pipeline.writer import no_longer_in_skolon, write_until_settled
from workers.rules.reversion import revert

if TYPE_CHECKING:
    from clients.skolon.client import SkolonClient
    from schemas.messages.messages import UserSync
    from schemas.users.skolon_user import SkolonUser
    from store.runs.undo import UndoRecord, UndoRecords
    from workers.pipeline.writer import Writer

_GONE: Final = "no longer in Skolon"


class UndoPipeline:
    """Restores the values that a run has overwritten in Skolon, for one Entra user."""

    def __init__(  # noqa: PLR0913 - what the steps need
        self,
        *,
        undo_records: UndoRecords,
        undone: int,
        message: UserSync,
        skolon: SkolonClient,
        organisation: str,
        writer: Writer,
        claimed: bool,
    ) -> None:
        """Take the run to undo; `claimed` says that an earlier delivery has claimed the user."""
        self._undo_records = undo_records
        self._undone = undone
        self._message = message
        self._skolon = skolon
        self._organisation = organisation
        self._writer = writer
        self._claimed = claimed

    def run(self) -> SyncResult:
        """Bring the user to an outcome; raises an error of ours if that fails."""
        undoable = self._undo_records.load(self._undone, self._message.user, before=self._message.run)
        if undoable is None:
            detail = f"run {self._undone} has changed nothing of this user"
            return SyncResult(outcome=Outcome.UNCHANGED, detail=detail)
        read = partial(self._skolon.read, self._organisation, undoable.skolon_id)
        user = read()
        if user is None:
            return no_longer_in_skolon(_GONE)
        return ensure_complete(
            write_until_settled(user, write=partial(self._revert, undoable), read=read, gone=_GONE)
        )

    def _revert(self, undoable: UndoRecord, user: SkolonUser) -> SyncResult:
        reversion = revert(
            user,
            undoable.written,
            since=undoable.since,
            untouched=user.version is not None and user.version == undoable.version,
        )
        if reversion.changes:
            result = self._writer.write(user, reversion.changes)
        else:
            # An earlier delivery has claimed the user: it restored the values, and only its receipt was lost.
            outcome = Outcome.UPDATED if self._claimed else Outcome.UNCHANGED
            result = SyncResult(outcome=outcome, skolon_id=user.id, skolon_version=user.version)
        skipped = reversion.skipped
        detail = f"skipped, because it changed since: {', '.join(skipped)}" if skipped else None
        return replace(result, skipped=skipped, detail=detail)
