"""Records failed triggers and pages: what the failure means for the run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import structlog

from queues.middleware.failure_policy import UNKNOWN_PEERS
from schemas.crypto.encryption import DecryptionError
from schemas.dead_letter_reasons import Reason
from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind
from schemas.errors import PermanentError
from schemas.messages.messages import TENANT_PAGE_ACTOR, load_tenant_page
from schemas.outcomes import Cause

if TYPE_CHECKING:
    from queues.interfaces import Message
    from queues.middleware.failure_policy import Halt, PeerResults
    from schemas.outcomes import Stage
    from schemas.runs.sync_result import Failure
    from schemas.runs.waits import Wait
    from store.store import Store

#: A run that lost a page cannot account for all users: it halts with a cause.
_CAUSES: Final = {Reason.GAVE_UP: Cause.GAVE_UP}

_log = structlog.get_logger(__name__)


class RunFailureRecorder:
    """Halts runs whose pages failed. A failed trigger has no run, only a dead letter."""

    def __init__(self, *, store: Store) -> None:
        self._runs = store.runs
        self._waits = store.waits
        self._message_cipher = store.message_cipher

    def keeps_dead_letter(self, message: Message[Any]) -> bool:
        """Return True: a replay of the message brings its run further, a dry one too."""
        del message
        return True

    def on_dead_letter(self, message: Message[Any], dead_letter: Failure, *, attempts: int) -> None:
        """Halt the run of a page that cannot be read."""
        if message.actor_name != TENANT_PAGE_ACTOR:
            return
        try:
            page = load_tenant_page(message.kwargs)
            self._message_cipher.check_page(page)
        except (PermanentError, DecryptionError):
            # A message that is not ours must not halt a run.
            return
        else:
            cause = _CAUSES.get(dead_letter.reason, Cause.BUG)
            detail = Detail(DetailKind.PAGE_NOT_READ_AFTER, attempts=attempts, problem=dead_letter.detail)
            self._halt(page.run, page.tenant, cause, detail)

    def on_halt(self, message: Message[Any], halt: Halt) -> None:
        """Halt the run of a page."""
        self._halt(message.kwargs["run"], message.kwargs.get("tenant"), halt.cause, halt.detail)

    def _halt(self, run: int, tenant: object, cause: Cause, detail: str) -> None:
        """Halt a run; the one who did it logs it."""
        if self._runs.halt(run, cause, detail):
            _log.error("run_halted", tenant=tenant, run=run, cause=str(cause), detail=detail)

    def on_wait(self, message: Message[Any], wait: Wait) -> None:
        """Record what the page waits for. A waiting trigger has no run to show it."""
        run = message.kwargs.get("run")
        if isinstance(run, int):
            self._waits.record_page(run, wait)

    def peer_results(self, message: Message[Any], stage: Stage) -> PeerResults:
        """Return unknown: a page concerns all users, so there are no peers to compare with."""
        del message, stage
        return UNKNOWN_PEERS
