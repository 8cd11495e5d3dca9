"""One Entra user from message to receipt; the way in between is in `workers.pipeline.user_way`."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

import structlog

from runtime.countdown import WhenIdle
from runtime.services import ShutdownError
from schemas.errors import Dependency, PermanentError, TransientError
from schemas.messages.authentication import forged_message
from schemas.outcomes import Outcome, Reason, Stage
from schemas.runs.changes import ONE_NOT_FOUND
from schemas.runs.sync_result import Failure, Forecast, SyncResult
from store.receipts.collisions import CollisionError
from workers.pipeline import steps
from workers.pipeline.collisions import collision
from workers.pipeline.digest_observer import DigestObserver
from workers.pipeline.undo import SkolonUndo
from workers.pipeline.user_way import UserWay
from workers.pipeline.verification_cache import ReceiptTrust
from workers.pipeline.writer import ClaimedChange, would_change
from workers.rules.guard import check_guard
from workers.run_warnings import RunWarningLog

if TYPE_CHECKING:
    from clients.gateways import Gateways
    from schemas.crypto.encryption import FieldCipher
    from schemas.messages.authentication import DecryptedUser
    from schemas.messages.messages import UserSync
    from schemas.tenants.tenant import Guard
    from store.receipts.work_items import WorkItem
    from store.store import Store
    from store.tenants.tenants import TenantRecord

#: Seconds to wait for an older run's worker that has this very user in hand.
WAIT_FOR_OLDER_RUN: Final = 5.0

_log = structlog.get_logger(__name__)


class UserSyncHandler:
    """Works off user messages; may be shared by threads."""

    def __init__(self, *, store: Store, gateways: Gateways, cipher: FieldCipher) -> None:
        self._store = store
        self._work_items = store.work_items
        self._claims = store.claims
        self._receipts = store.receipts
        self._in_hand: WhenIdle[int] = WhenIdle(store.runs.complete_if_done)
        self._settings_overrides = store.settings_overrides
        self._forecasts = store.forecasts
        self._guard_counters = store.guard_counters
        self._pruning = store.pruning
        self._undo_records = store.undo_records
        self._gateways = gateways
        self._cipher = cipher
        self._warning_log = RunWarningLog(store.run_warnings)

    def sync(self, message: UserSync) -> None:
        """Bring one user to an outcome and write the receipt; raises an error of ours if that fails.

        A message that the receipt does not await does nothing: somebody has settled the user, or another
        replay than the one that published it has taken over.
        """
        opened = self._store.message_cipher.decrypt_user(message)
        # Whoever leaves last asks whether the run is done, also when there was nothing left to do: whoever
        # did it may have died before. Who fails need not ask: the message comes again, or is a dead letter.
        with self._in_hand.track(message.run):
            self._handle(message, opened)

    def _handle(self, message: UserSync, opened: DecryptedUser) -> None:
        item = self._load_item(message)
        if item is None:
            # Housekeeping has removed the receipt, which it does only where a newer run has told more.
            _log.info("receipt_pruned", tenant=message.tenant, run=message.run, user=message.user)
            return
        if item.awaits(opened.operation):
            self._process(message, item, opened.data)
        elif item.needs_forecast and opened.operation is None:
            self._record_forecast(message, item, opened.data)

    def dry_run(self, message: UserSync, *, original_payload: bool) -> SyncResult:
        """Return what would become of a user now; nothing is written anywhere.

        The user is read afresh unless `original_payload` is set. Raises as `sync` does. A Skolon user that
        another user of the run has claimed is a collision here too.
        """
        opened = self._store.message_cipher.decrypt_user(message)
        item = self._load_item(message)
        if item is None:
            return SyncResult(outcome=Outcome.SUPERSEDED)
        return self._dry_run(message, item, opened.data if original_payload else None)

    def _process(self, message: UserSync, item: WorkItem, data: object | None) -> None:
        record = self._settings_overrides.for_user(message.run, item)
        digests = DigestObserver(item.tenant, self._cipher.index)
        try:
            result = replace(self._result(message, item, record, data, digests), digests=digests.marks)
            self._finish(message, result)
        except PermanentError as error:
            # A dead letter's marks are wanted as well: who shares an EPPN may well be one.
            self._receipts.record_digests(message.run, message.user, digests.marks)
            if not item.has_settings_override:
                raise
            # A trial tells what would be a dead letter, and leaves none behind for anybody to work on.
            dead_letter = Failure(reason=error.reason, stage=error.stage, detail=error.detail)
            self._receipts.mark_dead_lettered(message.run, message.user, dead_letter, attempts=1)
            return
        if result.outcome is Outcome.NOT_FOUND and item.guarded and not item.dry_run:
            self._count_not_found(message.run, record.tenant.guard)

    def _dry_run(self, message: UserSync, item: WorkItem, data: object | None) -> SyncResult:
        record = self._settings_overrides.for_user(message.run, item)
        result = self._result(message, replace(item, dry_run=True), record, data)
        if result.skolon_id is not None:
            holder = self._claims.holder(message.run, result.skolon_id)
            if holder not in (None, message.user):
                raise collision(result.skolon_id, str(holder), message.user)
        return result

    def _record_forecast(self, message: UserSync, item: WorkItem, data: object | None) -> None:
        """Note what would become of a user whom the guard keeps from being worked on.

        Nobody depends on it, so what goes wrong is neither tried again nor a dead letter nor a halt.
        """
        try:
            self._forecasts.record(message.run, message.user, self._forecast(message, item, data))
        except ShutdownError:
            raise
        except Exception as error:  # noqa: BLE001 - as said above; its text may hold anybody's data
            _log.info("not forecast", run=message.run, user=message.user, error=type(error).__name__)

    def _forecast(self, message: UserSync, item: WorkItem, data: object | None) -> Forecast:
        try:
            result = self._dry_run(message, item, data)
        except PermanentError as error:
            return Forecast(outcome=Outcome.DEAD_LETTERED, reason=error.reason)
        would_update = result.outcome is Outcome.WOULD_UPDATE
        outcome = Outcome.UPDATED if would_update else result.outcome
        return Forecast(outcome=outcome, change_kinds=result.change_kinds)

    def _record_blocked(self, message: UserSync, refused: SyncResult) -> None:
        """Note what the guard has just refused: the run's halt is the end of this message too."""
        with suppress(TransientError):
            forecast = Forecast(outcome=Outcome.UPDATED, change_kinds=refused.change_kinds)
            self._forecasts.record(message.run, message.user, forecast)

    def _load_item(self, message: UserSync) -> WorkItem | None:
        """Return what there is to know of a user's receipt, None if it is pruned."""
        item = self._work_items.load(message.run, message.user)
        if item is None and not self._pruning.superseded_and_pruned(
            {(message.tenant, message.run, message.user)}
        ):
            raise PermanentError(
                Reason.UNKNOWN_TENANT,
                Stage.RECEIVE,
                f"run {message.run} has no receipt for this user; has the tenant been removed?",
            )
        if item is not None and item.tenant != message.tenant:
            raise forged_message("the user's message names another tenant than its run has")
        return item

    def _finish(self, message: UserSync, result: SyncResult) -> None:
        for warning in result.warnings:
            self._warning_log.note(message.run, warning)
        try:
            self._receipts.finish(message.run, message.user, result)
        except CollisionError as error:
            raise collision(error.skolon_id, error.entra_id, message.user) from None
        # One line a user would drown the rest: what became of everybody is in the receipts.
        _log.debug(
            "user_done",
            tenant=message.tenant,
            run=message.run,
            user=message.user,
            outcome=str(result.outcome),
            changed=[str(attribute) for attribute in result.changed],
        )

    def _count_not_found(self, run: int, guard: Guard) -> None:
        if guard.not_found is not None:
            self._guard_counters.count(run, ONE_NOT_FOUND, partial(check_guard, guard))

    def _result(
        self,
        message: UserSync,
        item: WorkItem,
        record: TenantRecord,
        data: object | None,
        on_step: steps.StepListener = steps.ignore_step,
    ) -> SyncResult:
        """Bring the user to an outcome, without writing a receipt; a dry run changes nothing either."""
        if item.superseded:
            return SyncResult(outcome=Outcome.SUPERSEDED)
        if item.older_run_active:
            raise TransientError(
                Dependency.ORDER, "an older run has this user in hand", retry_after=WAIT_FOR_OLDER_RUN
            )
        change = would_change if item.dry_run else self._change(message, item, record)
        if item.undoes is not None:
            undo = SkolonUndo(
                undo_records=self._undo_records,
                skolon=self._gateways.skolon(dry_run=item.dry_run),
                organisation=record.tenant.organisation,
                change=change,
                claimed=item.claimed,
            )
            return undo.verdict(message, item.undoes)
        way = UserWay(
            record=record,
            gateways=self._gateways,
            dry_run=item.dry_run,
            change=change,
            claimed=item.claimed,
            trust=ReceiptTrust(
                verifications=self._store.verifications,
                index=self._cipher.index,
                message=message,
                tenant=record.tenant,
            ),
            on_step=on_step,
        )
        return way.verdict(message.user, data)

    def _change(self, message: UserSync, item: WorkItem, record: TenantRecord) -> ClaimedChange:
        return ClaimedChange(
            claims=self._claims,
            skolon=self._gateways.skolon(dry_run=False),
            message=message,
            tenant=record.tenant,
            guarded=item.guarded,
            refused=partial(self._record_blocked, message),
        )
