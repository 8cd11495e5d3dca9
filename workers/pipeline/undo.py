"""Reverts one user's changes of another run; reads nothing from Entra."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from schemas.dead_letter_reasons import Reason
from schemas.details.detail import Detail, joined
from schemas.details.kinds import DetailKind
from schemas.errors import PermanentError
from schemas.outcomes import Outcome
from schemas.runs.sync_result import SyncResult
from workers.pipeline.accounts import Account
from workers.pipeline.incomplete import IncompleteUpdateError, ensure_complete, not_undone
from workers.pipeline.unique_values import UniqueValues
from workers.pipeline.writer import no_longer_in_skolon, write_until_settled
from workers.rules.reversion import Reversion, revert
from workers.rules.scope import PROTECTED_IN_SKOLON, exclusion_reason

if TYPE_CHECKING:
    from clients.skolon.interface import SkolonClient
    from schemas.messages.messages import UserSync
    from schemas.users.skolon_user import SkolonUser
    from store.changes.undo import UndoRecord, UndoRecords
    from store.receipts.claims import Claims
    from workers.pipeline.peers import Peers
    from workers.pipeline.writer import Writer

#: Why a former value is not restored, if it is neither an outage nor a fault of the sync.
_SETTLED_BY_A_PERSON: Final = (
    Reason.VALUE_TAKEN,
    Reason.REJECTED_BY_SKOLON,
    Reason.COLLISION,
    Reason.CONFLICT,
)

_GONE: Final = Detail(DetailKind.NO_LONGER_IN_SKOLON)


class RevertedAccounts:
    """Tells for which Entra users the undone run has written, and which values these get back."""

    def __init__(self, undo_records: UndoRecords, claims: Claims, *, undone: int, before: int) -> None:
        """Take the undone run, and the run `before` which its changes were made: the undo's own."""
        self._undo_records = undo_records
        self._claims = claims
        self._undone = undone
        self._before = before

    def owner(self, user: SkolonUser) -> Account | None:
        """Return the account that has claimed a Skolon user in the undone run, or None."""
        account = self._claims.holder(self._undone, user.id)
        if account is None:
            return None
        undoable = self._undo_records.load(self._undone, account, before=self._before)
        return Account(
            id=account, mapped={} if undoable is None else dict(reversion_of(undoable, user, account).changes)
        )


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
        claims: Claims,
        peers: Peers,
    ) -> None:
        """Take the run to undo; `claimed` says that an earlier delivery has claimed the user."""
        self._undo_records = undo_records
        self._undone = undone
        self._message = message
        self._skolon = skolon
        self._organisation = organisation
        self._writer = writer
        self._claimed = claimed
        self._unique_values = UniqueValues(
            message.user,
            organisation=organisation,
            skolon=skolon,
            accounts=RevertedAccounts(undo_records, claims, undone=undone, before=message.run),
            peers=peers,
        )

    def run(self) -> SyncResult:
        """Bring the user to an outcome; raises an error of ours if that fails.

        What a person has to settle first is `undo_failed`, whatever it is: a sync's advice would not help.
        """
        try:
            return self._restore()
        except IncompleteUpdateError as error:
            raise IncompleteUpdateError(error.result, undone=self._undone) from None
        except PermanentError as error:
            if error.reason not in _SETTLED_BY_A_PERSON:
                raise
            raise PermanentError(
                Reason.UNDO_FAILED,
                error.stage,
                not_undone(self._undone, error.detail),
                collision=error.collision,
                candidates=error.candidates,
            ) from None

    def _restore(self) -> SyncResult:
        undoable = self._undo_records.load(self._undone, self._message.user, before=self._message.run)
        if undoable is None:
            detail = Detail(DetailKind.UNDO_FOUND_NOTHING, run=self._undone)
            return SyncResult(outcome=Outcome.UNCHANGED, detail=detail)
        read = partial(self._skolon.read, self._organisation, undoable.skolon_id)
        user = read()
        if user is None:
            return no_longer_in_skolon(_GONE)
        return ensure_complete(
            write_until_settled(user, write=partial(self._revert, undoable), read=read, gone=_GONE)
        )

    def _revert(self, undoable: UndoRecord, user: SkolonUser) -> SyncResult:
        if user.is_protected:
            detail = exclusion_reason([PROTECTED_IN_SKOLON])
            return SyncResult(outcome=Outcome.OUT_OF_SCOPE, detail=detail)
        reversion = reversion_of(undoable, user, self._message.user)
        plan = self._unique_values.plan(user, reversion.changes, searched={}, found=())
        if plan.changes:
            result = self._writer.write(user, plan.changes, plan.taken)
        else:
            # An earlier delivery has claimed the user: it restored the values, and only its receipt was lost.
            outcome = Outcome.UPDATED if self._claimed else Outcome.UNCHANGED
            result = SyncResult(outcome=outcome, skolon_id=user.id, skolon_version=user.version)
        result = self._unique_values.settle(user, plan, result)
        skipped = reversion.skipped
        return replace(result, skipped=skipped, detail=_detail(reversion, redelivered=self._claimed))


def _detail(reversion: Reversion, *, redelivered: bool) -> Detail | None:
    """Return which attributes an undo does not write, and why; None if it writes all.

    After an earlier delivery a former value may be the undo's own work.
    """
    parts = []
    if reversion.skipped:
        parts.append(Detail(DetailKind.UNDO_SKIPPED, attributes=reversion.skipped))
    if reversion.as_before and not redelivered:
        parts.append(Detail(DetailKind.UNDO_AS_BEFORE, attributes=reversion.as_before))
    return joined(parts) if parts else None


def reversion_of(undoable: UndoRecord, user: SkolonUser, user_id: str) -> Reversion:
    """Return what an undo restores of a Skolon user as it is now, and what it leaves."""
    return revert(
        user,
        undoable.written,
        user_id=user_id,
        since=undoable.since,
        untouched=user.version is not None and user.version == undoable.version,
    )
