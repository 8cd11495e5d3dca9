"""The actor of `user-sync`: takes a message and writes a receipt; the steps are in `workers.pipeline`."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

import structlog

from runtime.countdown import WhenIdle
from runtime.services import ShutdownError
from schemas.dead_letter_reasons import Reason
from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind
from schemas.errors import NotYetError, PermanentError, TransientError
from schemas.messages.authentication import forged_message
from schemas.messages.messages import load_user_sync, reject_positional_arguments
from schemas.outcomes import Outcome, Stage
from schemas.runs.run import identity_kept_warning, values_altered_warning
from schemas.runs.sync_result import Forecast, SyncResult
from store.receipts.collisions import CollisionError
from workers.dry_run.mapping_comparer import MappingComparer
from workers.guard_counting import GuardCounting
from workers.pipeline.incomplete import IncompleteUpdateError
from workers.pipeline.peers import DryRunPeers, RunPeers
from workers.pipeline.pipeline import SyncPipeline
from workers.pipeline.steps import FactObserver, StepListener, ignore_step
from workers.pipeline.undo import UndoPipeline
from workers.pipeline.verification_cache import VerificationCache
from workers.pipeline.writer import ClaimingWriter, DryRunWriter, Writer, collision
from workers.run_warnings import RunWarningLog

if TYPE_CHECKING:
    from collections.abc import Callable

    from clients.gateways import Gateways
    from schemas.crypto.encryption import FieldCipher
    from schemas.messages.messages import UserSync
    from store.receipts.outcomes import FinishedReceipt
    from store.receipts.work_items import WorkItem
    from store.store import Store
    from store.tenants.tenants import TenantRecord

#: Seconds to wait while another run's worker processes the same user.
WAIT_FOR_OTHER_RUN: Final = 5.0

_log = structlog.get_logger(__name__)


class UserSyncHandler:
    """Brings users to outcomes, one per message; may be shared by threads."""

    def __init__(self, *, store: Store, gateways: Gateways, cipher: FieldCipher) -> None:
        self._store = store
        self._gateways = gateways
        self._cipher = cipher
        self._guard_counting = GuardCounting(store=store)
        self._when_idle: WhenIdle[int] = WhenIdle(store.runs.complete_if_done)
        self._warning_log = RunWarningLog(store.run_warnings)

    def handle(self, *args: object, **fields: object) -> None:
        """Bring a message's user to an outcome and write the receipt; raises an error of ours if that fails.

        A message that the receipt does not await has no effect: the user has an outcome already, or another
        replay has taken over.
        """
        reject_positional_arguments(args)
        message = load_user_sync(fields)
        opened = self._store.message_cipher.decrypt_user(message)
        # The last thread of a run completes the run, also if its own message had no effect: the worker that
        # wrote the outcome may have died before that. A message that fails is retried, or becomes a dead
        # letter.
        with self._gateways.track_user(), self._when_idle.track(message.run):
            item = self._load(message)
            if item is None:
                # Pruning removes a receipt only if a newer run has one of the user.
                _log.info("receipt_pruned", tenant=message.tenant, run=message.run, user=message.user)
            elif item.awaits(opened.operation):
                self._process(message, item, opened.data)
            elif item.needs_forecast and opened.operation is None:
                self._record_forecast(message, item, opened.data)

    def dry_run(self, message: UserSync, *, original_payload: bool) -> SyncResult:
        """Return what a sync would do to a user now; nothing is written anywhere.

        The user is read again unless `original_payload` is set. Raises as `handle` does. A Skolon user that
        another user of the run has claimed is a collision here too.
        """
        opened = self._store.message_cipher.decrypt_user(message)
        item = self._load(message)
        if item is None:
            return SyncResult(outcome=Outcome.SUPERSEDED)
        return self._dry_run(message, item, opened.data if original_payload else None)

    def _load(self, message: UserSync) -> WorkItem | None:
        """Return the data of a user's receipt, None if the receipt is pruned."""
        item = self._store.work_items.load(message.run, message.user)
        if item is None and not self._store.pruning.superseded_and_pruned(
            {(message.tenant, message.run, message.user)}
        ):
            raise PermanentError(
                Reason.UNKNOWN_TENANT,
                Stage.RECEIVE,
                Detail(DetailKind.NO_RESULT_OF_USER, run=message.run),
            )
        if item is not None and item.tenant != message.tenant:
            raise forged_message(DetailKind.USER_OF_OTHER_TENANT)
        return item

    def _process(self, message: UserSync, item: WorkItem, data: object | None) -> None:
        record = self._store.settings_overrides.for_user(message.run, item)
        digest = partial(self._cipher.index.digest, item.tenant, "source")
        comparer = MappingComparer(record.tenant, record.saved, digest)
        facts = FactObserver(item.tenant, self._cipher.index, comparer)
        try:
            run = self._pipeline(message, item, record, data, facts)
            result = replace(facts.noted(run(), comparer.text), source_facts=comparer.source_facts)
            if (
                item.undoes is not None
                and result.outcome is not Outcome.SUPERSEDED
                and record.decisions.failed_undo(message.user) is not None
            ):
                # First: a user that has its outcome would wait for ever if the process died in between.
                self._store.failed_undos.end(message.run, message.user)
            finished = self._finish(message, result)
        except PermanentError as error:
            raise self._record_failure(message, error, facts, comparer) from None
        self._guard_counting.count(message.run, item, record.tenant.guard, result.outcome, finished)

    def _pipeline(
        self,
        message: UserSync,
        item: WorkItem,
        record: TenantRecord,
        data: object | None,
        on_step: StepListener = ignore_step,
    ) -> Callable[[], SyncResult]:
        """Return a function that runs a user's steps, and writes no receipt.

        Raises `NotYetError` while another run processes the user. A dry run changes nothing in Skolon.
        """
        if item.superseded:
            return partial(SyncResult, outcome=Outcome.SUPERSEDED)
        if item.other_run_active:
            raise NotYetError(Detail(DetailKind.OTHER_RUN_ACTIVE), retry_after=WAIT_FOR_OTHER_RUN)
        writer = DryRunWriter() if item.dry_run else self._claiming_writer(message, item, record)
        peers = DryRunPeers(self._store, message) if item.dry_run else RunPeers(self._store, message)
        if item.undoes is not None:
            return UndoPipeline(
                undo_records=self._store.undo_records,
                undone=item.undoes,
                message=message,
                skolon=self._gateways.skolon(record.tenant.skolon_target, dry_run=item.dry_run),
                organisation=record.tenant.organisation,
                writer=writer,
                claimed=item.claimed,
                claims=self._store.claims,
                peers=peers,
            ).run
        pipeline = SyncPipeline(
            record=record,
            gateways=self._gateways,
            dry_run=item.dry_run,
            writer=writer,
            claimed=item.claimed,
            verifications=VerificationCache(
                verifications=self._store.verifications,
                index=self._cipher.index,
                message=message,
                record=record,
            ),
            peers=peers,
            remembered_sources=partial(
                self._store.verifications.value_sources, item.tenant, message.user, before=message.run
            ),
            last_writes=partial(self._store.write_history.last_writes, message.run, message.user),
            keeper=partial(self._store.shared_organisations.keeper, record.sharing),
            on_step=on_step,
        )
        return partial(pipeline.run, message.user, data)

    def _claiming_writer(self, message: UserSync, item: WorkItem, record: TenantRecord) -> Writer:
        return ClaimingWriter(
            claims=self._store.claims,
            skolon=self._gateways.skolon(record.tenant.skolon_target, dry_run=False),
            message=message,
            tenant=record.tenant,
            guarded=item.guarded,
            on_blocked=partial(self._record_blocked, message, item.undoes),
        )

    def _finish(self, message: UserSync, result: SyncResult) -> FinishedReceipt | None:
        for warning in result.warnings:
            self._warning_log.note(message.run, warning)
        try:
            finished = self._store.receipts.finish(message.run, message.user, result)
        except CollisionError as error:
            raise collision(error.skolon_id, error.entra_id, message.user) from None
        if finished is not None:
            self._warn_of_user(message.run, result)
        # Logged at a level of its own: a line per user would hide the rest, and the receipts have it all.
        _log.debug(
            "user_done",
            tenant=message.tenant,
            run=message.run,
            user=message.user,
            outcome=str(result.outcome),
            changed=[str(attribute) for attribute in result.changed],
        )
        return finished

    def _warn_of_user(self, run: int, result: SyncResult) -> None:
        """Count the user in the warnings of its run that tell a number of users."""
        if result.identity_kept:
            self._store.run_warnings.record_users(run, 1, identity_kept_warning)
        if result.newly_altered:
            self._store.run_warnings.record_users(run, 1, values_altered_warning)

    def _record_failure(
        self, message: UserSync, error: PermanentError, facts: FactObserver, comparer: MappingComparer
    ) -> PermanentError:
        """Record what is known of a user that becomes a dead letter; return the error that it is one for."""
        receipts = self._store.receipts
        # Digests find users that share an EPPN; such users are often dead letters.
        receipts.record_digests(
            message.run,
            message.user,
            facts.digests,
            eppn_has_number=facts.eppn_has_number,
            mapping_comparison=comparer.text,
            source_facts=comparer.source_facts,
        )
        if not isinstance(error, IncompleteUpdateError):
            return error
        for warning in error.result.warnings:
            self._warning_log.note(message.run, warning)
        try:
            receipts.record_incomplete(message.run, message.user, error.result)
        except CollisionError as claimed:
            return collision(claimed.skolon_id, claimed.entra_id, message.user)
        self._warn_of_user(message.run, error.result)
        return error

    def _dry_run(self, message: UserSync, item: WorkItem, data: object | None) -> SyncResult:
        record = self._store.settings_overrides.for_user(message.run, item)
        result = self._pipeline(message, replace(item, dry_run=True), record, data)()
        if result.skolon_id is not None:
            holder = self._store.claims.holder(message.run, result.skolon_id)
            if holder not in (None, message.user):
                raise collision(result.skolon_id, str(holder), message.user)
        return result

    def _record_forecast(self, message: UserSync, item: WorkItem, data: object | None) -> None:
        """Record what would become of a user of a run that the guard has halted.

        Nothing depends on a forecast. So an error in it causes no retry, no dead letter and no halt.
        """
        try:
            self._store.forecasts.record(message.run, message.user, self._forecast(message, item, data))
        except ShutdownError:
            raise
        except Exception as error:  # noqa: BLE001 - as said above; its text may hold personal values
            _log.info("forecast_failed", run=message.run, user=message.user, error=type(error).__name__)

    def _forecast(self, message: UserSync, item: WorkItem, data: object | None) -> Forecast:
        try:
            result = self._dry_run(message, item, data)
        except IncompleteUpdateError as error:
            return Forecast(
                outcome=Outcome.DEAD_LETTERED, reason=error.reason, change_kinds=error.result.change_kinds
            )
        except PermanentError as error:
            return Forecast(outcome=Outcome.DEAD_LETTERED, reason=error.reason)
        would_update = result.outcome is Outcome.WOULD_UPDATE
        return Forecast(
            outcome=Outcome.UPDATED if would_update else result.outcome, change_kinds=result.change_kinds
        )

    def _record_blocked(self, message: UserSync, undone: int | None, blocked: SyncResult) -> None:
        """Record a blocked result as a forecast; the run's halt ends this message too."""
        forecast = Forecast(outcome=Outcome.UPDATED, change_kinds=blocked.change_kinds)
        if blocked.unwritten:
            reason = IncompleteUpdateError(blocked, undone=undone).reason
            forecast = replace(forecast, outcome=Outcome.DEAD_LETTERED, reason=reason)
        with suppress(TransientError):
            self._store.forecasts.record(message.run, message.user, forecast)
