"""Records failures of user messages in their receipts and runs."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import structlog

from queues.middleware.failure_policy import UNKNOWN_PEERS, PeerResults
from schemas.crypto.encryption import DecryptionError
from schemas.details.detail import joined
from schemas.errors import HaltError, PermanentError, UsageError
from schemas.messages.messages import load_user_sync
from schemas.outcomes import Cause
from schemas.runs.changes import ONE_FAILED
from schemas.runs.totals.failure_group import most_frequent
from store.runs.guard_counters import Increment
from workers.rules.guard import check_guard

if TYPE_CHECKING:
    from queues.interfaces import Message
    from queues.middleware.failure_policy import Halt
    from schemas.messages.messages import UserSync
    from schemas.outcomes import Stage
    from schemas.runs.sync_result import Failure
    from schemas.runs.waits import Wait
    from store.store import Store

_log = structlog.get_logger(__name__)


class UserFailureRecorder:
    """Writes dead letters and halts of users to their receipts and runs."""

    def __init__(self, *, store: Store) -> None:
        self._store = store
        self._receipts = store.receipts
        self._runs = store.runs
        self._waits = store.waits
        self._peer_progress = store.peer_progress
        self._message_cipher = store.message_cipher

    def keeps_dead_letter(self, message: Message[Any]) -> bool:
        """Say whether the user is to be synced later: a dry run's receipt says all that there is to know."""
        try:
            user = load_user_sync(message.kwargs)
            self._message_cipher.decrypt_user(user)
            return not self._runs.get(user.run).dry_run
        except (PermanentError, DecryptionError, UsageError):
            # A message that is not ours must not vanish.
            return True

    def on_dead_letter(self, message: Message[Any], dead_letter: Failure, *, attempts: int) -> None:
        """Give the user's receipt its outcome, if the message is authentic."""
        try:
            user = load_user_sync(message.kwargs)
            operation = self._message_cipher.decrypt_user(user).operation
        except (PermanentError, DecryptionError):
            return
        counted = self._increment(user) if operation is None else None
        try:
            self._receipts.mark_dead_lettered(
                user.run, user.user, dead_letter, attempts, operation=operation, counted=counted
            )
        except HaltError as error:
            why = most_frequent(self._store.failures.for_run(user.run))
            detail = joined([error.detail, why]) if why else error.detail
            self._halt(user.run, user.tenant, Cause.GUARD_EXCEEDED, detail)
        self._runs.complete_if_done(user.run)

    def _increment(self, user: UserSync) -> Increment | None:
        """Return what a failed user counts as for the guard, None when the guard does not count the user."""
        item = self._store.work_items.load(user.run, user.user)
        if item is None or item.dry_run or not item.guarded:
            return None
        guard = self._store.settings_overrides.for_user(user.run, item).tenant.guard
        if guard.failed is None:
            return None
        return Increment(run_id=user.run, counts=ONE_FAILED, check_limits=partial(check_guard, guard))

    def on_halt(self, message: Message[Any], halt: Halt) -> None:
        """Halt the user's run; the user stays pending until it is resumed."""
        self._halt(message.kwargs["run"], message.kwargs.get("tenant"), halt.cause, halt.detail)

    def _halt(self, run: int, tenant: object, cause: Cause, detail: str) -> None:
        """Halt a run; the one who did it logs it, however many users meet the cause at the same time."""
        if self._runs.halt(run, cause, detail):
            _log.error("run_halted", tenant=tenant, run=run, cause=str(cause), detail=detail)

    def on_wait(self, message: Message[Any], wait: Wait) -> None:
        """Record what the user waits for, if the message names a user."""
        run, user = message.kwargs.get("run"), message.kwargs.get("user")
        if isinstance(run, int) and isinstance(user, str):
            self._waits.record_user(run, user, wait)

    def peer_results(self, message: Message[Any], stage: Stage) -> PeerResults:
        """Return how the other users of the run fare at a stage."""
        run = message.kwargs.get("run")
        if not isinstance(run, int):
            return UNKNOWN_PEERS
        return PeerResults(
            last_success=self._peer_progress.last_success(run, stage),
            pending=self._peer_progress.others_pending(run),
            recovering=self._peer_progress.is_recovering(run),
        )
